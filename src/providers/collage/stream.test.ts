import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { rasterise } from '../../media/rasterise.ts'
import type { PartialPicture, ProviderImage, ProviderRequest } from '../provider.ts'
import { collage } from './collage.ts'
import {
  bytesOf,
  documents,
  draw,
  inputOf,
  pixelsOf,
  plain,
  plainBytes,
  provider,
  SMALL,
} from './testing/draw.ts'

const isReddish = (r: number, g: number, b: number) => r > 170 && r - Math.max(g, b) > 70
const isClear = (_r: number, _g: number, _b: number, a: number) => a === 0

interface Watched {
  /** As they were told. */
  partials: PartialPicture[]
  images: ProviderImage[]
}

describe('what is told', () => {
  test.each([1, 2, 3])(
    '%i stages of a picture come in order, each a PNG of its size',
    async (partialImages) => {
      const { partials, images } = await watch(
        'two foxes in a forest',
        { size: { width: 300, height: 180 } },
        partialImages,
      )
      expect(images).toHaveLength(1)
      expect(partials.map(({ position, index }) => [position, index])).toEqual(
        Array.from({ length: partialImages }, (_, index) => [0, index]),
      )
      for (const { bytes } of partials) {
        expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 300, height: 180 })
      }
    },
  )

  test('fewer stages are some of the three, spread over the work', async () => {
    const [three, two, one] = await Promise.all([3, 2, 1].map((count) => watch('a fox', {}, count)))
    const bytes = (watched: Watched | undefined) => watched?.partials.map((partial) => partial.bytes)
    const [first, second, third] = bytes(three) ?? []
    expect(bytes(two)).toEqual([first, third])
    expect(bytes(one)).toEqual([second])
  })

  test('no stage is told where none is wished for', async () => {
    expect((await watch('a fox', {}, 0)).partials).toEqual([])
  })

  test('each of several pictures has its own stages', async () => {
    const { partials, images } = await watch('a fox at sea', { n: 2 })
    expect(images.map(({ seed }) => seed)).toEqual([1, 2])
    for (const [position, seed] of [1, 2].entries()) {
      const own = partials.filter((partial) => partial.position === position)
      expect(own.map(({ index }) => index)).toEqual([0, 1, 2])
      const { partials: alone } = await watch('a fox at sea', { seed })
      expect(own.map(({ bytes }) => bytes)).toEqual(alone.map(({ bytes }) => bytes))
    }
  })

  test('a stage is told before the next one is drawn', async () => {
    const before = documents.length
    const drawn: number[] = []
    await provider.stream?.(
      requestOf('a cup of tea'),
      { partialImages: 3, onPartial: () => drawn.push(documents.length - before) },
      new AbortController().signal,
    )
    expect(drawn).toEqual([1, 2, 3])
    expect(documents.length - before).toBe(4)
  })

  test('whoever does not watch waits for no stage', async () => {
    const before = documents.length
    await draw('a cup of tea', { n: 2 })
    expect(documents.length - before).toBe(2)
  })

  test('the same request shows the same stages', async () => {
    const again = await watch('two cats at night')
    expect(await watch('two cats at night')).toEqual(again)
    expect((await watch('two cats at night', { seed: 2 })).partials).not.toEqual(again.partials)
  })
})

