import { crc32 } from 'node:zlib'
import { load } from 'exifreader'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { findImageEnd } from '../cut-after-image-end.ts'
import type { ImageFormat } from '../image-format.ts'
import { inspectImage } from '../inspect-image.ts'
import { provenanceXmp } from './provenance.ts'
import { pictureKinds, pixelsOf, privateWords, scene, tagged } from './testing/tagged-pictures.ts'
import { writeXmp } from './write-xmp.ts'

const sourceType = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'
const xmp = provenanceXmp({
  digitalSourceType: 'trainedAlgorithmicMedia',
  model: 'gpt-image-1',
  taskId: 'task_01',
  prompt: 'a fox <in> the "snow" 🦊',
})

describe('writeXmp', () => {
  describe.each(pictureKinds)('into a %s', (_, format, make) => {
    test.each(['bare', 'tagged', 'tagged and turned'])(
      '%s: is read back, and the picture is the same',
      async (how) => {
        const picture = how === 'bare' ? make() : tagged(make(), how === 'tagged' ? 1 : 6)
        const before = await picture.toBuffer()
        const after = write(before, format)

        expect(readXmp(after, format).toString()).toContain(sourceType)
        if (format !== 'gif') {
          expect(load(after).DigitalSourceType?.value).toBe(sourceType)
          expect((await sharp(after).metadata()).xmp).toEqual(xmp)
        }
        expect((await pixelsOf(after)).equals(await pixelsOf(before))).toBe(true)
        expect(await looksOf(after)).toEqual(await looksOf(before))
        expect(findImageEnd(after, format)).toBe(after.length)
        const limits = { maxFrames: 5 }
        expect(await inspectImage(after, { limits })).toEqual(await inspectImage(before, { limits }))
        for (const word of privateWords) expect(after.includes(word)).toBe(false)
        expect(write(after, format).equals(after)).toBe(true)
      },
    )
  })

  test.each(['png', 'jpeg', 'webp'] as const)(
    'keeps no EXIF in a %s but an orientation that turns it',
    async (format) => {
      for (let orientation = 1; orientation <= 8; orientation++) {
        const before = await tagged(scene(3).toFormat(format), orientation).toBuffer()
        const { exif, orientation: kept } = await sharp(write(before, format)).metadata()
        if (orientation === 1) expect(exif).toBeUndefined()
        else expect([kept, exif && exif.length <= 32]).toEqual([orientation, true])
      }
    },
  )

  test('leaves nothing in a PNG but the picture, its colours and its animation', async () => {
    const png = await scene(4).png().withIccProfile('p3').toBuffer()
    const frame = Buffer.alloc(26)
    const dropped = ['tEXt', 'zTXt', 'tIME', 'caBX', 'iDOT', 'prVt', 'dSIG']
    const kept = ['gAMA', 'sBIT', 'bKGD', 'cICP', 'acTL', 'fcTL']
    const busy = insert(png, 33, ...[...dropped, ...kept].map((type) => pngChunk(type, frame)))
    const types = pngTypes(write(busy, 'png'))
    expect(types.filter((type) => [...dropped, ...kept].includes(type))).toEqual(kept)
    expect(types.indexOf('iTXt')).toBeLessThan(types.indexOf('IDAT'))
    expect(types).toContain('iCCP')
  })

  test('leaves nothing in a JPEG but the picture and its colours, wherever it stands', async () => {
    const jpeg = await scene(3).jpeg({ progressive: true }).withIccProfile('p3').toBuffer()
    const comment = Buffer.from('\xff\xfe\0\x0dprivate: 01', 'latin1')
    const jumbf = Buffer.from('\xff\xeb\0\x0dprivate: 02', 'latin1')
    const iptc = Buffer.from('\xff\xff\xff\xed\0\x0dprivate: 03', 'latin1')
    const jfxx = Buffer.from('\xff\xe0\0\x10JFXX\0private:4', 'latin1')
    const thumbnail = Buffer.from('\xff\xe0\0\x19JFIF\0\x01\x02\0\0\x01\0\x01\x03\x01private:5', 'latin1')
    // Between two scans and behind the end, too.
    const secondScan = jpeg.lastIndexOf(Buffer.from('\xff\xda', 'latin1'))
    const inScans = insert(jpeg, secondScan, comment)
    const busy = insert(Buffer.concat([inScans, jpeg]), 2, comment, jumbf, iptc, jfxx, thumbnail)
    const after = write(busy, 'jpeg')
    expect(after.includes('private')).toBe(false)
    expect(after.includes('JFXX')).toBe(false)
    expect(after.indexOf('http://ns.adobe.com/xap/1.0/')).toBe(24)
    expect((await sharp(after).metadata()).icc).toBeDefined()
    expect((await pixelsOf(after)).equals(await pixelsOf(jpeg))).toBe(true)
  })

  test('leaves nothing in a WebP but the picture, its colours and its animation', async () => {
    const webp = await tagged(scene(4).webp()).toBuffer()
    const busy = Buffer.concat([webp, riffChunk('C2PA', 'private'), riffChunk('memo', 'private')])
    busy.writeUInt32LE(busy.length - 8, 4)
    const after = write(busy, 'webp')
    expect(after.includes('private')).toBe(false)
    expect(after).toEqual(write(webp, 'webp'))
  })

  test('leaves nothing in a GIF but the picture and its loop', async () => {
    const gif = await scene(4, 16, 32).gif({ loop: 3 }).toBuffer()
    const loopAt = gif.indexOf('NETSCAPE2.0') - 3
    const comment = Buffer.from('\x21\xfe\x07private\0', 'latin1')
    const application = Buffer.from('\x21\xff\x0bMGKIPTC0000\x07private\0', 'latin1')
    const busy = insert(gif, loopAt, comment, application)
    expect(await looksOf(busy)).toEqual(await looksOf(gif))
    expect(write(busy, 'gif')).toEqual(write(gif, 'gif'))
    expect(write(busy, 'gif').includes('private')).toBe(false)
  })

  test('drops what follows the end of a picture', async () => {
    for (const [, format, make] of pictureKinds) {
      const picture = await make().toBuffer()
      const tail = Buffer.from('PK\x03\x04 private: a tail that is long enough')
      expect(write(Buffer.concat([picture, tail]), format).equals(write(picture, format))).toBe(true)
    }
  })

  test('shares the memory of the picture instead of copying it', async () => {
    for (const [, format, make] of pictureKinds) {
      const before = await make().toBuffer()
      const shared = writeXmp(before, format, xmp).filter((piece) => piece.buffer === before.buffer)
      const sharedBytes = shared.reduce((sum, piece) => sum + piece.length, 0)
      expect(sharedBytes).toBeGreaterThan(before.length - (format === 'avif' ? 700 : 40))
    }
  })

  test('gives files back as they were that are cut short anywhere, or of another format', async () => {
    for (const [, format, make] of pictureKinds) {
      const whole = await tagged(make()).toBuffer()
      for (let length = 0; length < whole.length; length += length < 1_000 ? 1 : 37) {
        const cut = whole.subarray(0, length)
        expect(writeXmp(cut, format, xmp)[0]).toBe(cut)
      }
      for (const other of ['png', 'jpeg', 'webp', 'gif', 'avif'] as const) {
        if (other !== format) expect(writeXmp(whole, other, xmp)).toEqual([whole])
      }
    }
  })

  test('gives a file back as it was where the packet does not fit into its format', async () => {
    const jpeg = await scene(3).jpeg().toBuffer()
    expect(writeXmp(jpeg, 'jpeg', Buffer.alloc(65_503, 'x'))).toEqual([jpeg])
    const gif = await scene(3).gif().toBuffer()
    expect(writeXmp(gif, 'gif', Buffer.from('a\0b'))).toEqual([gif])
  })

  // 120 for each format: those of PNG, say, are shared by its five kinds.
  test.each(pictureKinds)(
    'survives damage to a %s, and what still shows shows the same',
    async (_, format, make) => {
      const whole = await tagged(make(), 6).toBuffer()
      const rounds = Math.ceil(120 / pictureKinds.filter(([, other]) => other === format).length)
      const random = seededRandom(rounds)
      for (let round = 0; round < rounds; round++) {
        const damaged = damage(whole, random)
        const pieces = writeXmp(damaged, format, xmp)
        if (pieces[0] === damaged) continue
        const before = await pixelsOf(damaged).catch(() => null)
        if (before) expect((await pixelsOf(Buffer.concat(pieces))).equals(before)).toBe(true)
      }
    },
  )
})

