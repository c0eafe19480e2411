import { inflateSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { inspectImage } from '../../media/inspect-image.ts'
import { rasterise } from '../../media/rasterise.ts'
import { choosePreview, type PreviewProtocol } from './choose-preview.ts'
import { encodePreview } from './show-preview.ts'

/** Red above, blue below, and a transparent right third. */
let bytes: Buffer
/** Escape sequences with their control characters spelt out. */
async function encoded(protocol: PreviewProtocol): Promise<string> {
  const text = await encodePreview(protocol, { bytes, ...box })
  return text.replaceAll('\u001b', '<ESC>').replaceAll('\u0007', '<BEL>')
}

const box = { columns: 30, rows: 8 }
beforeAll(async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 2"><path fill="#f00" d="M0 0h2v1H0z"/><path fill="#00f" d="M0 1h2v1H0z"/></svg>'
  bytes = await rasterise(svg, { width: 600, height: 400 })
})

test('kitty: the pixels come out of the chunks as they went in, and fit the cells', async () => {
  const text = await encoded('kitty')
  const chunks = [...text.matchAll(/<ESC>_G([^;]*);([^<]*)<ESC>\\/g)]
  expect(chunks.map((chunk) => chunk[0]).join('')).toBe(text.trimEnd())
  for (const [index, chunk] of chunks.entries()) {
    expect(chunk[2]?.length).toBeLessThanOrEqual(4_096)
    expect(chunk[1]).toContain(`m=${index === chunks.length - 1 ? 0 : 1}`)
  }
  const control = Object.fromEntries((chunks[0]?.[1] ?? '').split(',').map((pair) => pair.split('=')))
  expect(control).toMatchObject({ a: 'T', q: '2', f: '32', o: 'z' })
  expect(Number(control.c)).toBeLessThanOrEqual(box.columns)
  expect(Number(control.r)).toBeLessThanOrEqual(box.rows)
  const pixels = inflateSync(Buffer.from(chunks.map((chunk) => chunk[2]).join(''), 'base64'))
  const [width, height] = [Number(control.s), Number(control.v)]
  expect(pixels).toHaveLength(width * height * 4)
  expect([...pixels.subarray(0, 4)]).toEqual([255, 0, 0, 255])
  expect(pixels.at(-1)).toBe(0)
})

test('iterm: the sequence holds a PNG of the size it says', async () => {
  const text = await encoded('iterm')
  const [, size, height, payload] =
    /^<ESC>\]1337;File=inline=1;size=(\d+);.*height=(\d+);[^:]*:([^<]*)<BEL>\n$/.exec(text) ?? []
  const png = Buffer.from(payload ?? '', 'base64')
  expect(png).toHaveLength(Number(size))
  expect(Number(height)).toBe(box.rows)
  const info = await inspectImage(png)
  expect(info.format).toBe('png')
  expect(info.width / info.height).toBeCloseTo(1.5, 1)
})

test('sixel: every band is as wide as the picture, and its colours are those of the picture', async () => {
  const text = await encoded('sixel')
  const [, width, height, palette, body] =
    /^<ESC>P0;1;0q"1;1;(\d+);(\d+)((?:#\d+;2;\d+;\d+;\d+)+)(.*)<ESC>\\\n$/.exec(text) ?? []
  const colours = new Map(
    [...(palette ?? '').matchAll(/#(\d+);2;(\d+;\d+;\d+)/g)].map((found) => [found[1], found[2]]),
  )
  expect(colours.size).toBe(252)
  const bands = (body ?? '').split('-').slice(0, -1)
  expect(bands).toHaveLength(Math.ceil(Number(height) / 6))
  const used = new Set<string | undefined>()
  for (const band of bands) {
    for (const line of band.split('$')) {
      const [, colour, sixels = ''] = /^#(\d+)(.*)$/.exec(line) ?? []
      used.add(colours.get(colour))
      const unpacked = sixels.replace(/!(\d+)(.)/g, (_found, times: string, sign: string) =>
        sign.repeat(Number(times)),
      )
      expect(unpacked).toHaveLength(Number(width))
      expect(unpacked).toMatch(/^[?-~]+$/)
    }
  }
  expect([...used]).toEqual(expect.arrayContaining(['100;0;0', '0;0;100']))
})

test('blocks: as many cells as fit, each line ends without colour, transparent ones are blank', async () => {
  const text = await encoded('blocks')
  const lines = text.split('\n').slice(0, -1)
  expect(lines.length).toBeLessThanOrEqual(box.rows)
  for (const line of lines) {
    expect(line.endsWith('<ESC>[0m')).toBe(true)
    const cells = line.replace(/<ESC>\[[0-9;]*m/g, '')
    expect(cells).toMatch(/^[▀▄ ]+$/)
    expect(cells.length).toBeLessThanOrEqual(box.columns)
    expect(cells.endsWith(' ')).toBe(true)
  }
  expect(lines[0]).toContain('38;2;255;0;0')
  expect(lines.at(-1)).toContain('48;2;0;0;255')
})

const terminal = { isTerminal: true, silent: false }

test.each([
  [{ TERM: 'xterm-kitty' }, 'kitty'],
  [{ TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }, 'kitty'],
  [{ TERM: 'xterm-ghostty' }, 'kitty'],
  [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }, 'iterm'],
  [{ TERM: 'foot' }, 'sixel'],
  [{ TERM: 'xterm-256color', COLORTERM: 'truecolor' }, 'blocks'],
  [{ TERM: 'xterm-256color' }, undefined],
  [{ TERM: 'tmux-256color', TMUX: '/tmp/x', KITTY_WINDOW_ID: '1', COLORTERM: 'truecolor' }, 'blocks'],
  [{ TERM: 'screen', TERM_PROGRAM: 'iTerm.app', COLORTERM: 'truecolor' }, 'blocks'],
  [{ TERM: 'xterm-256color', COLORTERM: 'truecolor', NO_COLOR: '1' }, undefined],
  [{ TERM: 'xterm-kitty', CI: 'true' }, undefined],
  [{ TERM: 'dumb', KITTY_WINDOW_ID: '1' }, undefined],
])('auto in %o shows by %s', (env, expected) => {
  expect(choosePreview('auto', { env, ...terminal })).toBe(expected)
})

test('auto shows nothing where nobody watches; a mode that is named is used even there', () => {
  const env = { TERM: 'xterm-kitty' }
  expect(choosePreview('auto', { env, isTerminal: false, silent: false })).toBeUndefined()
  expect(choosePreview('auto', { env, isTerminal: true, silent: true })).toBeUndefined()
  expect(choosePreview('none', { env, ...terminal })).toBeUndefined()
  expect(choosePreview('sixel', { env, isTerminal: false, silent: false })).toBe('sixel')
})
