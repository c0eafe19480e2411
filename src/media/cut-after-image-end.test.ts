import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { cutAfterImageEnd } from './cut-after-image-end.ts'

const formats = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const
const tails = [
  '<script>alert(1)</script>PK\x03\x04',
  '\x00',
  '\xff\xd9',
  'IEND',
  '\x00\x00\x00\x00IEND\xae\x42\x60\x82',
  ';',
]

function noise() {
  return sharp({
    create: {
      width: 90,
      height: 70,
      channels: 3,
      background: 'red',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
}

describe('cutAfterImageEnd', () => {
  test.each(formats)('keeps every byte of a %s and none behind it', async (format) => {
    const picture = await noise().toFormat(format).toBuffer()
    expect(cutAfterImageEnd(picture)).toEqual(picture)
    for (const tail of tails) {
      const polyglot = Buffer.concat([picture, Buffer.from(tail, 'latin1')])
      expect(cutAfterImageEnd(polyglot).equals(picture)).toBe(true)
    }
  })

  test.each([
    ['progressive jpeg', () => noise().jpeg({ progressive: true })],
    ['jpeg with metadata', () => noise().jpeg().withMetadata({ density: 300 })],
    ['interlaced png', () => noise().png({ progressive: true })],
    ['lossless webp', () => noise().webp({ lossless: true })],
    ['transparent webp', () => noise().ensureAlpha(0.5).webp()],
  ])('finds the end of a %s', async (_, make) => {
    const picture = await make().toBuffer()
    const polyglot = Buffer.concat([picture, Buffer.from('tail')])
    expect(cutAfterImageEnd(polyglot).equals(picture)).toBe(true)
  })

  test('shares the memory of the picture instead of copying it', async () => {
    const polyglot = Buffer.concat([await noise().png().toBuffer(), Buffer.from('tail')])
    expect(cutAfterImageEnd(polyglot).buffer).toBe(polyglot.buffer)
  })

  test('leaves what is cut short, or no picture, as it is', async () => {
    for (const format of formats) {
      const picture = await noise().toFormat(format).toBuffer()
      for (const length of [picture.length - 1, picture.length >> 1, 20, 12, 9, 1]) {
        expect(cutAfterImageEnd(picture.subarray(0, length))).toHaveLength(length)
      }
    }
    expect(cutAfterImageEnd(Buffer.from('<html>'))).toHaveLength(6)
  })

  test('takes a bounded time for bytes made to be slow', () => {
    const sizeBytes = 20_000_000
    const startedAt = performance.now()
    for (const filling of ['\xff', '\xff\x00', '\x00']) {
      const jpeg = Buffer.alloc(sizeBytes, filling, 'latin1')
      jpeg.write('\xff\xd8\xff\xda\x00\x02', 'latin1')
      cutAfterImageEnd(jpeg)
    }
    const gif = Buffer.alloc(sizeBytes, '\x01')
    gif.write('GIF89a\x01\x00\x01\x00\x00\x00\x00!\xf9', 'latin1')
    cutAfterImageEnd(gif)
    const png = Buffer.alloc(sizeBytes)
    png.write('\x89PNG\r\n\x1a\n', 'latin1')
    cutAfterImageEnd(png)
    expect(performance.now() - startedAt).toBeLessThan(15_000)
  })
})
