/** The price of a request: what it is applied to, and the most that it can come to. */
import type { Size } from '../models/fields.ts'
import type { MappedFields } from '../models/map-fields.ts'
import type { ServedModel } from '../models/model.ts'
import type { Price } from '../models/price.ts'
import { classNamed, mostPixelsOf, type ResolutionClass } from '../models/ratio.ts'
import { readSizeText, type SizeRule } from '../models/size-rule.ts'
import type { PricedSum, PricedWork } from '../pricing/priced-work.ts'
import { quotePrice } from '../pricing/quote-price.ts'
import type { PlannedCall } from './plan-calls.ts'
import type { PlannedWatching } from './plan-watching.ts'
import type { GenerationRequest } from './request.ts'

/** Kept with the task: it is billed by the price that it was quoted, whatever the price list says by then. */
export interface Pricing {
  price: Price
  work: PricedWork
  /** No charge is higher. */
  quote: PricedSum
}

/** A rewritten prompt has so many tokens at the most, and none is counted as less than a byte. */
const rewrittenBytes = 4_000

/** Undefined where the model has no price on this route. */
export function planPricing(parts: {
  model: ServedModel
  request: GenerationRequest
  mapped: MappedFields
  watched: PlannedWatching
  calls: readonly PlannedCall[]
  images: number
}): Pricing | undefined {
  const { model, request, mapped, watched, calls, images } = parts
  const { price } = model
  if (!price) return undefined
  const { quality, negativePrompt = '' } = mapped.provider
  const { sends } = mapped
  const size = mapped.provider.size ?? usualSize(model, mapped)
  const askedClass = classNamed(mapped.provider.imageSize)
  const imageSize = askedClass ?? (size ? undefined : classNamed(model.fields.imageSize.default))
  const work: PricedWork = {
    n: images,
    calls: calls.length,
    size,
    mostPixels: size ? undefined : mostPixels(model.fields.size.sizes, price, imageSize),
    imageSize,
    quality,
    inputImages: sends.images + (sends.mask ? 1 : 0) + (sends.markup ? 1 : 0),
    promptBytes:
      Buffer.byteLength(request.prompt) +
      Buffer.byteLength(negativePrompt) +
      (request.enhancedBy ? rewrittenBytes : 0),
    partialImages: watched.partialImages,
  }
  return { price, work, quote: quotePrice(price, work) }
}

/** The size that the model draws where nothing is said about it; an edit may be as large as its input picture. */
function usualSize(
  { fields }: ServedModel,
  { provider: { aspectRatio, imageSize }, sends }: MappedFields,
): Size | undefined {
  if (aspectRatio !== undefined || imageSize !== undefined || sends.images > 0) return undefined
  return readSizeText(String(fields.size.default))
}

/** What GPT Image draws where it chooses: 1024x1024, 1536x1024 or 1024x1536, whatever else could be asked of it. */
const usualPixels = 1_536 * 1_024

/** Of the largest picture that the model draws, and of the class where there is one. */
function mostPixels(
  sizes: SizeRule | undefined,
  price: Price,
  imageSize: ResolutionClass | undefined,
): number | undefined {
  if (price.items.some(({ per }) => per === 'million tokens')) return usualPixels
  const ofModel = sizes && largest(sizes)
  const ofClass = imageSize && mostPixelsOf(imageSize)
  const most = Math.min(ofModel ?? Number.POSITIVE_INFINITY, ofClass ?? Number.POSITIVE_INFINITY)
  return Number.isFinite(most) ? most : undefined
}

function largest(sizes: SizeRule): number {
  if (sizes.kind === 'list') {
    return Math.max(
      1,
      ...sizes.sizes.map(({ width, height, drawnAs }) => pixelsOf(drawnAs ?? { width, height })),
    )
  }
  return Math.min(sizes.maxPixels ?? Number.POSITIVE_INFINITY, sizes.maxEdge * sizes.maxEdge)
}

function pixelsOf({ width, height }: { width: number; height: number }): number {
  return width * height
}
