import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { rasterise } from '../../media/rasterise.ts'
import { describeProviderConformance } from '../testing/conformance.ts'
import { collage } from './collage.ts'
import { draw, pixelsOf, provider, SMALL } from './testing/draw.ts'

const isRed = (r: number, g: number, b: number) => r > 170 && g < 90 && b < 90
const isWhitish = (r: number, g: number, b: number) => r > 215 && g > 220 && b > 225
const isGreen = (r: number, g: number, b: number) => g > r + 12 && g > b

describeProviderConformance('collage', async () => ({
  provider,
  request: (overrides) => ({
    taskId: 'image_1',
    model: 'gesso-collage',
    n: 1,
    size: SMALL,
    prompt: 'a fox',
    ...overrides,
  }),
  upstream: false,
  reportsSeed: true,
  maxImagesPerCall: 10,
  close: async () => {},
}))

describe('what a picture shows', () => {
  test('a red fox in a snowy forest is red, stands in snow and has trees about it', async () => {
    const pixels = await pixelsOf(await draw('a red fox in a snowy forest'))
    expect(pixels.share(isRed)).toBeGreaterThan(0.04)
    expect(pixels.share(isWhitish)).toBeGreaterThan(0.15)
    expect(pixels.share(isGreen)).toBeGreaterThan(0.05)
  })

  test('the colour word decides the colour of the piece', async () => {
    const blue = await pixelsOf(await draw('a blue fox', { background: 'transparent' }))
    const orange = await pixelsOf(await draw('a fox', { background: 'transparent' }))
    const isBlue = (r: number, _g: number, b: number, a: number) => a > 200 && b > r + 90
    expect(blue.share(isBlue)).toBeGreaterThan(0.2)
    expect(orange.share(isBlue)).toBe(0)
  })

  test('a negative prompt removes what it names', async () => {
    const prompt = 'a red balloon and a blue fox'
    const both = await pixelsOf(await draw(prompt, { background: 'transparent' }))
    const only = await pixelsOf(
      await draw(prompt, { background: 'transparent', negativePrompt: 'balloon, ugly' }),
    )
    expect(both.share(isRed)).toBeGreaterThan(0.01)
    expect(only.share(isRed)).toBe(0)
  })

  test('a forest without trees is another picture than a forest', async () => {
    const forest = await draw('a fox in a forest')
    expect(await draw('a fox in a forest', { negativePrompt: 'trees' })).not.toEqual(forest)
    expect(await draw('a fox in a forest without trees')).toEqual(
      await draw('a fox in a forest', { negativePrompt: 'trees' }),
    )
  })

  test.each(['asdf qwerty zxcv', 'une maison bleue', '一只红色的狐狸', '', '<svg onload="x"> &amp; ]]>'])(
    'a prompt of unknown words (%j) still fills the picture with several colours',
    async (prompt) => {
      const { data } = await sharp(await draw(prompt))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true })
      const colours = new Set<number>()
      for (let at = 0; at < data.length; at += 3)
        colours.add(
          ((data[at] as number) >> 5) * 64 +
            ((data[at + 1] as number) >> 5) * 8 +
            ((data[at + 2] as number) >> 5),
        )
      expect(colours.size).toBeGreaterThan(3)
    },
  )

  test('unknown words each give their own picture', async () => {
    expect(await draw('asdf')).not.toEqual(await draw('qwerty'))
  })
})

