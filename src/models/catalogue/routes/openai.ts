/**
 * OpenAI's image models: limits of its Images API reference and of the `openai` SDK's types, read 2026-11-20.
 */
import { fieldTable, native } from '../../field-table.ts'
import type { ModelRoute } from '../../model.ts'
import type { Price } from '../../price.ts'
import type { SizeRule } from '../../size-rule.ts'
import type { RouteTable } from '../identity.ts'
import { retiredRoutes } from './openai-retired.ts'
import { anySize, threeSizes } from './openai-sizes.ts'

const fourQualities = ['auto', 'low', 'medium', 'high'] as const
const sixQualities = [...fourQualities, 'xhigh', 'max'] as const

/** Micro-USD for a million tokens of each kind: OpenAI's page "Pricing" and the pages of its models. */
function tokenPrice(
  imageTokens: Price['imageTokens'],
  micros: { textIn: number; imageIn: number; cachedIn: number; imageOut: number },
): Price {
  return {
    items: [
      { per: 'million tokens', kind: 'text in', micros: micros.textIn },
      { per: 'million tokens', kind: 'image in', micros: micros.imageIn },
      { per: 'million tokens', kind: 'cached image in', micros: micros.cachedIn },
      { per: 'million tokens', kind: 'image out', micros: micros.imageOut },
    ],
    imageTokens,
    asOf: '2026-11-21',
    source: 'https://developers.openai.com/api/docs/pricing',
  }
}

/** Of GPT Image 2 and all after it. */
const secondPrice = tokenPrice('gpt-image-2', {
  textIn: 5_000_000,
  imageIn: 8_000_000,
  cachedIn: 2_000_000,
  imageOut: 30_000_000,
})
/** The few words that these answer would be cheaper; they are charged like the picture. */
const firstPrice = tokenPrice('gpt-image-1', {
  textIn: 5_000_000,
  imageIn: 8_000_000,
  cachedIn: 2_000_000,
  imageOut: 32_000_000,
})
const miniPrice = tokenPrice('gpt-image-1-mini', {
  textIn: 2_000_000,
  imageIn: 2_500_000,
  cachedIn: 250_000,
  imageOut: 8_000_000,
})

/** What every one of them takes. */
const shared = {
  moderation: { support: 'native', values: ['auto', 'low'], default: 'auto' },
  safetyIdentifier: native,
} as const
const formats = {
  outputFormat: { support: 'native', values: ['png', 'jpeg', 'webp'], default: 'png' },
  outputCompression: { support: 'native', range: { min: 0, max: 100 } },
} as const

function gptImage(options: {
  id: string
  sizes: SizeRule
  qualities: readonly string[]
  /** The words of input_fidelity; absent where the model is told none. */
  fidelities?: readonly string[]
  /** Can be told how much thought to give. */
  thinks?: boolean
  takesMarkup?: boolean
  price?: Price
}): ModelRoute {
  return {
    provider: 'openai',
    upstreamModel: options.id,
    dialect: 'gpt-image',
    promptCharacters: 32_000,
    imagesPerCall: 10,
    streams: true,
    price: options.price,
    fields: fieldTable({
      ...shared,
      ...formats,
      size: { support: 'native', sizes: options.sizes, default: 'auto' },
      quality: { support: 'converted', values: options.qualities, default: 'auto' },
      background: { support: 'native', values: ['transparent', 'opaque', 'auto'], default: 'auto' },
      images: { support: 'native', range: { min: 1, max: 16 } },
      mask: native,
      ...(options.thinks ? { complexity: { support: 'native', values: ['low', 'medium', 'high'] } } : {}),
      ...(options.takesMarkup ? { markup: native } : {}),
      ...(options.fidelities
        ? { inputFidelity: { support: 'native', values: options.fidelities, default: 'low' } }
        : {}),
    }),
  }
}

export const openaiRoutes: RouteTable = {
  'gpt-image-2.6-sunburst': gptImage({
    id: 'gpt-image-2.6-sunburst',
    sizes: anySize,
    qualities: sixQualities,
    thinks: true,
    takesMarkup: true,
    price: secondPrice,
  }),
  'gpt-image-2.6-flare': gptImage({
    id: 'gpt-image-2.6-flare',
    sizes: anySize,
    qualities: sixQualities,
    thinks: true,
    takesMarkup: true,
    price: secondPrice,
  }),
  'gpt-image-2': gptImage({
    id: 'gpt-image-2',
    sizes: anySize,
    qualities: fourQualities,
    price: secondPrice,
  }),
  'gpt-image-2.5-sunburst': gptImage({
    id: 'gpt-image-2.5-sunburst',
    sizes: anySize,
    qualities: sixQualities,
    takesMarkup: true,
    price: secondPrice,
  }),
  'gpt-image-2.5-flare': gptImage({
    id: 'gpt-image-2.5-flare',
    sizes: anySize,
    qualities: sixQualities,
    takesMarkup: true,
    price: secondPrice,
  }),
  'gpt-image-1.5': gptImage({
    id: 'gpt-image-1.5',
    sizes: threeSizes,
    qualities: fourQualities,
    fidelities: ['low', 'high'],
    price: firstPrice,
  }),
  'gpt-image-1-mini': gptImage({
    id: 'gpt-image-1-mini',
    sizes: threeSizes,
    qualities: fourQualities,
    fidelities: ['low'],
    price: miniPrice,
  }),
  'chatgpt-image-latest': gptImage({
    id: 'chatgpt-image-latest',
    sizes: threeSizes,
    qualities: fourQualities,
    price: firstPrice,
  }),
  ...retiredRoutes({
    route: {
      provider: 'openai',
      upstreamModel: 'gpt-image-2',
      dialect: 'gpt-image',
      imagesPerCall: 10,
      price: secondPrice,
    },
    shared,
    formats,
    quality: { support: 'converted', values: fourQualities, default: 'auto' },
  }),
}
