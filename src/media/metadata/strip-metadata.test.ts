import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { findImageEnd } from '../cut-after-image-end.ts'
import { inspectImage } from '../inspect-image.ts'
import { stripMetadata } from './strip-metadata.ts'
import { pictureKinds, pixelsOf, privateWords, scene, tagged } from './testing/tagged-pictures.ts'

const strippedKinds = pictureKinds.filter(([, format]) => format !== 'gif' && format !== 'avif')
const FIFTY_MEGABYTES = 50_000_000

describe('stripMetadata', () => {
  test.each(strippedKinds)(
    'takes owner, place and orientation from a %s, not its pixels',
    async (_, format, make) => {
      const before = await tagged(make(), 6).toBuffer()
      expect(privateWords.filter((word) => before.includes(word))).toContain('Erika Mustermann')
      const after = Buffer.concat(stripMetadata(before) ?? [])

      expect(privateWords.filter((word) => after.includes(word))).toEqual([])
      const { exif, xmp, orientation, icc } = await sharp(after).metadata()
      expect({ exif, xmp, orientation }).toEqual({ exif: undefined, xmp: undefined, orientation: undefined })
      expect(icc).toEqual((await sharp(before).metadata()).icc)
      expect((await pixelsOf(after)).equals(await pixelsOf(before))).toBe(true)
      expect(findImageEnd(after, format)).toBe(after.length)
      await inspectImage(after, { limits: { maxFrames: 5 } })
      expect(stripMetadata(after)).toBeUndefined()
    },
  )

  test.each(strippedKinds)('has nothing to do where a %s is bare or cut short', async (_, _format, make) => {
    const bare = await make().toBuffer()
    expect(stripMetadata(bare)).toBeUndefined()
    const whole = await tagged(make()).toBuffer()
    for (let length = 0; length < whole.length; length += length < 900 ? 1 : 41) {
      expect(stripMetadata(whole.subarray(0, length))).toBeUndefined()
    }
  })

  test('clears the marks for EXIF and XMP in the header of a WebP, and only those', async () => {
    const before = await tagged(scene(4).webp()).toBuffer()
    const after = Buffer.concat(stripMetadata(before) ?? [])
    expect(before[20]).toBe(0x20 | 0x10 | 0x08 | 0x04)
    expect(after[20]).toBe(0x20 | 0x10)
    expect(after.readUInt32LE(4)).toBe(after.length - 8)
  })

  test('takes what follows the end, and thumbnails inside a JPEG', async () => {
    for (const [, , make] of strippedKinds) {
      const bare = await make().toBuffer()
      const stripped = stripMetadata(Buffer.concat([bare, Buffer.from('private tail'), bare]))
      expect(Buffer.concat(stripped ?? []).equals(bare)).toBe(true)
    }
    const jpeg = await scene(3).jpeg().toBuffer()
    const thumbnail = Buffer.from('\xff\xe0\0\x17JFIF\0\x01\x02\0\0\x01\0\x01\x01\x02private', 'latin1')
    const jfxx = Buffer.from('\xff\xe0\0\x0eJFXX\0private', 'latin1')
    const busy = Buffer.concat([jpeg.subarray(0, 2), thumbnail, jfxx, jpeg.subarray(2)])
    const after = Buffer.concat(stripMetadata(busy) ?? [])
    expect(after.includes('private')).toBe(false)
    expect((await pixelsOf(after)).equals(await pixelsOf(jpeg))).toBe(true)
  })

  test('leaves other formats alone', async () => {
    for (const [, , make] of pictureKinds.filter(([, format]) => format === 'gif' || format === 'avif')) {
      expect(stripMetadata(await tagged(make()).toBuffer())).toBeUndefined()
    }
    expect(stripMetadata(Buffer.from('<svg/>'))).toBeUndefined()
    expect(stripMetadata(Buffer.alloc(0))).toBeUndefined()
  })

  test('does not copy fifty megabytes in 6,000 pieces, and takes a bounded time', async () => {
    const png = bigPng(6_000, FIFTY_MEGABYTES / 6_000)
    const startedAt = performance.now()
    const pieces = stripMetadata(png) ?? []
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(pieces).toHaveLength(2)
    expect(pieces.every((piece) => piece.buffer === png.buffer)).toBe(true)
    expect(Buffer.concat(pieces).includes('private')).toBe(false)
  })

  test('takes a bounded time for bytes made to be slow', async () => {
    // What were quadratic would take hours.
    const sizeBytes = 10_000_000
    const startedAt = performance.now()
    for (const filling of [
      '\xff',
      '\xff\x00',
      '\x00',
      '\xff\xd0',
      '\xff\xfe\x00\x02',
      '\xff\xda\x00\x02\x01',
    ]) {
      const jpeg = Buffer.alloc(sizeBytes, filling, 'latin1')
      jpeg.write('\xff\xd8\xff\xda\x00\x02', 'latin1')
      jpeg.write('\xff\xd9', sizeBytes - 2, 'latin1')
      stripMetadata(jpeg)
    }
    stripMetadata(bigPng(800_000, 0))
    stripMetadata(bigPng(20_000, 400, 'tEXt'))
    const webp = Buffer.alloc(sizeBytes, 'memo\0\0\0\0')
    webp.write('RIFF\0\0\0\0WEBP')
    webp.writeUInt32LE(sizeBytes - 8, 4)
    stripMetadata(webp)
    expect(performance.now() - startedAt).toBeLessThan(15_000)
  })

  test('joins very many stretches into one piece', () => {
    const pieces = stripMetadata(bigPng(5_000, 10, 'tEXt')) ?? []
    expect(pieces).toHaveLength(1)
    expect(pieces[0]?.includes('tEXt')).toBe(false)
  })
})

/** A PNG of many IDAT chunks, one text chunk in their midst, or one after each of them. */
function bigPng(chunks: number, chunkBytes: number, between?: string): Buffer {
  const header = Buffer.from(
    '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\0\0\0\0',
    'latin1',
  )
  const dataBytes = Math.floor(chunkBytes)
  const chunk = Buffer.alloc(12 + dataBytes)
  chunk.writeUInt32BE(dataBytes)
  chunk.write('IDAT', 4)
  const text = Buffer.from('\0\0\0\x09tEXtprivate\0.\0\0\0\0', 'latin1')
  const unit = between ? Buffer.concat([chunk, text]) : chunk
  const half = Buffer.alloc((chunks / 2) * unit.length, unit)
  return Buffer.concat([header, half, text, half, Buffer.from('\0\0\0\0IEND\xaeB`\x82', 'latin1')])
}
