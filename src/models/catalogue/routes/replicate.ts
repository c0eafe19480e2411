/**
 * What Replicate serves: inputs, ranges and defaults of the models' pages on replicate.com and of the source of the open
 * ones, read 2026-11-20. A prompt may have 4,000 characters, as the services that resell these models have it.
 */

import { fieldTable, native } from '../../field-table.ts'
import type { FieldName } from '../../fields.ts'
import type { FieldRule, ModelRoute } from '../../model.ts'
import type { Price, PriceItem } from '../../price.ts'
import type { RouteTable } from '../identity.ts'
import { cogFluxRatios, cogFluxSizes, qwenRatios, qwenSizes } from './replicate-sizes.ts'

const elevenRatios = ['21:9', '16:9', '3:2', '4:3', '5:4', '1:1', '4:5', '3:4', '2:3', '9:16', '9:21']
const nineRatios = ['16:9', '3:2', '4:3', '5:4', '1:1', '4:5', '3:4', '2:3', '9:16']

const seed: FieldRule = { support: 'native', range: { min: 0, max: 4_294_967_295 } }
const smallSeed: FieldRule = { support: 'native', range: { min: 0, max: 2_147_483_647 } }
const moderation: FieldRule = { support: 'converted', values: ['auto', 'low'], default: 'auto' }
const quality: FieldRule = { support: 'renamed', range: { min: 0, max: 100 }, default: 80 }
const unsupported: FieldRule = { support: 'unsupported' }

function ratios(values: readonly string[], usual?: string): FieldRule {
  return { support: 'native', values, default: usual }
}

function formats(usual: string, values: readonly string[] = ['png', 'jpeg', 'webp']): FieldRule {
  return { support: 'converted', values, default: usual }
}

const jpegOrPng = ['png', 'jpeg']

function pictures(max: number): FieldRule {
  return { support: 'renamed', range: { min: 1, max } }
}

function edges(minEdge: number, maxEdge: number, multipleOf: number): FieldRule {
  return {
    support: 'native',
    sizes: { kind: 'range', minEdge, maxEdge, multipleOf },
    default: '1024x1024',
  }
}

function perImage(micros: number) {
  return { per: 'image', micros } as const
}

/** Megapixels that are begun count as whole ones, whether they come out or go in; of an input picture, no more than four. */
function perMegapixel(micros: number): readonly PriceItem[] {
  return [
    { per: 'megapixel', micros, begun: true },
    { per: 'input megapixel', micros, atMost: 4 },
  ]
}

/** Official models are charged by what they make, however long it takes them, and one call makes one picture. */
const prices: Readonly<Record<string, readonly PriceItem[]>> = {
  'black-forest-labs/flux-schnell': [perImage(3_000)],
  'black-forest-labs/flux-schnell-lora': [perImage(20_000)],
  'black-forest-labs/flux-dev': [perImage(25_000)],
  'black-forest-labs/flux-pro': [perImage(55_000)],
  'black-forest-labs/flux-1.1-pro': [perImage(40_000)],
  'black-forest-labs/flux-1.1-pro-ultra': [perImage(60_000)],
  'black-forest-labs/flux-kontext-pro': [perImage(40_000)],
  'black-forest-labs/flux-kontext-max': [perImage(80_000)],
  'black-forest-labs/flux-depth-pro': [perImage(50_000)],
  'black-forest-labs/flux-canny-pro': [perImage(50_000)],
  'black-forest-labs/flux-2-pro': [perImage(15_000), ...perMegapixel(15_000)],
  'black-forest-labs/flux-2-flex': perMegapixel(60_000),
  'qwen/qwen-image': [perImage(25_000)],
  // One price for each class of megapixels; a picture between two classes counts as one of the larger.
  'prunaai/z-image-turbo': [
    { ...perImage(2_500), upToPixels: 524_288 },
    { ...perImage(5_000), upToPixels: 1_048_576 },
    { ...perImage(10_000), upToPixels: 2_097_152 },
    { ...perImage(15_000), upToPixels: 3_145_728 },
    perImage(20_000),
  ],
}