describe('the outcome is the one that nobody watched', () => {
  test.each<[string, Partial<ProviderRequest>]>([
    ['a red fox in a snowy forest', {}],
    ['a neon fox', { background: 'transparent' }],
    ['asdf qwx', { guidance: 2 }],
    ['pixel art of two foxes', {}],
    ['a pencil sketch of a city', { steps: 12 }],
    ['a whale at sea', { n: 3, loraWeights: 'x' }],
    ['a camel', { series: { maxImages: 3 } }],
  ])('for %j %j', async (prompt, more) => {
    const { images } = await watch(prompt, more)
    const outcome = await provider.start(requestOf(prompt, more), new AbortController().signal)
    const unwatched = outcome.status === 'completed' ? outcome.images : []
    expect(images.map(({ seed }) => seed)).toEqual(unwatched.map(({ seed }) => seed))
    expect(await allRaw(images.map(bytesOf))).toEqual(await allRaw(unwatched.map(bytesOf)))
  })

  test('for an edit', async () => {
    const more = { images: [await plain('#2040c0'), await plain('#00ff00')], strength: 0.6 }
    const { images } = await watch('a fox at night', more)
    expect(await allRaw(images.map(bytesOf))).toEqual(await allRaw([await draw('a fox at night', more)]))
  })

  test('for a seed that was chosen', async () => {
    const { images, partials } = await watch('a cat', { seed: undefined })
    const again = await watch('a cat', { seed: images[0]?.seed })
    expect(again).toEqual({ images, partials })
  })

  test('for what cannot be drawn, which is refused before any stage', async () => {
    const told: PartialPicture[] = []
    const watching = { partialImages: 3, onPartial: (partial: PartialPicture) => told.push(partial) }
    const drawing = provider.stream?.(
      requestOf('a fox', { watermark: true }),
      watching,
      new AbortController().signal,
    )
    await expect(drawing).rejects.toMatchObject({ code: 'unsupported_parameter', param: 'watermark' })
    expect(told).toEqual([])
  })
})

describe('the stages of a picture', () => {
  test('are its place, then its subjects as shapes, then in their colours', async () => {
    const stages = await stagesOf('a red fox in a snowy forest')
    const reds = await Promise.all(stages.map(async (png) => (await pixelsOf(png)).share(isReddish)))
    expect(reds[0]).toBeLessThan(0.002)
    for (const share of reds.slice(1)) expect(share).toBeGreaterThan(0.04)
    // A shape has one colour, also where the fox has eyes and a white bib.
    const alone = await stagesOf('a red fox', { background: 'transparent' })
    const [first, second, third = 0] = await Promise.all(alone.map(coloursOf))
    expect([first, second]).toEqual([1, 1])
    expect(third).toBeGreaterThan(4)
  })

  test('add the further half of the subjects before the nearer one', async () => {
    const [, second, third] = await stagesOf('six foxes', { background: 'transparent' })
    const darks = async (png: Buffer | undefined) =>
      (await pixelsOf(png as Buffer)).share((r, g, b, a) => a > 200 && Math.max(r, g, b) < 130)
    const half = (await darks(second)) / (await darks(third))
    expect(half).toBeGreaterThan(0.2)
    expect(half).toBeLessThan(0.8)
  })

  test.each<[string, Partial<ProviderRequest>]>([
    ['a red fox in a snowy forest', {}],
    ['a cup of tea', {}],
    ['a balloon', { guidance: 20, goFast: true }],
    ['three neon cats at night, watercolor', {}],
    ['a black and white fox', { steps: 1 }],
    ['a fox', { background: 'transparent' }],
    ['asdf', {}],
    ['asdf', { background: 'transparent' }],
    ['pixel art of a fox', {}],
    ['the sea', {}],
  ])('are all different, and different from the picture, for %j %j', async (prompt, more) => {
    expect(await distinct(await stagesOf(prompt, more))).toBe(4)
  })

  test.each(['a fox', 'six neon foxes', 'asdf', 'pixel art of a fox'])(
    'of %j leave empty what is empty in the picture',
    async (prompt) => {
      for (const png of await stagesOf(prompt, { background: 'transparent' })) {
        const pixels = await pixelsOf(png)
        for (const x of [0, 255]) for (const y of [0, 255]) expect(pixels.at(x, y)[3]).toBe(0)
        expect(pixels.share((_r, _g, _b, a) => a > 200)).toBeGreaterThan(0.08)
      }
    },
  )

  test.each(['a watercolor cat', 'asdf', 'a whale at sea', 'pixel art of a city'])(
    'of %j are opaque where the picture is',
    async (prompt) => {
      for (const png of await stagesOf(prompt)) {
        expect((await pixelsOf(png)).share((_r, _g, _b, a) => a < 255)).toBe(0)
      }
    },
  )

  test('of a series are those of each moment', async () => {
    const { partials, images } = await watch('a camel', { series: { maxImages: 2 } })
    expect(images).toHaveLength(2)
    expect(partials.map(({ position, index }) => [position, index])).toEqual(
      [0, 1].flatMap((position) => [0, 1, 2].map((index) => [position, index])),
    )
    expect(await distinct([...partials.map(({ bytes }) => bytes), ...images.map(bytesOf)])).toBe(8)
    const dawn = (await watch('a camel at dawn')).partials
    expect(partials.slice(0, 3).map(({ bytes }) => bytes)).toEqual(dawn.map(({ bytes }) => bytes))
  })
})

