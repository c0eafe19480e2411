import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, gunzipSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { inspectImage } from './inspect-image.ts'

const formats = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const

function picture(width = 64, height = 48, background = { r: 200, g: 30, b: 30, alpha: 0.5 }) {
  return sharp({ create: { width, height, channels: 4, background }, limitInputPixels: false })
}

function noise(width: number, height: number) {
  return sharp({
    create: {
      width,
      height,
      channels: 3,
      background: 'red',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
}

const folder = mkdtempSync(join(tmpdir(), 'gesso-inspect-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The same bytes in memory and in a file. */
async function sourcesOf(bytes: Buffer) {
  const path = join(folder, crypto.randomUUID())
  await writeFile(path, bytes)
  return [bytes, { path }]
}

describe('inspectImage', () => {
  test.each(formats)('tells a %s, its size and its transparency', async (format) => {
    expect(await inspectImage(await picture().toFormat(format).toBuffer())).toEqual({
      format,
      mediaType: `image/${format}`,
      width: 64,
      height: 48,
      hasAlpha: format !== 'jpeg',
      frames: 1,
    })
  })

  test('gives the size of a rotated photograph as it is shown', async () => {
    const sideways = await picture(64, 48).jpeg().withMetadata({ orientation: 6 }).toBuffer()
    expect(await inspectImage(sideways)).toMatchObject({ width: 48, height: 64 })
  })

  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
  test.each([
    ['an SVG document', Buffer.from(svg)],
    ['an SVG document', Buffer.from(`\uFEFF<?xml version="1.0"?><!-- note -->${svg}`)],
    ['an SVG document', Buffer.from(`\uFEFF${svg}`, 'utf16le')],
    ['gzip-compressed data', gzipSync(svg)],
    ['an HTML document', Buffer.from('<!doctype html><img src="x">')],
    ['an XML document', Buffer.from('<?xml version="1.0"?><feed/>')],
    ['a PDF document', Buffer.from('%PDF-1.7\n')],
    ['a ZIP archive', Buffer.from('PK\x03\x04aaaa')],
    ['an icon file', Buffer.from([0, 0, 1, 0, 1, 0])],
    ['a BMP picture', Buffer.from('BM\x00\x00\x00\x00')],
    ['a HEIC picture', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')],
    ['an animated AVIF', Buffer.from('\0\0\0\x18ftypavis\0\0\0\0avifavis', 'latin1')],
    ['a video', Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1')],
    ['empty', Buffer.alloc(0)],
    ['of an unknown format', Buffer.from([0x89])],
    ['of an unknown format', Buffer.from('just words')],
  ])('refuses %s and says what is allowed', async (nature, bytes) => {
    await expect(inspectImage(bytes, { param: 'image' })).rejects.toMatchObject({
      code: 'unsupported_image',
      attribution: 'client',
      param: 'image',
      message: `The image is ${nature}. Allowed are PNG, JPEG, WebP, GIF and AVIF.`,
    })
  })

  test('refuses TIFF, which sharp could open', async () => {
    await expect(inspectImage(await picture().tiff().toBuffer())).rejects.toThrow('is a TIFF picture')
  })

  // Small pictures whose headers claim more: an answer other than a refusal would need their pixels.
  test.each([
    ['png', 7_200, 50],
    ['webp', 7_200, 50],
    ['avif', 5_100, 25],
  ] as const)('refuses a %s of %i² pixels by the header alone', async (format, side, limit) => {
    const bomb = claimSize(await picture().toFormat(format, { lossless: true }).toBuffer(), format, side)
    const megapixels = ((side * side) / 1e6).toFixed(1)
    await expect(inspectImage(bomb)).rejects.toThrow(
      `The image has ${side} × ${side} = ${megapixels} megapixels. Allowed are ${limit} megapixels for ${format}.`,
    )
  })

  // Made with sharp from one colour, and compressed; the files themselves have 38 bytes to 1.4 megabytes.
  test.each([
    ['avif-10000x10000', '100.0 megapixels'],
    ['webp-lossless-10000x10000', '100.0 megapixels'],
    ['jpeg-progressive-10000x10000', '100.0 megapixels'],
    ['png-interlaced-10000x10000', '100.0 megapixels'],
    ['png-16000x16000', '256.0 megapixels'],
    ['png-30000x30000', '900.0 megapixels'],
    ['gif-1x65535', '1 × 65535 pixels. Allowed are 32767'],
    ['gif-3000-frames', 'animated, with 3000 frames'],
  ])('refuses the bomb %s without decoding it', async (name, reason) => {
    const compressed = await readFile(join(import.meta.dirname, '__fixtures__/bombs', `${name}.gz`))
    for (const source of await sourcesOf(gunzipSync(compressed))) {
      const before = process.memoryUsage.rss()
      await expect(inspectImage(source)).rejects.toThrow(reason)
      // The smallest of them would take 200 MB as pixels.
      expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000)
    }
  })

  test('a bomb is refused while large files are being read', async () => {
    const large = await sourcesOf(Buffer.concat([await picture().png().toBuffer(), Buffer.alloc(50_000_000)]))
    const bomb = gunzipSync(
      await readFile(join(import.meta.dirname, '__fixtures__/bombs/png-16000x16000.gz')),
    )
    let read = 0
    const reading = Array.from({ length: 10 }, async () => {
      await inspectImage(large[1] ?? bomb)
      read += 1
    })
    await expect(inspectImage(bomb)).rejects.toThrow('256.0 megapixels')
    expect(read).toBeLessThan(10)
    await Promise.all(reading)
  })

  test.each(formats)('tells of a %s in a file what it tells of its bytes', async (format) => {
    const [bytes, file] = await sourcesOf(await picture().toFormat(format).toBuffer())
    expect(await inspectImage(file as { path: string })).toEqual(await inspectImage(bytes as Buffer))
  })

  test.each([
    ['a PDF document', Buffer.from('%PDF-1.7\n')],
    ['empty', Buffer.alloc(0)],
    ['an SVG document', Buffer.from(`${' '.repeat(500)}${svg}`)],
  ])('refuses a file that is %s', async (nature, bytes) => {
    const [, file] = await sourcesOf(bytes)
    await expect(inspectImage(file as { path: string })).rejects.toThrow(`The image is ${nature}.`)
  })

  test('refuses a file that was cut short, and does not blame the picture for a file that is gone', async () => {
    const whole = await noise(160, 120).png().toBuffer()
    const [, file] = await sourcesOf(whole.subarray(0, -1))
    await expect(inspectImage(file as { path: string })).rejects.toThrow('ends too early')
    await expect(inspectImage({ path: join(folder, 'gone') })).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('refuses animations, unless more frames are allowed', async () => {
    const frames = Buffer.from(Uint8Array.from({ length: 16 * 16 * 3 * 5 }, (_, i) => (i * 7) % 251))
    const raw = { width: 16, height: 80, channels: 3, pageHeight: 16 } as const
    for (const format of ['gif', 'webp'] as const) {
      const animation = await sharp(frames, { raw }).toFormat(format).toBuffer()
      await expect(inspectImage(animation)).rejects.toThrow('is animated, with 5 frames')
      expect(await inspectImage(animation, { limits: { maxFrames: 5 } })).toMatchObject({
        frames: 5,
        height: 16,
      })
    }
  })

  test('takes other limits', async () => {
    const png = await picture(10, 10).png().toBuffer()
    const maxPixels = { png: 99, jpeg: 1, webp: 1, gif: 1, avif: 1 }
    await expect(inspectImage(png, { limits: { maxPixels } })).rejects.toThrow('10 × 10')
  })

  test.each(formats)('refuses a %s that was cut short anywhere', async (format) => {
    const whole = await noise(160, 120).toFormat(format).toBuffer()
    await inspectImage(whole)
    for (const share of [0.01, 0.25, 0.5, 0.75, 0.99]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share))
      await expect(inspectImage(cut)).rejects.toMatchObject({ code: 'unsupported_image' })
    }
    await expect(inspectImage(whole.subarray(0, -1))).rejects.toMatchObject({ code: 'unsupported_image' })
  })
})

/** The same file with other dimensions in its header. */
function claimSize(bytes: Buffer, format: 'png' | 'webp' | 'avif', side: number): Buffer {
  const claiming = Buffer.from(bytes)
  if (format === 'png') {
    claiming.writeUInt32BE(side, 16)
    claiming.writeUInt32BE(side, 20)
    claiming.writeUInt32BE(crc32(claiming.subarray(12, 29)), 29)
  } else if (format === 'webp') {
    // VP8L: 14 bits each of width - 1 and height - 1 behind the signature byte; the rest of the word stays.
    const at = claiming.indexOf('VP8L') + 9
    const kept = claiming.readUInt32LE(at) & 0xf000_0000
    claiming.writeUInt32LE((kept | ((side - 1) << 14) | (side - 1)) >>> 0, at)
  } else {
    const at = claiming.indexOf('ispe') + 8
    claiming.writeUInt32BE(side, at)
    claiming.writeUInt32BE(side, at + 4)
  }
  return claiming
}
