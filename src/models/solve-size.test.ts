/** Every way to ask for a size, against every kind of model: exact, or told what there is, and never anything absurd. */
import { describe, expect, test } from 'vitest'
import { builtInModels } from './catalogue.ts'
import { configuredModel, fromConfiguration } from './configured-model.ts'
import { type ImageSize, imageSizes, type Size } from './fields.ts'
import type { ServedModel } from './model.ts'
import { classOf, ratioError, ratioValue } from './ratio.ts'
import { readSizeText, type SizeRule, sameSize, sizeFits, sizeText } from './size-rule.ts'
import { isSizeProblem, type SizeAsk, type SizeProblem, type SolvedSize, solveSize } from './solve-size.ts'
import { everyServed, served, servedModel } from './testing/served-models.ts'

const own = (id: string, more: object = {}) =>
  served(fromConfiguration(configuredModel.parse({ id, provider: 'openai', ...more })))
const ownRatios = own('own-ratios', { supports: ['aspect_ratio', 'image_size'] })
const models = [
  ...everyServed(builtInModels),
  own('own'),
  own('own-list', { sizes: ['256x256', '512x256'] }),
  ownRatios,
]

const named = (id: string) => servedModel(id)
const px = (text: string) => readSizeText(text) ?? expect.fail(`${text} is no size`)

function solved(id: string | ServedModel, ask: SizeAsk): SolvedSize {
  const answer = solveSize(typeof id === 'string' ? named(id) : id, ask)
  if (isSizeProblem(answer)) throw new Error(answer.message)
  return answer
}

function problem(id: string | ServedModel, ask: SizeAsk): SizeProblem {
  const answer = solveSize(typeof id === 'string' ? named(id) : id, ask)
  if (!isSizeProblem(answer)) throw new Error(`solved: ${JSON.stringify(answer)}`)
  return answer
}

/** In the rule itself, or what a size of the rule is drawn in. */
function isDrawn(rule: SizeRule, size: Size): boolean {
  if (rule.kind === 'range') return sizeFits(rule, size)
  return rule.sizes.some((one) => sameSize(one.drawnAs ?? one, size))
}

describe('pixels', () => {
  test.each([
    ['gesso-collage', '64x4096'],
    ['gpt-image-2', '1024x1024'],
    ['gpt-image-2', '3840x2160'],
    ['gpt-image-1-mini', '1536x1024'],
    ['dall-e-3', '1792x1024'],
    ['flux-1.1-pro', '1440x256'],
    ['qwen-image', '928x1664'],
    ['qwen-image-2.0', '2048x2048'],
  ])('%s draws %s exactly', (id, text) => {
    expect(solved(id, { size: px(text) })).toEqual({ size: px(text), exact: px(text) })
  })

  test.each([
    ['gesso-collage', '63x64', /each edge from 64 to 4096/],
    ['gpt-image-2', '1000x1000', /a multiple of 16/],
    ['gpt-image-2', '3840x1024', /at most 3:1/],
    ['gpt-image-2', '512x512', /at least 655360 pixels/],
    ['gpt-image-2', '3840x3840', /at most 8294400 pixels/],
    ['gpt-image-1-mini', '1792x1024', /auto, 1024x1024, 1536x1024, 1024x1536/],
    ['flux-1.1-pro-ultra', '1024x1024', /auto, or an aspect_ratio of 21:9, .*9:21/],
    ['dall-e-2', '1792x1024', /auto, 256x256, 512x512, 1024x1024/],
  ])('%s cannot draw %s, and says what it can', (id, text, allowed) => {
    const { field, message } = problem(id, { size: px(text) })
    expect(field).toBe('size')
    expect(message).toMatch(`size ${text} is not possible with ${id}; allowed: `)
    expect(message).toMatch(allowed)
  })

  test.each([
    ['gpt-image-2', '1000x1000', { size: px('1008x1008') }],
    ['gpt-image-1-mini', '1792x1024', { size: px('1536x1024') }],
    ['dall-e-2', '300x300', { size: px('1024x1024') }],
    ['flux-1.1-pro-ultra', '1920x1080', { aspectRatio: '16:9' }],
  ])('%s comes near %s, and Gesso makes the rest', (id, text, nearest) => {
    expect(problem(id, { size: px(text) }).nearest).toEqual({ ...nearest, exact: px(text) })
  })

  test('sizes below what the successor draws are drawn larger and scaled', () => {
    expect(solved('dall-e-2', { size: px('256x256') })).toEqual({
      size: px('1024x1024'),
      exact: px('256x256'),
    })
  })

  test.each(['99999x99999', '99999x1', '1x99999', '16384x16', '10000x5001'])(
    '%s is never scaled up to: no model has a nearest for it',
    (text) => {
      for (const model of models) expect(problem(model, { size: px(text) }).nearest, model.id).toBeUndefined()
    },
  )
})

