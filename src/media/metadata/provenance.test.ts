import { load } from 'exifreader'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { MAX_JPEG_XMP_BYTES } from './jpeg-segments.ts'
import { type Provenance, provenanceXmp } from './provenance.ts'
import { scene } from './testing/tagged-pictures.ts'
import { writeXmp } from './write-xmp.ts'

const provenance: Provenance = {
  digitalSourceType: 'trainedAlgorithmicMedia',
  model: 'gpt-image-1',
  taskId: 'task_01',
}

describe('provenanceXmp', () => {
  test('says source type, model, tool and task by their IPTC, XMP and Dublin Core names', async () => {
    expect(await readBack(provenance)).toEqual({
      DigitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
      AISystemUsed: 'gpt-image-1',
      CreatorTool: 'Gesso',
      identifier: 'task_01',
      AIPromptInformation: undefined,
    })
    const drawn = await readBack({ ...provenance, digitalSourceType: 'algorithmicMedia' })
    expect(drawn.DigitalSourceType).toBe('http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia')
    const xmp = provenanceXmp({ ...provenance, prompt: 'a fox' }).toString()
    expect(xmp).toContain('xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"')
    expect(xmp).toContain('<Iptc4xmpExt:AIPromptInformation>a fox</Iptc4xmpExt:AIPromptInformation>')
  })

  test('says nothing of a prompt that is empty', () => {
    expect(provenanceXmp({ ...provenance, prompt: '' })).toEqual(provenanceXmp(provenance))
  })

  test.each([
    ['markup', ']]> <b a="1"> & &amp; <!-- --> <?x?> \'', ']]> <b a="1"> & &amp; <!-- --> <?x?> \''],
    ['line ends', 'a\r\nb\tc\rd', 'a\r\nb\tc\rd'],
    ['control characters', 'a\0b\x01\x08\x0b\x1f\uFFFE\uFFFFc', 'abc'],
    ['halves of surrogate pairs', 'a\uD83Db\uDE00c\uDE00\uD83D', 'abc'],
    ['emoji and other scripts', '🦊👩‍🎨 лиса 狐', '🦊👩‍🎨 лиса 狐'],
    ['32,000 characters', 'fox & '.repeat(5_333), 'fox & '.repeat(5_333)],
  ])('stays well-formed XML with %s in prompt and model', async (_, text, expected) => {
    const hostile = { ...provenance, prompt: text, model: text.slice(0, 200) }
    expect(await isWellFormed(provenanceXmp(hostile, 'png'))).toBe(true)
    const read = await readBack(hostile)
    expect(read.AIPromptInformation).toBe(expected)
    expect(read.AISystemUsed).toBe(expected.slice(0, 200))
  })

  test.each([
    ['ASCII', 'x'],
    ['entities', '&'],
    ['three bytes', '狐'],
    ['four bytes', '🦊'],
    ['mixed', '&a狐🦊'],
  ])(
    'shortens a prompt of %s only where a JPEG could not hold it, and between characters',
    async (_, unit) => {
      const prompt = unit.repeat(70_000)
      const whole = provenanceXmp({ ...provenance, prompt }, 'webp')
      expect(whole.length).toBeGreaterThan(MAX_JPEG_XMP_BYTES)

      const short = provenanceXmp({ ...provenance, prompt }, 'jpeg')
      expect(short.length).toBeLessThanOrEqual(MAX_JPEG_XMP_BYTES)
      expect(short.length).toBeGreaterThan(MAX_JPEG_XMP_BYTES - 12)
      expect(provenanceXmp({ ...provenance, prompt })).toEqual(short)
      expect(await isWellFormed(short)).toBe(true)
      const jpeg = await scene(3).jpeg().toBuffer()
      const read = load(Buffer.concat(writeXmp(jpeg, 'jpeg', short))).AIPromptInformation?.value
      expect(read).toMatch(/…$/)
      expect(prompt.startsWith(String(read).slice(0, -1))).toBe(true)
    },
  )

  test('keeps a prompt whole that just fits into a JPEG', () => {
    const otherBytes = provenanceXmp({ ...provenance, prompt: 'x' }).length - 1
    const fitting = 'x'.repeat(MAX_JPEG_XMP_BYTES - otherBytes)
    expect(provenanceXmp({ ...provenance, prompt: fitting })).toHaveLength(MAX_JPEG_XMP_BYTES)
    expect(provenanceXmp({ ...provenance, prompt: fitting }).includes(fitting)).toBe(true)
    expect(provenanceXmp({ ...provenance, prompt: `${fitting}x` }).includes('…')).toBe(true)
  })

  test('fits into a JPEG whatever model and task are called', () => {
    const long = {
      ...provenance,
      model: '&'.repeat(32_000),
      taskId: '"'.repeat(32_000),
      prompt: '<'.repeat(32_000),
    }
    expect(provenanceXmp(long).length).toBeLessThanOrEqual(MAX_JPEG_XMP_BYTES)
  })
})

async function readBack(written: Provenance) {
  const png = await scene(3).png().toBuffer()
  const tags = load(Buffer.concat(writeXmp(png, 'png', provenanceXmp(written, 'png'))))
  const names = [
    'DigitalSourceType',
    'AISystemUsed',
    'CreatorTool',
    'identifier',
    'AIPromptInformation',
  ] as const
  return Object.fromEntries(
    names.map((name) => [name, (tags as Record<string, { value: unknown }>)[name]?.value]),
  )
}

/** Asks libxml2, by way of an SVG that holds the packet as its metadata. */
async function isWellFormed(xmp: Buffer): Promise<boolean> {
  const open = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><metadata>'
  const svg = Buffer.concat([Buffer.from(open), xmp, Buffer.from('</metadata></svg>')])
  return await sharp(svg, { unlimited: true })
    .metadata()
    .then(
      () => true,
      () => false,
    )
}
