/**
 * What fal serves: fal's model API reference (https://fal.ai/docs/model-api-reference) and the input types of
 * `@fal-ai/client` 1.10.1, read 2026-11-20. fal takes any edge up to 14,142 pixels; where it names no limit of a model,
 * the sizes are those that the model was made for.
 */
import { fieldTable, native } from '../../field-table.ts'
import type { FieldName } from '../../fields.ts'
import type { FieldRule, ModelRoute } from '../../model.ts'
import type { Price, PriceItem } from '../../price.ts'
import type { SizeRule } from '../../size-rule.ts'
import type { RouteTable } from '../identity.ts'

type Fields = Partial<Record<FieldName, FieldRule>>

const seed: FieldRule = { support: 'native', range: { min: 0, max: 2 ** 32 - 1 } }
const formats = (usual: string, ...others: string[]): FieldRule => ({
  support: 'native',
  values: [usual, ...others],
  default: usual,
})
const guidance = (usual: number): FieldRule => ({
  support: 'renamed',
  range: { min: 1, max: 20 },
  default: usual,
})
const steps = (min: number, max: number, usual: number): FieldRule => ({
  support: 'native',
  range: { min, max },
  default: usual,
})
const pictures = (max: number, required = false): FieldRule => ({
  support: 'renamed',
  range: { min: 1, max },
  required,
})
const upToFourMegapixels: SizeRule = {
  kind: 'range',
  minEdge: 256,
  maxEdge: 2_048,
  multipleOf: 16,
  maxPixels: 2_048 * 2_048,
}
/** The usual size is fal's `landscape_4_3`. */
const size = (sizes: SizeRule): FieldRule => ({ support: 'renamed', sizes, default: '1024x768' })
const lora: FieldRule = { support: 'renamed', range: { min: 0, max: 4 } }

/** A switch of its own for the safety checker, and one for speed. */
const open: Fields = {
  seed,
  disableSafetyChecker: { support: 'converted', default: false },
  goFast: { support: 'converted' },
}

/** Partner models: levels of tolerance instead of a switch. */
const pro: Fields = {
  seed,
  outputFormat: formats('jpeg', 'png'),
  moderation: { support: 'converted', values: ['auto', 'low'], default: 'auto' },
}

/** They draw ratios, and pixels are for the model to choose. */
const ratios = (usual?: string): Fields => ({
  aspectRatio: {
    support: 'native',
    values: ['21:9', '16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16', '9:21'],
    default: usual,
  },
  imageSize: { support: 'unsupported' },
})

/** No wish about the size can be told: the picture is as large as the input picture. */
const asItsInput: Fields = {
  aspectRatio: { support: 'unsupported' },
  imageSize: { support: 'unsupported' },
}

/**
 * fal can make four pictures with one call. Gesso asks for one at a time: only then does picture k have the seed
 * `seed + k`, and the price is the same.
 */
function route(upstreamModel: string, dialect: string, special: Fields): ModelRoute {
  return {
    provider: 'fal',
    upstreamModel,
    dialect,
    promptCharacters: 4_000,
    imagesPerCall: 1,
    fields: fieldTable(special),
    price: priceOf(upstreamModel),
  }
}

function perImage(micros: number): PriceItem {
  return { per: 'image', micros }
}

/** fal counts a megapixel that is begun as a whole. */
function perMegapixel(micros: number, from = 0): PriceItem {
  return { per: 'megapixel', micros, begun: true, ...(from > 0 && { from }) }
}

/** What each endpoint costs. Gesso's are all charged by what they make. */
const prices: Readonly<Record<string, readonly PriceItem[]>> = {
  'fal-ai/flux/schnell': [perMegapixel(3_000)],
  // An edit is as large as its input picture, and each of its megapixels costs so much more.
  'fal-ai/flux/dev': [perMegapixel(25_000), { per: 'input megapixel', micros: 5_000, atMost: 4 }],
  'fal-ai/flux-pro/v1.1': [perMegapixel(40_000)],
  'fal-ai/flux-pro/v1.1-ultra': [perImage(60_000)],
  'fal-ai/flux-pro/kontext': [perImage(40_000)],
  'fal-ai/flux-pro/kontext/max': [perImage(80_000)],
  'fal-ai/flux-pro/v1/fill': [perMegapixel(50_000)],
  'fal-ai/flux-2-pro': [
    perImage(30_000),
    perMegapixel(15_000, 1),
    { per: 'input megapixel', micros: 15_000, atMost: 4 },
  ],
  'fal-ai/qwen-image': [perMegapixel(20_000)],
  'fal-ai/qwen-image-edit': [perMegapixel(30_000)],
  'fal-ai/z-image/turbo': [perMegapixel(5_000)],
}