describe('the stages of an edit', () => {
  test('begin with the picture as it came', async () => {
    const stages = await stagesOf('two red balloons', { images: [await plain('#2040c0')] })
    const changed = await Promise.all(stages.map(changedFrom('#2040c0')))
    expect(changed[0]).toBe(0)
    for (const share of changed.slice(1)) expect(share).toBeGreaterThan(0.01)
    expect(await distinct(stages)).toBe(4)
  })

  test.each<[string, Partial<ProviderRequest>]>([
    ['black and white', {}],
    ['make it a snowy night', {}],
    ['qwx zzy', {}],
    ['', { loraWeights: 'x' }],
    ['a fox in a forest', { strength: 0.9 }],
    ['asdf', { strength: 0.9 }],
    ['a fox', { strength: 0, inputFidelity: 'high' }],
  ])('change more and more of it for %j %j', async (prompt, more) => {
    const stages = await stagesOf(prompt, { images: [await plain('#2040c0')], ...more })
    expect(await changedFrom('#2040c0')(stages[0] as Buffer)).toBe(0)
    expect(await distinct(stages)).toBe(4)
  })

  test('pin further pictures on it by and by', async () => {
    const images = [await plain('#2040c0'), await plain('#00ff00')]
    const greens = await Promise.all(
      (await stagesOf('', { images })).map(async (png) => {
        const { data } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true })
        return data.reduce((most, value, at) => (at % 3 === 1 ? Math.max(most, value) : most), 0)
      }),
    )
    expect(greens[0]).toBe(0x40)
    expect(greens).toEqual(greens.toSorted((a, b) => a - b))
    expect(await distinct(await stagesOf('', { images }))).toBe(4)
  })

  test('never touch what a mask keeps', async () => {
    const images = [await plain('#2040c0')]
    const stages = await stagesOf('twelve orange foxes at night', { images, mask: await rightHalf() })
    expect(await distinct(stages)).toBe(4)
    for (const [index, png] of stages.entries()) {
      const left = await sharp(png).extract({ left: 0, top: 0, width: 126, height: 256 }).png().toBuffer()
      expect(await changedFrom('#2040c0')(left), `${index}`).toBe(0)
    }
  })

  test('leave the hole of a mask empty where the background is transparent', async () => {
    const more = { images: [await plain('#2040c0')], mask: await rightHalf() }
    const stages = await stagesOf('a fox', { ...more, background: 'transparent' })
    const clear = await Promise.all(stages.map(async (png) => (await pixelsOf(png)).share(isClear)))
    expect(clear[0]).toBeCloseTo(0.5, 2)
    for (const share of clear.slice(1)) expect(share).toBeLessThan(0.45)
    expect((await pixelsOf(stages[0] as Buffer)).at(10, 10)).toEqual([0x20, 0x40, 0xc0, 255])
  })

  test('of a series begin with the same picture, read once', async () => {
    const image = await plain('#6a8fb0')
    const { partials } = await watch('a fox', { images: [image], series: { maxImages: 2 } }, 2)
    expect(partials.map(({ position, index }) => [position, index])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ])
    expect(await distinct(partials.map(({ bytes }) => bytes))).toBe(3)
    expect(image.reads).toBe(1)
  })
})