/** Replicate asks for FLUX 3 what its maker does. Who wishes for no class gets the smallest one. */
const flux3Price: Price = {
  items: [
    { ...perImage(48_000), imageSize: '1K' },
    { ...perImage(100_000), imageSize: '2K' },
    { ...perImage(607_000), imageSize: '4K' },
    perImage(48_000),
  ],
  asOf: '2026-10-09',
  source: 'https://docs.bfl.ai/quick_start/pricing',
}

function priceOf(model: string): Price | undefined {
  if (model === 'black-forest-labs/flux-3-image') return flux3Price
  const items = prices[model]
  return items && { items, asOf: '2026-09-16', source: `https://replicate.com/${model}` }
}

function route(
  upstreamModel: string,
  dialect: string,
  fields: Partial<Record<FieldName, FieldRule>>,
  imagesPerCall = 1,
): ModelRoute {
  return {
    provider: 'replicate',
    upstreamModel,
    dialect,
    promptCharacters: 4_000,
    imagesPerCall,
    fields: fieldTable(fields),
    price: priceOf(upstreamModel),
  }
}

/**
 * FLUX.1 [schnell] and [dev]. They could make four pictures at once, but of one seed for all: picture k would not be the
 * picture of `seed + k`. To them 0 is no seed but the wish for any.
 */
const cogFlux = {
  size: { support: 'converted', sizes: { kind: 'list', sizes: cogFluxSizes }, default: '1024x1024' },
  aspectRatio: ratios(cogFluxRatios, '1:1'),
  imageSize: { support: 'renamed', values: ['512', '1K'], default: '1K' },
  seed: { support: 'native', range: { min: 1, max: 4_294_967_295 } },
  steps: { support: 'native', range: { min: 1, max: 4 }, default: 4 },
  goFast: { support: 'native', default: true },
  disableSafetyChecker: { support: 'native', default: false },
  outputFormat: formats('webp'),
  outputCompression: quality,
} satisfies Partial<Record<FieldName, FieldRule>>

const fluxPro: Partial<Record<FieldName, FieldRule>> = {
  size: edges(256, 1440, 32),
  aspectRatio: ratios(nineRatios, '1:1'),
  imageSize: unsupported,
  moderation,
  seed,
  images: pictures(1),
  outputFormat: formats('webp'),
  outputCompression: quality,
}

const fluxKontext: Partial<Record<FieldName, FieldRule>> = {
  aspectRatio: ratios([...elevenRatios, '2:1', '1:2']),
  imageSize: unsupported,
  moderation,
  seed,
  images: pictures(1),
  outputFormat: formats('png', jpegOrPng),
}

const fluxControl: Partial<Record<FieldName, FieldRule>> = {
  aspectRatio: unsupported,
  imageSize: unsupported,
  moderation,
  seed,
  steps: { support: 'renamed', range: { min: 15, max: 50 }, default: 50 },
  guidance: { support: 'native', range: { min: 1, max: 100 }, default: 30 },
  images: { ...pictures(1), required: true },
  outputFormat: formats('jpeg', jpegOrPng),
}

const flux2: Partial<Record<FieldName, FieldRule>> = {
  ...fluxPro,
  size: edges(256, 2048, 16),
  imageSize: { support: 'renamed', values: ['512', '1K', '2K'], default: '1K' },
  images: pictures(8),
}

