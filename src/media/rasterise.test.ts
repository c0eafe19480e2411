import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { rasterise } from './rasterise.ts'

const halfRed = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="5" height="10" fill="red"/></svg>`

async function pixelsOf(png: Buffer) {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return (x: number, y: number) => [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)]
}

describe('rasterise', () => {
  test.each([
    { width: 1, height: 1 },
    { width: 10, height: 10 },
    { width: 1023, height: 7 },
    { width: 640, height: 480 },
  ])('makes a PNG of exactly $width x $height', async (size) => {
    const metadata = await sharp(await rasterise(halfRed, size)).metadata()
    expect(metadata).toMatchObject({ format: 'png', ...size })
  })

  test('keeps transparency', async () => {
    const pixel = await pixelsOf(await rasterise(halfRed, { width: 100, height: 100 }))
    expect(pixel(10, 50)).toEqual([255, 0, 0, 255])
    expect(pixel(90, 50)[3]).toBe(0)
  })

  test('scales the drawing, not its pixels: a border stays sharp at 100 times the size', async () => {
    const pixel = await pixelsOf(await rasterise(halfRed, { width: 1000, height: 1000 }))
    expect(pixel(498, 500)[3]).toBe(255)
    expect(pixel(501, 500)[3]).toBe(0)
  })

  test('gives the same bytes for the same drawing', async () => {
    const size = { width: 300, height: 200 }
    expect((await rasterise(halfRed, size)).equals(await rasterise(halfRed, size))).toBe(true)
  })

  test('draws an embedded picture of more than ten megabytes', async () => {
    const side = 1900
    const noise = Buffer.alloc(side * side * 3)
    for (let i = 0, seed = 1; i < noise.length; i++) {
      seed = (seed * 1103515245 + 12345) % 2147483648
      noise[i] = seed >> 16
    }
    const embedded = await sharp(noise, { raw: { width: side, height: side, channels: 3 } })
      .png({ compressionLevel: 0 })
      .toBuffer()
    expect(embedded.length).toBeGreaterThan(10_000_000)
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><image width="64" height="64" href="data:image/png;base64,${embedded.toString('base64')}"/></svg>`
    const pixel = await pixelsOf(await rasterise(svg, { width: 64, height: 64 }))
    expect(pixel(32, 32)[3]).toBe(255)
  })

  test('rejects what is no SVG instead of returning a picture', async () => {
    await expect(rasterise('<svg', { width: 10, height: 10 })).rejects.toThrow()
  })
})
