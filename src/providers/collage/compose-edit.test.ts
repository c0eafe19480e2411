import sharp, { type Sharp } from 'sharp'
import { describe, expect, test } from 'vitest'
import { draw, inputOf, pixelsOf, plain, plainBytes, SMALL } from './testing/draw.ts'

const isRed = (r: number, g: number, b: number) => r > 170 && g < 90 && b < 90

describe('edits', () => {
  test('the first picture becomes the scene and the subject is drawn on it', async () => {
    const pixels = await pixelsOf(await draw('a red balloon', { images: [await plain('#2040c0')] }))
    expect(pixels.at(2, 2)).toEqual([0x20, 0x40, 0xc0, 255])
    expect(pixels.share(isRed)).toBeGreaterThan(0.01)
  })

  test.each(['png', 'jpeg'] as const)('a picture in %s can be edited', async (format) => {
    const bytes = await sharp(await plainBytes('#2040c0'))
      .toFormat(format)
      .toBuffer()
    const images = [await inputOf(bytes, `image/${format}`)]
    const pixels = await pixelsOf(await draw('a red balloon', { images }))
    const [r, g, b] = pixels.at(2, 2)
    expect(Math.max(Math.abs(r - 0x20), Math.abs(g - 0x40), Math.abs(b - 0xc0))).toBeLessThan(8)
  })

  test.each(['webp', 'gif', 'avif'] as const)('a picture in %s is refused, not left out', async (format) => {
    const image = { ...(await plain('#2040c0')), mediaType: `image/${format}` as const }
    await expect(draw('a red balloon', { images: [image] })).rejects.toMatchObject({
      code: 'unsupported_image',
      dispatched: 'no',
    })
  })

  test('"black and white" takes the colour out of the picture', async () => {
    const pixels = await pixelsOf(await draw('black and white', { images: [await plain('#2040c0')] }))
    expect(pixels.share((r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) < 4)).toBe(1)
  })

  test.each(['qwx zzy', 'make it night', 'let it snow'])(
    'an edit that names no piece (%j) still changes the picture',
    async (prompt) => {
      const pixels = await pixelsOf(await draw(prompt, { images: [await plain('#2040c0')] }))
      expect(
        pixels.share((r, g, b) => Math.abs(r - 0x20) + Math.abs(g - 0x40) + Math.abs(b - 0xc0) > 20),
      ).toBeGreaterThan(0.01)
    },
  )

  test('marks drawn over the picture lie on it, under what is added', async () => {
    const { width, height } = await plain('#2040c0')
    const mark = { create: { width: 8, height: 8, channels: 4 as const, background: '#00ff00' } }
    const clear = { r: 0, g: 0, b: 0, alpha: 0 }
    const bytes = await sharp({ create: { width, height, channels: 4, background: clear } })
      .composite([{ input: mark, left: 0, top: 0 }])
      .png()
      .toBuffer()
    const markup = await inputOf(bytes, 'image/png')
    const drawing = await draw('a red balloon', { images: [await plain('#2040c0')], markup })
    const pixels = await pixelsOf(drawing)
    expect(pixels.at(2, 2)).toEqual([0, 0xff, 0, 255])
    expect(pixels.at(12, 2)).toEqual([0x20, 0x40, 0xc0, 255])
    expect(pixels.share(isRed)).toBeGreaterThan(0.01)
    await expect(draw('a red balloon', { markup })).rejects.toMatchObject({ param: 'markup' })
  })

  test('further pictures are pinned on it as prints', async () => {
    const pixels = await pixelsOf(
      await draw('', { images: [await plain('#2040c0'), await plain('#00ff00')] }),
    )
    expect(pixels.share((r, g, b) => r < 30 && g > 225 && b < 30)).toBeGreaterThan(0.03)
  })

  test('only the transparent area of the mask changes', async () => {
    // Left half opaque: it must stay. Right half transparent: it may change.
    const half = { width: 128, height: 256 }
    const mask = await sharp({ create: { ...SMALL, channels: 4, background: '#00000000' } })
      .composite([{ input: await plainBytes('#000000', half), left: 0, top: 0 }])
      .png()
      .toBuffer()
    const request = {
      images: [await plain('#2040c0')],
      mask: await inputOf(mask),
    }
    const pixels = await pixelsOf(await draw('twelve orange foxes', request))
    let changed = 0
    for (let y = 0; y < 256; y += 3) {
      for (let x = 0; x < 256; x += 3) {
        const [r, g, b] = pixels.at(x, y)
        const distance = Math.max(Math.abs(r - 0x20), Math.abs(g - 0x40), Math.abs(b - 0xc0))
        if (x < 126) expect(distance, `${x},${y}`).toBeLessThanOrEqual(2)
        else if (distance > 40) changed++
      }
    }
    expect(changed).toBeGreaterThan(100)
  })

  test.each([
    [16, 16],
    [160, 160],
    [100, 20],
  ])('what is asked for is drawn inside a small hole of the mask at %i, %i', async (left, top) => {
    const hole = await plainBytes('#000000', { width: 80, height: 80 })
    const mask = await sharp(await plainBytes('#000000'))
      .composite([{ input: hole, left, top, blend: 'dest-out' }])
      .png()
      .toBuffer()
    const request = {
      images: [await plain('#2040c0')],
      mask: await inputOf(mask),
    }
    const pixels = await pixelsOf(await draw('a red balloon', request))
    expect(pixels.share(isRed)).toBeGreaterThan(0.02)
    for (const [x, y] of [
      [left - 3, top - 3],
      [left + 83, top + 40],
    ] as const)
      expect(pixels.at(x, y)).toEqual([0x20, 0x40, 0xc0, 255])
  })

  test('without a size an edit has the size of its first picture, within 64 to 4096', async () => {
    const sizeFor = async (width: number, height: number) => {
      const images = [await plain('#2040c0', { width, height }), await plain('#00ff00')]
      const { width: w, height: h } = await sharp(await draw('a fox', { images, size: undefined })).metadata()
      return [w, h]
    }
    expect(await sizeFor(123, 457)).toEqual([123, 457])
    expect(await sizeFor(32, 48)).toEqual([64, 96])
    expect(await sizeFor(5000, 1250)).toEqual([4096, 1024])
    expect(await sizeFor(5000, 20)).toEqual([4096, 64])
  })

  test('sixteen pictures are all shown, and each is read once', async () => {
    const colour = (at: number) => `#ff00${(at * 12).toString(16).padStart(2, '0')}`
    const images = await Promise.all(
      Array.from({ length: 16 }, (_, at) => plain(at === 0 ? '#101010' : colour(at))),
    )
    const pixels = await pixelsOf(await draw('qwx', { images, size: { width: 512, height: 512 } }))
    for (let at = 1; at < 16; at++) {
      expect(
        pixels.share((r, g, b) => r === 255 && g === 0 && b === at * 12),
        `${at}`,
      ).toBeGreaterThan(0.002)
    }
    expect(images.map(({ reads }) => reads)).toEqual(images.map(() => 1))
    await expect(draw('qwx', { images: [...images, await plain('#000000')] })).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'image',
    })
  })

  test('a print of many bytes is shown like any other', async () => {
    const heavy = await inputOf(await noise(900, 900, 96))
    expect(heavy.sizeBytes).toBeGreaterThan(400_000)
    const pixels = await pixelsOf(await draw('qwx', { images: [await plain('#2040c0'), heavy] }))
    const isDarkGrey = (r: number, g: number, b: number) => Math.max(r, g, b) < 96 && Math.abs(r - b) < 40
    expect(pixels.share(isDarkGrey)).toBeGreaterThan(0.03)
  })

  test('a transparent background leaves the corners of an edit empty', async () => {
    const images = [await plain('#2040c0')]
    const pixels = await pixelsOf(await draw('a fox', { images, background: 'transparent' }))
    for (const x of [0, 255]) for (const y of [0, 255]) expect(pixels.at(x, y)[3]).toBe(0)
    expect(pixels.at(128, 5)).toEqual([0x20, 0x40, 0xc0, 255])
  })
})