describe('ratios', () => {
  test.each([
    ['gesso-collage', '1:1', '1024x1024'],
    ['gpt-image-1-mini', '3:2', '1536x1024'],
    ['dall-e-3', '16:9', '1792x1024'],
    ['dall-e-3', '9:16', '1024x1792'],
    ['qwen-image-max', '16:9', '1664x928'],
    ['dall-e-2', '1:1', '1024x1024'],
  ])('%s makes %s of %s', (id, aspectRatio, text) => {
    expect(solved(id, { aspectRatio })).toEqual({ size: px(text), exact: px(text) })
  })

  test('a model that takes ratios is told the one it knows, also where it is written otherwise', () => {
    expect(solved('flux-1.1-pro-ultra', { aspectRatio: '16:9' })).toEqual({ aspectRatio: '16:9' })
    expect(solved('flux-1.1-pro-ultra', { aspectRatio: '32:18' })).toEqual({ aspectRatio: '16:9' })
    expect(solved(ownRatios, { aspectRatio: '17:13' })).toEqual({ aspectRatio: '17:13' })
  })

  test.each([
    ['gpt-image-1-mini', '16:9', /1:1 \(1024x1024\), 3:2 \(1536x1024\), 2:3 \(1024x1536\)/],
    ['gpt-image-2', '4:1', /up to 3:1, either way/],
    ['gesso-collage', '100:1', /up to 64:1/],
    ['flux-1.1-pro-ultra', '4:1', /21:9, .*16:9, .*9:21/],
    ['dall-e-2', '3:2', /1:1/],
  ])('%s cannot do %s, and says what it can', (id, aspectRatio, allowed) => {
    const { field, message } = problem(id, { aspectRatio })
    expect(field).toBe('aspectRatio')
    expect(message).toMatch(`aspect_ratio ${aspectRatio} is not possible with ${id}; allowed: `)
    expect(message).toMatch(allowed)
  })

  test('the nearest is drawn and cropped to the ratio', () => {
    expect(problem('gpt-image-1-mini', { aspectRatio: '16:9' }).nearest).toEqual({
      size: px('1536x1024'),
      exact: px('1536x864'),
    })
    expect(problem('flux-1.1-pro-ultra', { aspectRatio: '4:1' }).nearest).toEqual({ aspectRatio: '21:9' })
  })
})

describe('classes', () => {
  test.each<[string, SizeAsk, string]>([
    ['gpt-image-2', { imageSize: '1K' }, '1024x1024'],
    ['gpt-image-2', { imageSize: '2K' }, '2048x2048'],
    // As much of 4K as 8.29 megapixels hold.
    ['gpt-image-2', { imageSize: '4K' }, '2880x2880'],
    ['gpt-image-2', { imageSize: '4K', aspectRatio: '16:9' }, '3840x2160'],
    ['gesso-collage', { imageSize: '512' }, '512x512'],
    ['gesso-collage', { imageSize: '4K' }, '4096x4096'],
    ['gesso-collage', { imageSize: 'optimize_for_speed', aspectRatio: '2:1' }, '724x362'],
    ['gesso-collage', { imageSize: 'optimize_for_quality' }, '1024x1024'],
    ['gpt-image-1-mini', { imageSize: '1K', aspectRatio: '2:3' }, '1024x1536'],
  ])('%s makes of %j %s', (id, ask, text) => {
    expect(solved(id, ask)).toEqual({ size: px(text), exact: px(text) })
  })

  test('a class of small pictures is drawn larger where the successor cannot draw small', () => {
    expect(solved('dall-e-2', { imageSize: '512' })).toEqual({ size: px('1024x1024'), exact: px('512x512') })
  })

  test.each<[string, ImageSize, RegExp]>([
    ['gpt-image-1-mini', '4K', /auto, 1024x1024/],
    ['gpt-image-2', '512', /at least 655360/],
    ['qwen-image-2.0', '4K', /at most 4194304/],
    ['qwen-image', '2K', /optimize_for_quality, optimize_for_speed/],
    ['flux-1.1-pro-ultra', '4K', /an aspect_ratio of/],
    ['gpt-image-2', 'optimize_for_speed', /512, 1K, 2K, 4K/],
  ])('%s cannot do %s, and says what it can', (id, imageSize, allowed) => {
    const { field, message } = problem(id, { imageSize })
    expect(field).toBe('imageSize')
    expect(message).toMatch(`image_size ${imageSize} is not possible with ${id}; allowed: `)
    expect(message).toMatch(allowed)
  })

  test('a model that has the word is told it, beside the size that the rest comes to', () => {
    expect(solved('qwen-image', { imageSize: 'optimize_for_speed' })).toEqual({
      imageSize: 'optimize_for_speed',
    })
    // Which pixels answer the wish is the model's business, so none are owed …
    expect(solved('qwen-image', { imageSize: 'optimize_for_speed', aspectRatio: '16:9' })).toEqual({
      aspectRatio: '16:9',
      imageSize: 'optimize_for_speed',
    })
    // … except those that the caller named.
    expect(solved('qwen-image', { imageSize: 'optimize_for_speed', size: px('1328x1328') })).toEqual({
      imageSize: 'optimize_for_speed',
      size: px('1328x1328'),
      exact: px('1328x1328'),
    })
    expect(solved(ownRatios, { aspectRatio: '16:9', imageSize: '2K' })).toEqual({
      aspectRatio: '16:9',
      imageSize: '2K',
    })
  })
})