function priceOf(model: string): Price | undefined {
  const items = prices[model]
  return items && { items, asOf: '2026-09-23', source: `https://fal.ai/models/${model}` }
}

const kontext: Fields = { ...pro, ...ratios('1:1'), guidance: guidance(3.5), images: pictures(4) }

const qwen: Fields = {
  ...open,
  size: size(upToFourMegapixels),
  outputFormat: formats('png', 'jpeg'),
  steps: steps(2, 50, 30),
  negativePrompt: native,
}

export const falRoutes: RouteTable = {
  'flux-1-schnell': route('fal-ai/flux/schnell', 'flux-schnell', {
    ...open,
    size: size(upToFourMegapixels),
    outputFormat: formats('jpeg', 'png'),
    guidance: guidance(3.5),
    steps: steps(1, 12, 4),
  }),
  'flux-1-dev': route('fal-ai/flux/dev', 'flux-dev', {
    ...open,
    size: { ...size(upToFourMegapixels), withoutImages: true },
    aspectRatio: { support: 'converted', withoutImages: true },
    imageSize: { support: 'converted', values: ['512', '1K', '2K'], withoutImages: true },
    outputFormat: formats('jpeg', 'png'),
    guidance: guidance(3.5),
    // Fewer than ten are for generations only.
    steps: steps(10, 50, 28),
    images: pictures(1),
    strength: { support: 'native', range: { min: 0.01, max: 1 }, default: 0.95 },
  }),
  'flux-1.1-pro': route('fal-ai/flux-pro/v1.1', 'flux-pro', {
    ...pro,
    size: size({ kind: 'range', minEdge: 256, maxEdge: 1_440, multipleOf: 32 }),
  }),
  'flux-1.1-pro-ultra': route('fal-ai/flux-pro/v1.1-ultra', 'flux-ultra', {
    ...pro,
    ...ratios('16:9'),
    images: pictures(1),
    // fal asks for the opposite: how much of the picture shall be seen, by itself a tenth.
    strength: { support: 'converted', range: { min: 0, max: 1 }, default: 0.9 },
  }),
  'flux-kontext-pro': route('fal-ai/flux-pro/kontext', 'flux-kontext', kontext),
  'flux-kontext-max': route('fal-ai/flux-pro/kontext/max', 'flux-kontext', kontext),
  'flux-fill-pro': route('fal-ai/flux-pro/v1/fill', 'flux-fill', {
    ...pro,
    ...asItsInput,
    images: pictures(1, true),
    mask: { support: 'converted', required: true },
  }),
  'qwen-image': route('fal-ai/qwen-image', 'qwen-image', {
    ...qwen,
    guidance: guidance(2.5),
    loraWeights: { support: 'renamed' },
    loraScale: { ...lora, default: 1 },
    extraLoraWeights: { support: 'renamed', maxItems: 2 },
    extraLoraScale: lora,
  }),
  'qwen-image-edit': route('fal-ai/qwen-image-edit', 'qwen-image-edit', {
    ...qwen,
    size: { support: 'renamed', sizes: upToFourMegapixels },
    guidance: guidance(4),
    images: pictures(1, true),
  }),
  'z-image-turbo': route('fal-ai/z-image/turbo', 'z-image', {
    ...open,
    size: size(upToFourMegapixels),
    outputFormat: formats('png', 'jpeg', 'webp'),
    steps: steps(1, 8, 8),
  }),
  'flux-2-pro': route('fal-ai/flux-2-pro', 'flux-2', {
    ...pro,
    size: size(upToFourMegapixels),
    disableSafetyChecker: { support: 'converted', default: false },
    images: pictures(8),
  }),
}