describe('what a mask keeps stays pixel for pixel', () => {
  const odd = { width: 301, height: 223 }
  const isKept = (x: number, y: number) => Math.hypot(x - 190, y - 110) > 70

  async function roundMask(): Promise<Buffer> {
    const raw = Buffer.alloc(odd.width * odd.height * 4)
    for (let at = 0; at < odd.width * odd.height; at++) {
      raw[at * 4] = 90
      raw[at * 4 + 3] = isKept(at % odd.width, Math.floor(at / odd.width)) ? 255 : 0
    }
    return await sharp(raw, { raw: { ...odd, channels: 4 } })
      .png()
      .toBuffer()
  }

  const flavours: [string, (png: Sharp) => Sharp][] = [
    ['RGBA', (png) => png.png()],
    ['palette', (png) => png.png({ palette: true, colours: 4 })],
    ['16-bit', (png) => png.toColourspace('rgb16').png()],
    ['interlaced', (png) => png.png({ progressive: true })],
    ['grey with alpha', (png) => png.greyscale().png()],
  ]

  test.each(flavours)('with a mask in PNG %s, whatever is drawn', async (_name, as) => {
    const photo = await noise(odd.width, odd.height)
    const mask = await inputOf(await as(sharp(await roundMask())).toBuffer())
    const more = {
      images: [await inputOf(photo)],
      mask,
      size: undefined,
      strength: 0.9,
      steps: 40,
      loraWeights: 'a',
    }
    const [before, after] = await Promise.all(
      [photo, await draw('twelve foxes at night', more)].map((png) => rawOf(png)),
    )
    if (!before || !after) throw new Error('both pictures have pixels')
    let changed = 0
    let lost = 0
    for (let at = 0; at < before.length; at += 4) {
      if (before.readUInt32BE(at) === after.readUInt32BE(at)) continue
      if (isKept((at / 4) % odd.width, Math.floor(at / 4 / odd.width))) lost++
      else changed++
    }
    expect(lost).toBe(0)
    expect(changed).toBeGreaterThan(10_000)
  })

  test('a translucent picture is not thickened where it is kept', async () => {
    const images = [await plain('#20c04080', odd)]
    const more = { images, mask: await inputOf(await roundMask()), size: undefined }
    const pixels = await pixelsOf(await draw('let it snow at night', more))
    expect(pixels.at(5, 5)[3]).toBe(0x80)
    expect(pixels.at(190, 110)[3]).toBeGreaterThan(0x80)
  })

  test('a mask without a hole changes nothing', async () => {
    const photo = await noise(odd.width, odd.height)
    const more = { images: [await inputOf(photo)], mask: await plain('#000000', odd), size: undefined }
    expect((await rawOf(await draw('a fox', more))).equals(await rawOf(photo))).toBe(true)
  })
})

const rawOf = (png: Buffer) => sharp(png).ensureAlpha().raw().toBuffer()

/** Opaque pixels that no rule predicts, so that any resampling shows. */
async function noise(width: number, height: number, levels = 256): Promise<Buffer> {
  const raw = Buffer.alloc(width * height * 3)
  for (let at = 0, seed = 7; at < raw.length; at++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    raw[at] = (seed >>> 24) % levels
  }
  return await sharp(raw, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}
