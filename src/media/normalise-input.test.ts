import { getEventListeners } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, gunzipSync, gzipSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import type { ImageMediaType } from './image-format.ts'
import { inspectImage } from './inspect-image.ts'
import { type NormaliseOptions, normaliseInput } from './normalise-input.ts'

const folder = mkdtempSync(join(tmpdir(), 'gesso-normalise-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const newPath = () => join(folder, crypto.randomUUID())

const common: ImageMediaType[] = ['image/png', 'image/jpeg', 'image/webp']
const formats = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const

function noise(width = 120, height = 80) {
  const gaussian = { type: 'gaussian', mean: 128, sigma: 40 } as const
  return sharp({ create: { width, height, channels: 3, background: 'red', noise: gaussian } })
}

/** The picture as a provider sees it, from memory and from a file, which must be the same. */
async function normalise(bytes: Buffer, options: Partial<NormaliseOptions> = {}) {
  const path = newPath()
  writeFileSync(path, bytes)
  const results = []
  for (const source of [bytes, { path }]) {
    const targetPath = newPath()
    const { info, rewritten } = await normaliseInput(source, { mediaTypes: common, targetPath, ...options })
    expect(existsSync(targetPath)).toBe(rewritten)
    results.push({ info, rewritten, bytes: rewritten ? readFileSync(targetPath) : bytes })
  }
  const [result] = results
  if (!result) throw new Error('nothing was normalised')
  expect(results[1]).toEqual(result)
  expect(readFileSync(path).equals(bytes)).toBe(true)
  expect(await inspectImage(result.bytes)).toEqual(result.info)
  return result
}

async function expectRefused(
  bytes: Buffer,
  message: string | RegExp,
  options: Partial<NormaliseOptions> = {},
) {
  const path = newPath()
  writeFileSync(path, bytes)
  for (const source of [bytes, { path }]) {
    const targetPath = newPath()
    await expect(
      normaliseInput(source, { mediaTypes: common, targetPath, param: 'image[0]', ...options }),
    ).rejects.toMatchObject({
      code: 'unsupported_image',
      attribution: 'client',
      param: 'image[0]',
      message: expect.stringMatching(message),
    })
    expect(existsSync(targetPath)).toBe(false)
  }
}

const privateExif = {
  IFD0: { Artist: 'Ada Owner', Software: 'PhoneCamera' },
  IFD3: { GPSLatitude: '51/1 30/1 0/1', GPSLatitudeRef: 'N' },
}
const privateWords = ['Ada Owner', 'PhoneCamera', 'Exif', 'GPS', 'secret place', '<x:xmpmeta', 'rdf:RDF']
const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>secret place</rdf:RDF></x:xmpmeta>'

async function expectClean(bytes: Buffer) {
  for (const word of privateWords) expect(bytes.includes(word)).toBe(false)
  const { exif, xmp, iptc, comments, orientation } = await sharp(bytes).metadata()
  expect({ exif, xmp, iptc, comments, orientation }).toEqual({})
}

const pixels = (bytes: Buffer) => sharp(bytes).raw().toBuffer()

describe('normaliseInput', () => {
  test.each(['png', 'jpeg', 'webp'] as const)(
    'leaves a clean %s that the provider takes as it is',
    async (format) => {
      const bytes = await noise().toFormat(format).toBuffer()
      const { rewritten, info } = await normalise(bytes, { mediaTypes: [`image/${format}`], maxEdge: 120 })
      expect(rewritten).toBe(false)
      expect(info).toMatchObject({ format, width: 120, height: 80 })
    },
  )

  test.each(['png', 'jpeg', 'webp'] as const)('strips a %s without touching a pixel', async (format) => {
    const bytes = await noise().toFormat(format).withExif(privateExif).withXmp(xmp).toBuffer()
    const result = await normalise(bytes)
    expect(result).toMatchObject({ rewritten: true, info: { format } })
    await expectClean(result.bytes)
    expect(await pixels(result.bytes)).toEqual(await pixels(bytes))
  })

  test('a photograph with a place, held sideways, comes out upright and without either', async () => {
    const halves = sharp({ create: { width: 120, height: 80, channels: 3, background: 'white' } }).composite([
      { input: { create: { width: 40, height: 80, channels: 3, background: 'black' } }, left: 0, top: 0 },
    ])
    const bytes = await halves
      .jpeg({ quality: 95 })
      .withExif(privateExif)
      .withXmp(xmp)
      .withMetadata({ orientation: 6 })
      .toBuffer()
    expect(bytes.includes('Exif')).toBe(true)
    const result = await normalise(bytes)
    expect(result.info).toMatchObject({ format: 'jpeg', width: 80, height: 120 })
    await expectClean(result.bytes)
    const { data } = await sharp(result.bytes).raw().toBuffer({ resolveWithObject: true })
    // Turned by a quarter clockwise, what was left is above.
    expect(data[(10 * 80 + 40) * 3]).toBeLessThan(10)
    expect(data[(100 * 80 + 40) * 3]).toBeGreaterThan(245)
    expect((await sharp(result.bytes).metadata()).chromaSubsampling).toBe('4:4:4')
  })

  test.each([
    ['gif', ['image/png'], 'png'],
    ['avif', common, 'png'],
    ['webp', ['image/png', 'image/jpeg'], 'png'],
    ['jpeg', ['image/png'], 'png'],
    ['png', ['image/webp'], 'webp'],
    ['avif', ['image/webp', 'image/jpeg'], 'webp'],
  ] as const)(
    'turns a %s for a provider of %j into %s, transparency included',
    async (format, mediaTypes, expected) => {
      const clear = sharp({
        create: { width: 40, height: 30, channels: 4, background: { r: 9, g: 99, b: 199, alpha: 0 } },
      })
      const bytes = await clear.toFormat(format, { lossless: true }).toBuffer()
      const result = await normalise(bytes, { mediaTypes })
      expect(result.info).toMatchObject({
        format: expected,
        width: 40,
        height: 30,
        hasAlpha: format !== 'jpeg',
      })
      if (format !== 'jpeg') expect((await pixels(result.bytes))[3]).toBe(0)
      const opaque = await noise().toFormat(format).toBuffer()
      const { bytes: converted } = await normalise(opaque, { mediaTypes })
      expect(await pixels(converted)).toEqual(await sharp(opaque).removeAlpha().raw().toBuffer())
    },
  )

  test.each([
    ['jpeg', 'jpeg'],
    ['png', 'png'],
    ['webp', 'png'],
  ] as const)('scales a large %s down in proportion', async (format, expected) => {
    const { info } = await normalise(await noise(1000, 500).toFormat(format).toBuffer(), { maxEdge: 300 })
    expect(info).toMatchObject({ format: expected, width: 300, height: 150 })
  })

  test('measures the edge of the upright picture, and never enlarges', async () => {
    const sideways = await noise(400, 100).jpeg().withMetadata({ orientation: 8 }).toBuffer()
    expect((await normalise(sideways, { maxEdge: 200 })).info).toMatchObject({ width: 50, height: 200 })
    expect((await normalise(sideways, { maxEdge: 2_000 })).info).toMatchObject({ width: 100, height: 400 })
  })

  test('brings a mask to the size of its picture, each pixel still all or nothing', async () => {
    const hole =
      '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"><path d="M0 0h233v200H0z"/></svg>'
    const mask = await sharp(Buffer.from(hole)).png().toBuffer()
    const { info, bytes } = await normalise(mask, { fit: { width: 150, height: 75 }, maxEdge: 150 })
    expect(info).toMatchObject({ width: 150, height: 75, hasAlpha: true })
    const alphas = new Set((await pixels(bytes)).filter((_, i) => i % 4 === 3))
    expect([...alphas].sort()).toEqual([0, 255])
    expect((await normalise(mask, { fit: { width: 400, height: 200 } })).rewritten).toBe(false)
  })

  test('turns the transparency of a mask into white, and all else into black', async () => {
    const size = { width: 8, height: 4 }
    const clear = { create: { width: 4, height: 4, channels: 4 as const, background: '#00ff00ff' } }
    const mask = await sharp({ create: { ...size, channels: 4, background: '#ff0000ff' } })
      .composite([{ input: clear, left: 0, top: 0, blend: 'dest-out' }])
      .png()
      .toBuffer()
    const { info, bytes } = await normalise(mask, { maskToWhite: true })
    expect(info).toMatchObject({ ...size, format: 'png', hasAlpha: false })
    const pixels = await sharp(bytes).greyscale().raw().toBuffer()
    expect([...pixels.subarray(0, 8)]).toEqual([255, 255, 255, 255, 0, 0, 0, 0])
  })

  test('shows colours as they were where it writes anew', async () => {
    const wide = await sharp({
      create: { width: 40, height: 40, channels: 3, background: { r: 200, g: 40, b: 30 } },
    })
      .withIccProfile('p3')
      .png()
      .toBuffer()
    const inP3 = await sharp(wide, { ignoreIcc: true }).raw().toBuffer()
    expect(inP3[0]).not.toBe(200)
    const { bytes } = await normalise(wide, { maxEdge: 20 })
    const [red = 0, green = 0, blue = 0] = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer()
    expect(Math.abs(red - 200) + Math.abs(green - 40) + Math.abs(blue - 30)).toBeLessThan(8)
    expect((await sharp(bytes).metadata()).icc).toBeUndefined()
  })

  test.each(formats)('lets nothing through that stands behind the end of a %s', async (format) => {
    const bytes = await noise().toFormat(format).toBuffer()
    const trailing = Buffer.concat([bytes, Buffer.from('secret place')])
    const result = await normalise(trailing, { mediaTypes: [`image/${format}`, 'image/png'] })
    expect(result.rewritten).toBe(true)
    await expectClean(result.bytes)
  })

  test.each([
    ['gif', 'a comment', (bytes: Buffer) => insert(bytes, bytes.length - 1, '\x21\xfe\x0csecret place\0')],
    [
      'gif',
      'XMP',
      (bytes: Buffer) => insert(bytes, bytes.length - 1, '\x21\xff\x0bXMP DataXMP\x0csecret place\0'),
    ],
    ['avif', 'EXIF', (bytes: Buffer) => sharp(bytes).keepExif().withExif(privateExif).avif().toBuffer()],
  ] as const)('writes a %s anew that has %s', async (format, _, hide) => {
    const bytes = await hide(await noise().toFormat(format).toBuffer())
    const result = await normalise(bytes, { mediaTypes: [`image/${format}`, 'image/png'] })
    expect(result.info.format).toBe('png')
    await expectClean(result.bytes)
  })

  test('the same input and options give the same bytes', async () => {
    const bytes = await noise(300, 300).jpeg().withMetadata({ orientation: 3 }).toBuffer()
    const first = await normalise(bytes, { maxEdge: 200 })
    expect(await normalise(bytes, { maxEdge: 200 })).toEqual(first)
  })
})

describe('normaliseInput refuses, naming the field,', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
  test.each([
    ['an SVG document', Buffer.from(svg)],
    ['gzip-compressed data', gzipSync(svg)],
    ['an HTML document', Buffer.from('<!doctype html><img src="x">')],
    ['a PDF document', Buffer.from('%PDF-1.7\n')],
    ['a TIFF picture', Buffer.from('II*\0\x08\0\0\0', 'latin1')],
    ['a HEIC picture', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')],
    ['a video', Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0isommp42', 'latin1')],
    ['an icon file', Buffer.from([0, 0, 1, 0, 1, 0])],
    ['a ZIP archive', Buffer.from('PK\x03\x04aaaa')],
    ['empty', Buffer.alloc(0)],
    ['of an unknown format', Buffer.from([0x89])],
  ])('what is %s', async (nature, bytes) => {
    await expectRefused(bytes, `The image is ${nature}. Allowed are PNG, JPEG, WebP, GIF and AVIF.`)
  })

  test.each(formats)('a %s that was cut short anywhere', async (format) => {
    const whole = await noise(160, 120).toFormat(format).toBuffer()
    for (const share of [0.25, 0.5, 0.75]) {
      await expectRefused(
        whole.subarray(0, Math.floor(whole.length * share)),
        /damaged|incomplete|unknown format/,
      )
    }
    await expectRefused(whole.subarray(0, -1), /damaged|incomplete/)
  })

  test.each([
    ['gif-3000-frames', 'animated, with 3000 frames'],
    ['webp-lossless-10000x10000', '100.0 megapixels'],
    ['png-16000x16000', '256.0 megapixels'],
    ['png-30000x30000', '900.0 megapixels'],
  ])('the bomb %s', async (name, reason) => {
    const path = join(import.meta.dirname, '__fixtures__/bombs', `${name}.gz`)
    await expectRefused(gunzipSync(readFileSync(path)), reason, { maxEdge: 100 })
  })

  test('an animated PNG, of which the decoder sees one frame only', async () => {
    const still = await noise().png().toBuffer()
    const control = Buffer.from('\0\0\0\x08acTL\0\0\0\x05\0\0\0\0\0\0\0\0', 'latin1')
    control.writeUInt32BE(crc32(control.subarray(4, 16)), 16)
    // Behind the signature and the header chunk.
    await expectRefused(insert(still, 33, control), 'is animated, with 5 frames')
  })

  test('more pixels than the limits it was given', async () => {
    const limits = { maxEdge: 100 }
    await expectRefused(await noise(120, 80).png().toBuffer(), 'Allowed are 100 pixels', { limits })
  })

  test('damage that only decoding shows, and leaves no file', async () => {
    const damaged = Buffer.from(await noise(400, 400).png().toBuffer())
    damaged.fill(0, damaged.length >> 1, (damaged.length >> 1) + 50)
    await expectRefused(damaged, 'cannot be decoded: the png file is damaged', { maxEdge: 100 })
  })
})

test('ten large pictures at once are not in memory at once', async () => {
  const large = async (make: (picture: Sharp) => Sharp) => {
    const path = newPath()
    await make(sharp({ create: { width: 4096, height: 4096, channels: 3, background: 'teal' } }))
      .png({ compressionLevel: 0 })
      .toFile(path)
    return path
  }
  const withPlace = await large((picture) => picture.withExif(privateExif))
  const wide = await large((picture) => picture)
  expect(statSync(withPlace).size).toBeGreaterThan(50_000_000)
  const before = process.memoryUsage.rss()
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss() - before)
  }, 5)
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      normaliseInput(
        { path: i < 7 ? withPlace : wide },
        { mediaTypes: common, targetPath: newPath(), maxEdge: i < 7 ? undefined : 1_024 },
      ),
    ),
  )
  clearInterval(watch)
  expect(results.every((one) => one.rewritten)).toBe(true)
  expect(most).toBeLessThan(300_000_000)
})

test('a stop ends those at work and those that wait, and leaves no file', async () => {
  const path = newPath()
  await sharp({ create: { width: 4000, height: 4000, channels: 3, background: 'teal' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toFile(path)
  const stop = new AbortController()
  const targets = Array.from({ length: 6 }, newPath)
  const all = Promise.allSettled(
    targets.map((targetPath) =>
      normaliseInput({ path }, { mediaTypes: common, targetPath, signal: stop.signal }),
    ),
  )
  // The first two are being written.
  await expect.poll(() => targets.filter((target) => existsSync(target)).length).toBeGreaterThan(0)
  stop.abort(new Error('no more time'))
  const outcomes = await all
  expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(3)
  for (const [index, outcome] of outcomes.entries()) {
    expect(existsSync(targets[index] ?? '')).toBe(outcome.status === 'fulfilled')
    if (outcome.status === 'rejected') expect(outcome.reason).toBe(stop.signal.reason)
  }
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  const targetPath = newPath()
  expect((await normaliseInput({ path }, { mediaTypes: common, targetPath })).rewritten).toBe(true)
})

function insert(bytes: Buffer, at: number, what: string | Buffer): Buffer {
  const inserted = typeof what === 'string' ? Buffer.from(what, 'latin1') : what
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])
}
