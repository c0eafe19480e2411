import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { encodeImage } from './encode-image.ts'
import { inspectImage } from './inspect-image.ts'

const inputs = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const
const outputs = ['png', 'jpeg', 'webp', 'avif'] as const

function noise(width = 120, height = 80) {
  return sharp({
    create: {
      width,
      height,
      channels: 3,
      background: 'red',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
}

async function pixelAt(bytes: Buffer, x: number, y: number) {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)]
}

describe('encodeImage', () => {
  test.each(inputs.flatMap((from) => outputs.map((to) => [from, to] as const)))(
    'turns %s into %s of the same size',
    async (from, to) => {
      const picture = await noise().toFormat(from).toBuffer()
      const encoded = await encodeImage(picture, { format: to })
      expect(await inspectImage(encoded)).toMatchObject({ format: to, width: 120, height: 80 })
    },
  )

  test.each(outputs)('writes the same %s twice', async (format) => {
    const picture = await noise().png().toBuffer()
    const [first, second] = await Promise.all([
      encodeImage(picture, { format }),
      encodeImage(picture, { format }),
    ])
    expect(first.equals(second)).toBe(true)
  })

  test.each(['jpeg', 'webp', 'avif'] as const)(
    'makes %s smaller at lower quality, 0 included',
    async (format) => {
      const picture = await noise().png().toBuffer()
      const sizes = []
      for (const quality of [0, 50, 100]) sizes.push((await encodeImage(picture, { format, quality })).length)
      expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
      expect(new Set(sizes).size).toBe(3)
    },
  )

  test('puts transparency on white in a jpeg and keeps it elsewhere', async () => {
    const clear = { r: 0, g: 0, b: 0, alpha: 0 }
    const picture = await sharp({ create: { width: 16, height: 16, channels: 4, background: clear } })
      .png()
      .toBuffer()
    expect(await pixelAt(await encodeImage(picture, { format: 'jpeg' }), 8, 8)).toEqual([255, 255, 255, 255])
    for (const format of ['png', 'webp', 'avif'] as const) {
      expect((await pixelAt(await encodeImage(picture, { format }), 8, 8))[3]).toBe(0)
    }
  })

  test('gives exactly the size asked for, cropped and not stretched', async () => {
    const stripes = `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100"><rect width="100" height="100" fill="red"/><rect x="100" width="100" height="100" fill="lime"/><rect x="200" width="100" height="100" fill="blue"/></svg>`
    const picture = await sharp(Buffer.from(stripes)).png().toBuffer()
    const square = await encodeImage(picture, { format: 'png', size: { width: 60, height: 60 } })
    expect(await inspectImage(square)).toMatchObject({ width: 60, height: 60 })
    expect(await pixelAt(square, 3, 30)).toEqual([0, 255, 0, 255])
    expect(await pixelAt(square, 56, 30)).toEqual([0, 255, 0, 255])
  })

  test('turns a photograph upright and drops its metadata', async () => {
    const photo = await noise(120, 80)
      .jpeg()
      .withExif({ IFD0: { Artist: 'Ada Owner' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
      .withMetadata({ orientation: 6 })
      .toBuffer()
    const encoded = await encodeImage(photo, { format: 'jpeg' })
    const metadata = await sharp(encoded).metadata()
    expect(metadata).toMatchObject({ width: 80, height: 120 })
    expect(metadata.exif).toBeUndefined()
    expect(metadata.orientation).toBeUndefined()
  })

  test('refuses SVG, whatever else sharp would draw', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    const refused = { code: 'unsupported_image', message: expect.stringContaining('is an SVG document') }
    await expect(encodeImage(svg, { format: 'png' })).rejects.toMatchObject(refused)
  })

  test('refuses a picture that is damaged inside', async () => {
    const damaged = Buffer.from(await noise().png().toBuffer())
    damaged.fill(0, damaged.length >> 1, (damaged.length >> 1) + 50)
    const refused = { code: 'unsupported_image', attribution: 'client' }
    await expect(encodeImage(damaged, { format: 'webp' })).rejects.toMatchObject(refused)
  })

  test('refuses to decode a bomb that nobody inspected', async () => {
    const bomb = await noise(10, 10).png().toBuffer()
    bomb.writeUInt32BE(7_200, 16)
    bomb.writeUInt32BE(7_200, 20)
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
    const refused = { code: 'unsupported_image', message: expect.stringContaining('too large') }
    await expect(encodeImage(bomb, { format: 'png' })).rejects.toMatchObject(refused)
  })
})
