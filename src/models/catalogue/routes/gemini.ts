/**
 * What Google Gemini serves. Ratios, classes and pixels of the Gemini API guide "Image generation", prices of its page
 * "Pricing", both read 2026-11-20.
 */
import {
  factors,
  ofFlash,
  ofGemini3,
  ofGemini25,
  type Pixels,
  type ResolutionClass,
} from '../../../providers/gemini/gemini-pixels.ts'
import { fieldTable } from '../../field-table.ts'
import type { ModelRoute } from '../../model.ts'
import type { Price } from '../../price.ts'
import type { ListedSize } from '../../size-rule.ts'
import type { RouteTable } from '../identity.ts'

/** Google prints 792x168 for 21:9 at 512, which is no 21:9: it can be had by its ratio only. */
function sizesOf(pixels: Pixels, classes: readonly ResolutionClass[]): ListedSize[] {
  return classes.flatMap((name) =>
    Object.entries(pixels)
      .filter(([ratio]) => name !== '512' || ratio !== '21:9')
      .map(([, [width, height]]) => ({ width: width * factors[name], height: height * factors[name] })),
  )
}

/** The old sizes, each drawn in the size that the successor makes of the same ratio. */
const oldSizes: ListedSize[] = Object.entries(ofGemini25).map(([ratio, [width, height]]) => {
  const [drawnWidth = width, drawnHeight = height] = ofGemini3[ratio] ?? []
  const isDrawn = width === drawnWidth && height === drawnHeight
  return { width, height, ...(isDrawn ? {} : { drawnAs: { width: drawnWidth, height: drawnHeight } }) }
})

/** Micro-USD by class, named or known from the pixels: a class has four times as many as the one below it. */
function priced(micros: Partial<Record<ResolutionClass, number>> & { '1K': number }): Price {
  const { '512': half, '1K': one, '2K': two = one, '4K': four = two } = micros
  return {
    items: [
      ...Object.entries(micros).map(
        ([imageSize, each]) => ({ per: 'image', micros: each, imageSize }) as const,
      ),
      ...(half === undefined ? [] : [{ per: 'image', micros: half, upToPixels: 600_000 } as const]),
      { per: 'image', micros: one, upToPixels: 2_200_000 },
      { per: 'image', micros: two, upToPixels: 6_000_000 },
      { per: 'image', micros: four },
    ],
    asOf: '2026-11-20',
    source: 'https://ai.google.dev/gemini-api/docs/pricing',
  }
}

const flashPrice = { '512': 45_000, '1K': 67_000, '2K': 101_000, '4K': 151_000 }

function route(options: {
  upstreamModel: string
  dialect: string
  ratios: Pixels
  classes: readonly ResolutionClass[]
  sizes?: readonly ListedSize[]
  maxImages: number
  price: Price
}): ModelRoute {
  const {
    upstreamModel,
    dialect,
    ratios,
    classes,
    sizes = sizesOf(ratios, classes),
    maxImages,
    price,
  } = options
  return {
    provider: 'gemini',
    upstreamModel,
    dialect,
    // 32,768 tokens go in at the least.
    promptCharacters: 32_000,
    imagesPerCall: 1,
    fields: fieldTable({
      size: { support: 'converted', sizes: { kind: 'list', sizes }, default: 'auto' },
      aspectRatio: { support: 'native', values: Object.keys(ratios) },
      imageSize: { support: 'native', values: classes, default: '1K' },
      moderation: { support: 'converted', values: ['auto', 'low'], default: 'auto' },
      seed: { support: 'native', range: { min: 0, max: 2_147_483_647 } },
      disableSafetyChecker: { support: 'converted', default: false },
      images: { support: 'native', range: { min: 1, max: maxImages } },
    }),
    price,
  }
}

export const geminiRoutes: RouteTable = {
  'gemini-3-pro-image': route({
    upstreamModel: 'gemini-3-pro-image',
    dialect: 'gemini-3-pro',
    ratios: ofGemini3,
    classes: ['1K', '2K', '4K'],
    maxImages: 14,
    price: priced({ '1K': 134_000, '2K': 134_000, '4K': 240_000 }),
  }),
  'gemini-3.1-flash-image': route({
    upstreamModel: 'gemini-3.1-flash-image',
    dialect: 'gemini-3.1-flash',
    ratios: ofFlash,
    classes: ['512', '1K', '2K', '4K'],
    maxImages: 14,
    price: priced(flashPrice),
  }),
  'gemini-3.1-flash-lite-image': route({
    upstreamModel: 'gemini-3.1-flash-lite-image',
    dialect: 'gemini-3.1-flash-lite',
    ratios: ofFlash,
    classes: ['1K'],
    maxImages: 14,
    price: priced({ '1K': 33_600 }),
  }),
  // Closed on 2026-10-02. Towards the client it keeps the limits it had.
  'gemini-2.5-flash-image': route({
    upstreamModel: 'gemini-3.1-flash-image',
    dialect: 'gemini-3.1-flash',
    ratios: ofGemini25,
    classes: ['1K'],
    sizes: oldSizes,
    maxImages: 3,
    price: priced({ '1K': flashPrice['1K'] }),
  }),
}