describe('the seed', () => {
  test('gives the same bytes for the same request, also from a new provider', async () => {
    const again = collage.create(
      { timeoutMs: 1, maxResponseBytes: 1 },
      { http: undefined as never, rasterise },
    )
    const request = {
      taskId: 'other',
      model: 'gesso-collage',
      n: 1,
      seed: 1,
      size: SMALL,
      prompt: 'two cats at night',
    }
    const outcome = await again.start(request, new AbortController().signal)
    expect(outcome).toMatchObject({ images: [{ source: { bytes: await draw('two cats at night') } }] })
  })

  test('another seed gives another picture', async () => {
    expect(await draw('two cats at night', { seed: 2 })).not.toEqual(
      await draw('two cats at night', { seed: 1 }),
    )
  })

  test('picture k of a request is the picture of seed + k, wrapping at 2^32', async () => {
    const request = {
      taskId: 'a',
      model: 'gesso-collage',
      n: 3,
      seed: 4_294_967_295,
      size: SMALL,
      prompt: 'a cat',
    }
    const outcome = await provider.start(request, new AbortController().signal)
    const images = outcome.status === 'completed' ? outcome.images : []
    expect(images.map(({ seed }) => seed)).toEqual([4_294_967_295, 0, 1])
    expect(images[2]?.source).toEqual({ kind: 'bytes', bytes: await draw('a cat', { seed: 1 }) })
  })

  test('without a seed one is chosen and told', async () => {
    const outcome = await provider.start(
      { taskId: 'a', model: 'gesso-collage', n: 1, size: SMALL, prompt: 'a cat' },
      new AbortController().signal,
    )
    const [image] = outcome.status === 'completed' ? outcome.images : []
    expect(image?.seed).toBeGreaterThanOrEqual(0)
    expect(image?.source).toEqual({ kind: 'bytes', bytes: await draw('a cat', { seed: image?.seed }) })
  })
})

describe('size and background', () => {
  test.each([
    [64, 64],
    [4096, 512],
    [512, 4096],
    [1024, 1024],
    [333, 777],
    [4096, 64],
    [64, 4096],
  ])('a picture of %i x %i has exactly that size', async (width, height) => {
    expect(
      await sharp(await draw('three foxes by the sea', { size: { width, height } })).metadata(),
    ).toMatchObject({ format: 'png', width, height })
  })

  test('without a size it is 1024 x 1024', async () => {
    expect(await sharp(await draw('a cup of tea', { size: undefined })).metadata()).toMatchObject({
      width: 1024,
      height: 1024,
    })
  })

  test.each(['a fox', 'three neon foxes in a forest at night', 'asdf', 'pixel art of a fox'])(
    'a transparent background leaves the corners of %j empty and the middle painted',
    async (prompt) => {
      const pixels = await pixelsOf(await draw(prompt, { background: 'transparent' }))
      for (const [x, y] of [
        [0, 0],
        [255, 0],
        [0, 255],
        [255, 255],
      ] as const)
        expect(pixels.at(x, y)[3]).toBe(0)
      expect(pixels.share((_r, _g, _b, a) => a > 200)).toBeGreaterThan(0.08)
    },
  )

  test('an opaque picture has no transparent pixel', async () => {
    for (const prompt of [
      'a fox in a watercolor forest',
      'space',
      'qwx',
      'a city, pencil sketch',
      'a whale at sea',
    ]) {
      expect(
        (await pixelsOf(await draw(prompt))).share((_r, _g, _b, a) => a < 255),
        prompt,
      ).toBe(0)
    }
  })

  test('every quality and style is accepted', async () => {
    for (const quality of ['low', 'medium', 'high', 'auto'])
      expect((await draw('a cat', { quality })).length).toBeGreaterThan(100)
    expect(await draw('a cat', { style: 'vivid' })).not.toEqual(await draw('a cat', { style: 'natural' }))
  })
})

describe('safety', () => {
  test('the prompt never becomes markup', async () => {
    let seen = ''
    const spying = collage.create(
      { timeoutMs: 1, maxResponseBytes: 1 },
      {
        http: undefined as never,
        rasterise: async (svg) => {
          seen = svg
          return Buffer.alloc(0)
        },
      },
    )
    const prompt = 'a fox <image href="http://example.test/x"/> &secretword; in a forest'
    await spying.start(
      { taskId: 'a', model: 'gesso-collage', n: 1, prompt, seed: 1 },
      new AbortController().signal,
    )
    expect(seen).not.toMatch(/example\.test|secretword/)
  })
})
