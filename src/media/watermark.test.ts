import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { encodeImage } from './encode-image.ts'
import { watermark } from './watermark.ts'

const solid = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer()

async function pixels(bytes: Buffer) {
  const { data, info } = await sharp(bytes)
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** Brightness 0–255 of every pixel that differs from the plain background, and the box around them. */
async function labelOf(bytes: Buffer, background: number) {
  const { data, width, height } = await pixels(bytes)
  const changed: number[] = []
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let i = 0; i < data.length; i += 3) {
    const value = data[i] ?? 0
    if (Math.abs(value - background) < 3) continue
    changed.push(value)
    const [x, y] = [(i / 3) % width, Math.floor(i / 3 / width)]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return { changed, left, top, right, bottom, width, height }
}

describe('the watermark', () => {
  test.each([
    ['black', 0],
    ['white', 255],
  ] as const)('can be read on %s, and touches the lower right part only', async (colour, background) => {
    const marked = await encodeImage(await solid(1024, 1024, colour), { format: 'png', watermark: true })
    const label = await labelOf(marked, background)
    expect(label.left).toBeGreaterThan(700)
    expect(label.top).toBeGreaterThan(900)
    expect(label.right).toBeLessThan(1023)
    expect(label.bottom).toBeLessThan(1023)
    // Letters 3.5 % high, in white; around them what makes them stand out.
    expect(label.bottom - label.top).toBeGreaterThan(35)
    const white = (await pixels(marked)).data.filter((value, i) => {
      const [x, y] = [((i / 3) | 0) % 1024, (i / 3 / 1024) | 0]
      return value > 240 && x >= label.left && y >= label.top
    }).length
    expect(white).toBeGreaterThan(1_000)
    if (colour === 'white') expect(label.changed.filter((value) => value < 120).length).toBeGreaterThan(3_000)
    else expect(label.changed.filter((value) => value > 200).length).toBeGreaterThan(1_000)
  })

  test.each([
    { width: 64, height: 64 },
    { width: 64, height: 300 },
    { width: 1024, height: 64 },
    { width: 4096, height: 2160 },
  ])('fits into $width × $height, with letters of 10 pixels or more', async ({ width, height }) => {
    const mark = watermark({ width, height })
    const [, w = 0, h = 0] = /width="(\d+)" height="(\d+)"/.exec(mark.svg)?.map(Number) ?? []
    expect(mark.left + w).toBeLessThanOrEqual(width)
    expect(mark.top + h).toBeLessThanOrEqual(height)
    // The pill is 1.9 times as high as its letters.
    expect(h).toBeGreaterThanOrEqual(19)
    const label = await labelOf(
      await encodeImage(await solid(width, height, 'black'), { format: 'png', watermark: true }),
      0,
    )
    expect(label.changed.length).toBeGreaterThan(100)
  })

  test.each([1, 7, 30, 63])('never fails on a tiny picture of %d pixels', async (side) => {
    const marked = await encodeImage(await solid(side, side, 'white'), { format: 'png', watermark: true })
    expect(await sharp(marked).metadata()).toMatchObject({ width: side, height: side })
  })

  test('needs no font', () => {
    expect(watermark({ width: 512, height: 512 }).svg).not.toMatch(/<text|font/)
  })

  test.each(['png', 'jpeg', 'webp', 'avif'] as const)('is on a %s, the same each time', async (format) => {
    const picture = await solid(256, 256, 'white')
    const plain = await encodeImage(picture, { format })
    const marked = await encodeImage(picture, { format, watermark: true })
    expect(await encodeImage(picture, { format, watermark: true })).toEqual(marked)
    const dark = (await labelOf(marked, 255)).changed.filter((value) => value < 120).length
    expect(dark).toBeGreaterThan(200)
    expect((await labelOf(plain, 255)).changed).toHaveLength(0)
  })

  test('goes where the upright, cropped picture has its corner', async () => {
    const sideways = await sharp({ create: { width: 800, height: 400, channels: 3, background: 'white' } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer()
    const upright = await labelOf(await encodeImage(sideways, { format: 'png', watermark: true }), 255)
    expect(upright).toMatchObject({ width: 400, height: 800 })
    expect(upright.top).toBeGreaterThan(700)
    const cropped = await labelOf(
      await encodeImage(sideways, { format: 'png', watermark: true, size: { width: 300, height: 200 } }),
      255,
    )
    expect(cropped).toMatchObject({ width: 300, height: 200 })
    expect(cropped.top).toBeGreaterThan(150)
  })

  test.each([
    [
      'greyscale',
      () => sharp(Buffer.alloc(300 * 300, 255), { raw: { width: 300, height: 300, channels: 1 } }).png(),
    ],
    ['16-bit', () => solidPipeline().toColourspace('rgb16').png()],
    ['CMYK', () => solidPipeline().toColourspace('cmyk').jpeg()],
    ['transparent', () => solidPipeline().ensureAlpha(0).png()],
    ['palette', () => solidPipeline().png({ palette: true })],
  ])('is visible on a %s picture', async (_, make) => {
    const picture = await make().toBuffer()
    const marked = await encodeImage(picture, { format: 'jpeg', quality: 95, watermark: true })
    const label = await labelOf(marked, 255)
    expect(label.changed.filter((value) => value < 120).length).toBeGreaterThan(200)
    expect(label.left).toBeGreaterThan(150)
    expect(label.top).toBeGreaterThan(250)
  })
})

const solidPipeline = () => sharp({ create: { width: 300, height: 300, channels: 3, background: 'white' } })
