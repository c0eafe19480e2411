/**
 * Quotes of the whole catalogue against what an honest provider comes to: never less, and not absurdly more. Routes are as
 * Gesso has them, requests are planned as a dry run plans them.
 */
import { describe, expect, test } from 'vitest'
import type { Caller } from '../keys/authenticate.ts'
import { GessoError } from '../lib/errors.ts'
import { builtInModels, type Catalogue, createCatalogue } from '../models/catalogue.ts'
import { configuredModel } from '../models/configured-model.ts'
import type { ImageFields, Size } from '../models/fields.ts'
import { classNamed, ratioValue, sizeNear, targetPixels } from '../models/ratio.ts'
import { readSizeText } from '../models/size-rule.ts'
import { mostInputTokens, outputTokens } from '../pricing/image-tokens.ts'
import { priceDelivery } from '../pricing/price-delivery.ts'
import type { Delivery } from '../pricing/priced-work.ts'
import { ofFlash } from '../providers/gemini/gemini-pixels.ts'
import type { Provider } from '../providers/provider.ts'
import type { ProviderSet } from './choose-route.ts'
import { type Plan, plan } from './plan.ts'
import type { GenerationRequest } from './request.ts'

const caller: Caller = {
  keyId: 'key_1',
  accountId: 'account_1',
  scopes: [],
  requestsPerMinute: 1,
  models: null,
  billing: 'metered',
  providerKeys: [],
  defaults: {},
  promptInMetadata: false,
}

/** A set in which only this provider is on; planning asks nobody. */
function only(provider: string): ProviderSet {
  return {
    get: (id) => (id === provider ? ({} as Provider) : undefined),
    howToConfigure: () => '',
    withKey: () => undefined,
    acceptsOwnKeys: () => false,
  }
}

type Wishes = Partial<Pick<ImageFields, 'n'>> &
  Omit<ImageFields, 'images' | 'mask' | 'markup' | 'n'> & {
    images?: number
    mask?: boolean
    partialImages?: number
  }

const picture = { param: 'image', kind: 'url', url: 'https://pictures.example/a.png' } as const

/** The plan; undefined where the model takes no such request. */
function planned(
  catalogue: Catalogue,
  { model, provider }: { model: string; provider: string },
  wishes: Wishes,
): Plan | undefined {
  const { images = 0, mask, partialImages, n = 1, ...fields } = wishes
  const request: GenerationRequest = {
    model,
    prompt: 'a fox',
    fields: { n, ...fields },
    images: Array.from({ length: images }, () => picture),
    ...(mask ? { mask: { ...picture, param: 'mask' } } : {}),
    permanentLinks: false,
    handling: 'default',
    defaulted: new Set(),
    warnings: [],
    partialImages,
  }
  try {
    return plan({ catalogue, providers: only(provider) }, caller, request)[0]
  } catch (error) {
    if (error instanceof GessoError) return undefined
    throw error
  }
}

/** An ordinary photograph. */
const input: Size = { width: 1536, height: 1024 }

/** What the vendor draws where nothing is said, as its fake and its guide have it. */
function honestSize({ model, mapped }: Plan, wishes: Wishes): Size {
  const { size, aspectRatio, imageSize } = mapped.provider
  if (size) return size
  const { sizes, default: usual } = model.fields.size
  const isSilent = aspectRatio === undefined && imageSize === undefined
  if (wishes.images && isSilent) return input
  const usualSize = readSizeText(String(usual))
  if (usualSize && isSilent) return usualSize
  const wanted = classNamed(imageSize) ?? classNamed(model.fields.imageSize.default) ?? '1K'
  if (model.routes[0].provider === 'gemini') {
    const [width, height] = ofFlash[aspectRatio ?? '1:1'] ?? [1024, 1024]
    const factor = { '512': 0.5, '1K': 1, '2K': 2, '4K': 4 }[wanted]
    return { width: width * factor, height: height * factor }
  }
  const any = { kind: 'range', minEdge: 16, maxEdge: 16_384, multipleOf: 16 } as const
  const ratio = aspectRatio ? ratioValue(aspectRatio) : 1
  const pixels = targetPixels(wanted)
  return sizeNear(sizes?.kind === 'range' ? sizes : any, ratio, pixels) ?? { width: 1024, height: 1024 }
}