function write(bytes: Buffer, format: ImageFormat): Buffer {
  return Buffer.concat(writeXmp(bytes, format, xmp))
}

/** No reader here knows XMP in a GIF: it stands between its name and the 258 bytes that end it. */
function readXmp(bytes: Buffer, format: ImageFormat): Buffer {
  if (format !== 'gif') return bytes
  const start = bytes.indexOf('\x21\xff\x0bXMP DataXMP', 0, 'latin1') + 14
  return bytes.subarray(start, bytes.indexOf(Buffer.from([0x01, 0xff, 0xfe, 0xfd]), start))
}

/** What a viewer knows of a picture beside its samples. */
async function looksOf(bytes: Buffer) {
  const {
    size,
    exif,
    xmp,
    xmpAsString,
    iptc,
    orientation = 1,
    comments,
    ...looks
  } = await sharp(bytes).metadata()
  // Without EXIF nobody says in what unit the density is.
  return { ...looks, orientation, density: undefined, resolutionUnit: undefined }
}

function insert(bytes: Buffer, at: number, ...added: Buffer[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), ...added, bytes.subarray(at)])
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const framed = Buffer.concat([Buffer.alloc(4), body, Buffer.alloc(4)])
  framed.writeUInt32BE(data.length, 0)
  framed.writeUInt32BE(crc32(body), framed.length - 4)
  return framed
}

function pngTypes(png: Buffer): string[] {
  const types: string[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    types.push(png.toString('latin1', at + 4, at + 8))
  return types
}

function riffChunk(type: string, text: string): Buffer {
  const chunk = Buffer.from(`${type}\0\0\0\0${text}${text.length % 2 ? '\0' : ''}`)
  chunk.writeUInt32LE(text.length, 4)
  return chunk
}

/** One to three changes: a byte, a run of bytes, bytes too many or too few, a length. */
function damage(bytes: Buffer, random: (below: number) => number): Buffer {
  let damaged: Buffer = Buffer.from(bytes)
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = random(damaged.length)
    const kind = random(5)
    if (kind === 0) damaged[at] = random(256)
    else if (kind === 1) damaged.fill(random(2) * 255, at, Math.min(at + random(16), damaged.length))
    else if (kind === 2) damaged = insert(damaged, at, Buffer.alloc(1 + random(8), random(256)))
    else if (kind === 3)
      damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + 1 + random(8))])
    else if (at + 4 <= damaged.length)
      damaged.writeUInt32BE(random(2) ? random(64) : 0xffff_ffff - random(64), at)
  }
  return damaged
}

/** A small linear congruential generator: the same numbers on every run. */
function seededRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