export const replicateRoutes: RouteTable = {
  'flux-1-schnell': route('black-forest-labs/flux-schnell', 'flux-schnell', cogFlux),
  'flux-1-schnell-lora': route('black-forest-labs/flux-schnell-lora', 'flux-schnell-lora', {
    ...cogFlux,
    loraWeights: native,
    loraScale: { support: 'native', range: { min: -1, max: 3 }, default: 1 },
  }),
  'flux-1-dev': route('black-forest-labs/flux-dev', 'flux-dev', {
    ...cogFlux,
    size: { ...cogFlux.size, withoutImages: true },
    aspectRatio: { ...cogFlux.aspectRatio, withoutImages: true },
    imageSize: { ...cogFlux.imageSize, withoutImages: true },
    steps: { support: 'native', range: { min: 1, max: 50 }, default: 28 },
    guidance: { support: 'native', range: { min: 0, max: 10 }, default: 3.5 },
    images: { support: 'native', range: { min: 1, max: 1 } },
    strength: { support: 'renamed', range: { min: 0, max: 1 }, default: 0.8 },
  }),
  'flux-pro': route('black-forest-labs/flux-pro', 'flux-pro', {
    ...fluxPro,
    steps: { support: 'renamed', range: { min: 1, max: 50 }, default: 25 },
    guidance: { support: 'native', range: { min: 2, max: 5 }, default: 3 },
  }),
  'flux-1.1-pro': route('black-forest-labs/flux-1.1-pro', 'flux-1.1-pro', fluxPro),
  'flux-1.1-pro-ultra': route('black-forest-labs/flux-1.1-pro-ultra', 'flux-1.1-pro-ultra', {
    aspectRatio: ratios(elevenRatios, '1:1'),
    imageSize: unsupported,
    moderation,
    seed,
    images: pictures(1),
    strength: { support: 'converted', range: { min: 0, max: 1 }, default: 0.9 },
    outputFormat: formats('jpeg', jpegOrPng),
  }),
  'flux-kontext-pro': route('black-forest-labs/flux-kontext-pro', 'flux-kontext', fluxKontext),
  'flux-kontext-max': route('black-forest-labs/flux-kontext-max', 'flux-kontext', fluxKontext),
  'flux-depth-pro': route('black-forest-labs/flux-depth-pro', 'flux-control', fluxControl),
  'flux-canny-pro': route('black-forest-labs/flux-canny-pro', 'flux-control', fluxControl),
  'flux-2-pro': route('black-forest-labs/flux-2-pro', 'flux-2-pro', flux2),
  'flux-2-flex': route('black-forest-labs/flux-2-flex', 'flux-2-flex', {
    ...flux2,
    steps: { support: 'renamed', range: { min: 1, max: 50 }, default: 30 },
    guidance: { support: 'native', range: { min: 1.5, max: 10 }, default: 4.5 },
    images: pictures(10),
  }),
  'flux-3-image': route('black-forest-labs/flux-3-image', 'flux-3', {
    aspectRatio: ratios(elevenRatios),
    imageSize: { support: 'renamed', values: ['1K', '2K', '4K'], default: '1K' },
    moderation,
    images: pictures(10),
    outputFormat: formats('webp'),
    outputCompression: quality,
  }),
  'qwen-image': route('qwen/qwen-image', 'qwen-image', {
    size: { support: 'converted', sizes: { kind: 'list', sizes: qwenSizes }, default: '1664x928' },
    aspectRatio: ratios(qwenRatios, '16:9'),
    imageSize: {
      support: 'native',
      values: ['optimize_for_quality', 'optimize_for_speed'],
      default: 'optimize_for_quality',
    },
    seed: smallSeed,
    negativePrompt: native,
    guidance: { support: 'native', range: { min: 0, max: 10 }, default: 3 },
    steps: { support: 'native', range: { min: 1, max: 50 }, default: 30 },
    strength: { support: 'native', range: { min: 0, max: 1 }, default: 0.9 },
    goFast: { support: 'native', default: true },
    disableSafetyChecker: { support: 'native', default: false },
    loraWeights: native,
    loraScale: { support: 'native', range: { min: -3, max: 3 }, default: 1 },
    extraLoraWeights: native,
    extraLoraScale: { support: 'native', range: { min: -3, max: 3 }, default: 1 },
    images: { support: 'native', range: { min: 1, max: 1 } },
    outputFormat: formats('webp'),
    outputCompression: quality,
  }),
  'qwen-image-2.1-lora': route(
    'replicate/qwen-image-2.1-lora',
    'qwen-image-lora',
    {
      size: edges(256, 2048, 32),
      guidance: { support: 'renamed', range: { min: 1, max: 10 } },
      loraWeights: { support: 'renamed' },
      loraScale: { support: 'native', range: { min: -3, max: 3 } },
      images: pictures(10),
    },
    4,
  ),
  'z-image-turbo': route('prunaai/z-image-turbo', 'z-image', {
    size: edges(64, 2048, 16),
    seed: smallSeed,
    guidance: { support: 'renamed', range: { min: 0, max: 20 }, default: 0 },
    steps: { support: 'native', range: { min: 1, max: 50 }, default: 8 },
    outputFormat: formats('jpeg'),
    outputCompression: quality,
  }),
}