/** All that was asked for, and the reports of a provider that counts as its vendor says. */
function honest(made: Plan, wishes: Wishes, word: string): Delivery {
  const { pricing, mapped, images: n } = made
  const size = honestSize(made, wishes)
  const kind = pricing?.price.imageTokens
  if (!kind) return { images: Array.from({ length: n }, () => size) }
  const quality = [undefined, 'auto'].includes(mapped.provider.quality) ? word : mapped.provider.quality
  const partials = 100 * (pricing?.work.partialImages ?? 0)
  const inputs = pricing?.work.inputImages ?? 0
  return {
    images: Array.from({ length: n }, () => size),
    quality,
    usage: {
      outputTokens: n * (outputTokens(kind, size, quality) + partials),
      inputTokensDetails: {
        textTokens: n * (8 + inputs),
        imageTokens: n * inputs * (mostInputTokens[kind] / 2),
      },
    },
  }
}

/** What is quoted, and what it comes to with the dearest quality that the model may choose, and with a usual one. */
function compare(made: Plan, wishes: Wishes): { quoted: number; most: number; usual: number } {
  if (!made.pricing) throw new Error(`${made.model.id} has no price`)
  const { price, work, quote } = made.pricing
  const inputPixels = Array.from({ length: work.inputImages }, () => input.width * input.height)
  const bill = (word: string) =>
    priceDelivery(price, { ...work, inputPixels }, honest(made, wishes, word)).listMicros
  return { quoted: quote.micros, most: bill('high'), usual: bill('medium') }
}

const edges = [
  ...[
    [512, 512],
    [1024, 1024],
    [1536, 1024],
    [1024, 1536],
    [1376, 768],
    [1664, 928],
  ],
  ...[
    [2048, 2048],
    [2560, 1440],
    [3840, 2160],
    [4096, 4096],
  ],
]
const square = { width: 1024, height: 1024 }
const spread: Wishes[] = [
  {},
  ...edges.map(([width = 0, height = 0]) => ({ size: { width, height } })),
  ...(['512', '1K', '2K', '4K', 'optimize_for_quality'] as const).flatMap((imageSize) => [
    { imageSize },
    { imageSize, aspectRatio: '16:9' },
  ]),
  ...['1:1', '16:9', '9:16', '21:9', '2:3'].map((aspectRatio) => ({ aspectRatio })),
  ...['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'].map((quality) => ({ quality })),
  ...[1, 2, 3].flatMap((images) => [{ images }, { images, size: square }, { images, quality: 'low' }]),
  { images: 1, mask: true },
  { images: 1, imageSize: '1K' },
  { n: 4 },
  { n: 4, images: 2, size: square },
  { partialImages: 3, size: square, quality: 'low' },
  { series: { maxImages: 4 } },
]

const catalogue = createCatalogue([])
const routes = builtInModels.flatMap(({ id, routes }) =>
  routes.map(({ provider, price }) => ({ model: id, provider, price })),
)
const priced = routes.filter(({ price }) => price !== undefined)

/**
 * How much more than it comes to a quote may be. Who names size and quality, and sends no picture, is quoted what it costs.
 * Else a model may choose: a quality (`auto` may be high, which is four times as dear as medium), or a size (`auto` of
 * FLUX.2 at its maker, and edits that are as large as their picture, up to four megapixels), and an input picture that
 * has not been fetched may have four megapixels.
 */
function mostTimes(wishes: Wishes, isByTokens: boolean): number {
  const isNamed = wishes.size !== undefined && !wishes.images
  if (!isByTokens) return isNamed ? 1 : 4
  return wishes.quality === undefined || wishes.quality === 'auto' ? 6 : 2
}