describe('whoever gives up', () => {
  const cancelled = { code: 'upstream_failed', attribution: 'client', dispatched: 'no', retryable: false }

  test('before the first stage is told none', async () => {
    const told: PartialPicture[] = []
    const watching = { partialImages: 3, onPartial: (partial: PartialPicture) => told.push(partial) }
    await expect(provider.stream?.(requestOf('a fox'), watching, AbortSignal.abort())).rejects.toMatchObject(
      cancelled,
    )
    expect(told).toEqual([])
  })

  test('after a stage is told no other, and nothing more is drawn', async () => {
    const giveUp = new AbortController()
    const told: PartialPicture[] = []
    const before = documents.length
    const onPartial = (partial: PartialPicture) => {
      told.push(partial)
      if (told.length === 2) giveUp.abort()
    }
    const drawing = provider.stream?.(
      requestOf('a fox', { n: 2 }),
      { partialImages: 3, onPartial },
      giveUp.signal,
    )
    await expect(drawing).rejects.toMatchObject(cancelled)
    expect(told.map(({ index }) => index)).toEqual([0, 1])
    expect(documents.length - before).toBe(2)
  })

  test('while a stage is drawn is not told of it', async () => {
    const giveUp = new AbortController()
    const told: PartialPicture[] = []
    const impatient = collage.create(
      { timeoutMs: 1, maxResponseBytes: 1 },
      {
        http: undefined as never,
        rasterise: (svg, size) => {
          if (told.length === 1) giveUp.abort()
          return rasterise(svg, size)
        },
      },
    )
    const watching = { partialImages: 3, onPartial: (partial: PartialPicture) => told.push(partial) }
    await expect(impatient.stream?.(requestOf('a fox'), watching, giveUp.signal)).rejects.toMatchObject(
      cancelled,
    )
    expect(told.map(({ index }) => index)).toEqual([0])
  })
})

function requestOf(prompt: string, more: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'gesso-collage', n: 1, seed: 1, size: SMALL, prompt, ...more }
}

/** All that a watcher of a request sees: seed 1 and 256 x 256 unless `more` says otherwise. */
async function watch(
  prompt: string,
  more: Partial<ProviderRequest> = {},
  partialImages = 3,
): Promise<Watched> {
  const partials: PartialPicture[] = []
  const onPartial = (partial: PartialPicture) => {
    partials.push(partial)
  }
  const { signal } = new AbortController()
  const outcome = await provider.stream?.(requestOf(prompt, more), { partialImages, onPartial }, signal)
  return { partials, images: outcome?.status === 'completed' ? outcome.images : [] }
}

/** The three stages of one picture and, last, the picture itself. */
async function stagesOf(prompt: string, more: Partial<ProviderRequest> = {}): Promise<Buffer[]> {
  const { partials, images } = await watch(prompt, more)
  return [...partials.map(({ bytes }) => bytes), bytesOf(images[0])]
}

const allRaw = (pngs: readonly Buffer[]) =>
  Promise.all(pngs.map((png) => sharp(png).ensureAlpha().raw().toBuffer()))

/** How many of the pictures have pixels that no other has. */
async function distinct(pngs: readonly Buffer[]): Promise<number> {
  return new Set((await allRaw(pngs)).map((raw) => raw.toString('base64'))).size
}

/** How many colours fill more than a thousandth of the opaque part. */
async function coloursOf(png: Buffer): Promise<number> {
  const [raw = Buffer.alloc(0)] = await allRaw([png])
  const counts = new Map<number, number>()
  for (let at = 0; at < raw.length; at += 4) {
    if (raw[at + 3] !== 255) continue
    const colour = raw.readUIntBE(at, 3)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  return [...counts.values()].filter((count) => count > raw.length / 4000).length
}

/** The share of pixels that are more than a rounding error away from the colour. */
function changedFrom(colour: string): (png: Buffer) => Promise<number> {
  const wanted = Buffer.from(colour.slice(1), 'hex')
  return async (png) => {
    const isOther = (...rgb: number[]) =>
      [...wanted].some((value, at) => Math.abs(value - (rgb[at] ?? 0)) > 2)
    return (await pixelsOf(png)).share(isOther)
  }
}

/** A mask that keeps the left half and frees the right one. */
async function rightHalf() {
  const kept = await plainBytes('#000000', { width: 128, height: 256 })
  const mask = await sharp({ create: { ...SMALL, channels: 4, background: '#00000000' } })
    .composite([{ input: kept, left: 0, top: 0 }])
    .png()
    .toBuffer()
  return await inputOf(mask)
}