test('without a wish the model chooses, and an old id keeps its old default', () => {
  expect(solved('gpt-image-2', {})).toEqual({})
  expect(solved('dall-e-3', {})).toEqual({ size: px('1024x1024'), exact: px('1024x1024') })
})

describe('a hundred random asks', () => {
  // Mulberry32: the same asks on every machine.
  let state = 20_261_121
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const upTo = (most: number) => 1 + Math.floor(random() ** 3 * most)
  const ordinary = ['256x256', '1024x1024', '1536x1024', '1792x1024', '1664x928', '2048x2048', '3840x2160']
  const asks = Array.from({ length: 100 }, (): SizeAsk => {
    const kind = Math.floor(random() * 5)
    const size = random() < 0.3 ? px(ordinary[upTo(7) - 1] ?? '64x64') : px(`${upTo(99_999)}x${upTo(99_999)}`)
    const aspectRatio = random() < 0.5 ? `${upTo(20)}:${upTo(20)}` : `${upTo(9_999)}:${upTo(9_999)}`
    const imageSize = imageSizes[Math.floor(random() * imageSizes.length)]
    return (
      [{ size }, { aspectRatio }, { imageSize }, { aspectRatio, imageSize }, { size, imageSize }][kind] ?? {}
    )
  })

  test.each(models)('$id draws them, or comes near within its rule', (model) => {
    const { sizes } = model.fields.size
    const ratios = model.fields.aspectRatio.values
    for (const ask of asks) {
      const answer = solveSize(model, ask)
      const why = `${model.id} ${JSON.stringify(ask)} -> ${JSON.stringify(answer)}`
      const found = isSizeProblem(answer) ? answer.nearest : answer
      if (isSizeProblem(answer)) {
        expect(answer.message, why).toMatch(/ is not possible with .+; allowed: .+\.$/)
        expect(ask[answer.field as keyof SizeAsk], why).toBeDefined()
      }
      if (!found) continue
      if (found.size) expect(sizes && isDrawn(sizes, found.size), why).toBe(true)
      if (found.aspectRatio && ratios) expect(ratios, why).toContain(found.aspectRatio)
      if (found.exact) {
        expect(found.exact.width * found.exact.height, why).toBeLessThanOrEqual(50_000_000)
        expect(Math.max(found.exact.width, found.exact.height), why).toBeLessThanOrEqual(16_383)
        expect(Math.min(found.exact.width, found.exact.height), why).toBeGreaterThanOrEqual(1)
      }
      if (!isSizeProblem(answer)) expectHonoured(ask, answer, why)
    }
  })

  /** What was solved is what was asked: the pixels, the ratio, the class. */
  function expectHonoured(ask: SizeAsk, answer: SolvedSize, why: string): void {
    if (ask.size) expect(answer.exact && sameSize(answer.exact, ask.size), why).toBe(true)
    else if (ask.aspectRatio && answer.aspectRatio === undefined) {
      expect(answer.size && ratioError(answer.size, ratioValue(ask.aspectRatio)), why).toBeLessThanOrEqual(
        0.02,
      )
    }
    const named = ask.imageSize && !ask.imageSize.startsWith('optimize_') && !ask.size
    if (named && answer.imageSize === undefined) {
      expect(answer.exact && classOf(answer.exact), why).toBe(ask.imageSize)
    }
  }
})

test('a size as text and back', () => {
  expect(sizeText(px('640x480'))).toBe('640x480')
  for (const text of ['0x1', '1x', 'x1', '1X1', '100000x1', '01x1', '1x1 ']) expect(() => px(text)).toThrow()
})
