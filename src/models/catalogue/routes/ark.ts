/**
 * What ByteDance Ark serves: limits of the "Image generation API" of Volcengine Ark and BytePlus ModelArk, read
 * 2026-11-20. The ids and prices are those of BytePlus; at Volcengine the provider writes its own ids, and yuan are paid.
 */
import { fieldTable, native } from '../../field-table.ts'
import type { ModelRoute } from '../../model.ts'
import type { PriceItem } from '../../price.ts'
import type { SizeRange } from '../../size-rule.ts'
import type { RouteTable } from '../identity.ts'

/** What the generations differ in. */
interface Generation {
  upstreamModel: string
  dialect: string
  sizes: SizeRange
  defaultSize: string
  imageSizes: readonly string[]
  maxImages: number
  prices: readonly PriceItem[]
  /** Makes PNG too, where that is asked for; else it is always JPEG. */
  choosesFormat?: boolean
  hasFastMode?: boolean
  /** Knows neither series nor streams. */
  isSingle?: boolean
}

function seedream(generation: Generation): ModelRoute {
  const { upstreamModel, dialect, sizes, defaultSize, imageSizes, maxImages } = generation
  const { prices, choosesFormat, hasFastMode, isSingle } = generation
  return {
    provider: 'ark',
    upstreamModel,
    dialect,
    promptCharacters: 4_000,
    imagesPerCall: 1,
    ...(!isSingle && { streams: true }),
    fields: fieldTable({
      size: { support: 'native', sizes, default: defaultSize },
      imageSize: { support: 'native', values: imageSizes },
      outputFormat: choosesFormat
        ? { support: 'native', values: ['png', 'jpeg'], default: 'jpeg' }
        : { support: 'emulated', values: ['png', 'jpeg', 'webp', 'avif'], default: 'jpeg' },
      images: { support: 'native', range: { min: 1, max: maxImages } },
      watermark: { support: 'native', default: false },
      ...(hasFastMode && { goFast: { support: 'converted', default: false } }),
      ...(!isSingle && { series: native }),
    }),
    price: {
      items: prices,
      asOf: '2026-09-16',
      source: 'https://docs.byteplus.com/en/docs/ModelArk/1544106',
    },
  }
}

/** Every size of so many pixels that is not longer than 16:1. */
function pixels(minPixels: number, maxPixels: number): SizeRange {
  const maxRatio = 16
  return {
    kind: 'range',
    minEdge: Math.ceil(Math.sqrt(minPixels / maxRatio)),
    // No longer than a WebP can be.
    maxEdge: Math.min(16_383, Math.floor(Math.sqrt(maxPixels * maxRatio))),
    minPixels,
    maxPixels,
    maxRatio,
  }
}

/** For each picture that was made, whatever its size. */
function perImage(micros: number): readonly PriceItem[] {
  return [{ per: 'image', micros }]
}

/**
 * Twice as much above "2.61 million pixels"; where BytePlus gives such a bound exactly it is this one. The first input
 * picture is free.
 */
const proPrices: readonly PriceItem[] = [
  { per: 'image', micros: 45_000, upToPixels: 2_601_123 },
  { per: 'image', micros: 90_000 },
  { per: 'input image', micros: 3_000, from: 1 },
]

export const arkRoutes: RouteTable = {
  'seedream-5.0-pro': seedream({
    upstreamModel: 'seedream-5-0-pro-260628',
    dialect: 'seedream-5.0-pro',
    sizes: pixels(921_600, 4_624_220),
    defaultSize: '1024x1024',
    imageSizes: ['1K', '2K'],
    maxImages: 10,
    prices: proPrices,
    choosesFormat: true,
    hasFastMode: true,
    isSingle: true,
  }),
  'seedream-5.0': seedream({
    upstreamModel: 'seedream-5-0-260128',
    dialect: 'seedream-5.0',
    sizes: pixels(3_686_400, 16_777_216),
    defaultSize: '2048x2048',
    imageSizes: ['2K', '4K'],
    maxImages: 14,
    prices: perImage(35_000),
    choosesFormat: true,
  }),
  'seedream-4.5': seedream({
    upstreamModel: 'seedream-4-5-251128',
    dialect: 'seedream-4.5',
    sizes: pixels(3_686_400, 16_777_216),
    defaultSize: '2048x2048',
    imageSizes: ['2K', '4K'],
    maxImages: 14,
    prices: perImage(40_000),
  }),
  'seedream-4.0': seedream({
    upstreamModel: 'seedream-4-0-250828',
    dialect: 'seedream-4.0',
    sizes: pixels(921_600, 16_777_216),
    defaultSize: '2048x2048',
    imageSizes: ['1K', '2K', '4K'],
    maxImages: 10,
    prices: perImage(30_000),
    hasFastMode: true,
  }),
}