describe.each(priced)('$model at $provider', (where) => {
  test('is quoted what it comes to at the least, and not absurdly more', () => {
    const compared = spread.flatMap((wishes) => {
      const plan = planned(catalogue, where, wishes)
      return plan ? [{ wishes, plan, ...compare(plan, wishes) }] : []
    })
    expect(compared.length).toBeGreaterThan(0)
    for (const { wishes, plan, quoted, most, usual } of compared) {
      const told = `${JSON.stringify(wishes)}: ${quoted} for ${most}`
      expect(quoted, told).toBeGreaterThanOrEqual(most)
      const isByTokens = where.price?.imageTokens !== undefined
      // A word that the model has not got is left away, and then it chooses.
      const known = { ...wishes, quality: plan.mapped.provider.quality }
      expect(quoted, told).toBeLessThanOrEqual(usual * mostTimes(known, isByTokens))
    }
  })
})

const quoteOf = (model: string, provider: string, wishes: Wishes, from = catalogue) =>
  planned(from, { model, provider }, wishes)?.pricing?.quote.micros

describe('what nobody says is what the model does by itself', () => {
  test.each<[string, string, Wishes, number]>([
    ['z-image-turbo', 'replicate', {}, 5_000],
    ['z-image-turbo', 'fal', {}, 5_000],
    ['flux-1-schnell', 'fal', {}, 3_000],
    ['flux-2-flex', 'replicate', {}, 60_000],
    ['seedream-5.0-pro', 'ark', {}, 45_000],
    ['gemini-3.1-flash-image', 'gemini', {}, 67_000],
  ])('%s at %s, %j, is quoted %d', (model, provider, wishes, micros) => {
    expect(quoteOf(model, provider, wishes)).toBe(micros)
  })

  test.each<[string, string, Wishes, number]>([
    // A class has an end, and an edit is as large as its picture.
    ['seedream-5.0-pro', 'ark', { imageSize: '1K' }, 45_000],
    ['seedream-5.0-pro', 'ark', { imageSize: '2K' }, 90_000],
    ['seedream-5.0-pro', 'ark', { images: 1 }, 90_000],
    ['flux-3-image', 'replicate', { imageSize: '4K' }, 607_000],
    ['gemini-2.5-flash-image', 'gemini', { size: { width: 1344, height: 768 } }, 67_000],
    ['seedream-4.5', 'ark', { series: {} }, 15 * 40_000],
  ])('%s at %s, %j, is quoted %d', (model, provider, wishes, micros) => {
    expect(quoteOf(model, provider, wishes)).toBe(micros)
  })
})

describe('a price of one’s own', () => {
  const own = (...items: object[]) => {
    const price = { items }
    const written = { id: 'mine', provider: 'openai', supports: ['image_size', 'quality'], price }
    return createCatalogue([configuredModel.parse(written)])
  }

  test('by tokens is quoted for pictures as GPT Image draws them, whatever could be asked for', () => {
    const tokens = own({ per: 'million tokens', kind: 'image out', usd: 30 })
    expect(quoteOf('mine', 'openai', {}, tokens)).toBe(quoteOf('mine', 'openai', { quality: 'high' }, tokens))
    expect(quoteOf('mine', 'openai', {}, tokens)).toBeLessThan(300_000)
  })

  test('knows both words for a quality', () => {
    const byQuality = own({ per: 'image', usd: 0.01, quality: 'standard' }, { per: 'image', usd: 0.2 })
    const quotes = ['standard', 'medium', 'hd'].map((quality) =>
      quoteOf('mine', 'openai', { quality }, byQuality),
    )
    expect(quotes).toEqual([10_000, 10_000, 200_000])
  })

  test('takes a wish for a good or a quick picture as no class at all', () => {
    const byClass = own(
      { per: 'image', usd: 0.01, image_size: '1K' },
      { per: 'image', usd: 0.2, image_size: '4K' },
      { per: 'image', usd: 0.05 },
    )
    expect(quoteOf('mine', 'openai', { imageSize: 'optimize_for_speed' }, byClass)).toBe(200_000)
    expect(quoteOf('mine', 'openai', { imageSize: '1K' }, byClass)).toBe(10_000)
  })
})
