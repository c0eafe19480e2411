/** The price of a request before anybody works on it: the most that it can come to, which is what is reserved. */
import type { Price } from '../models/price.ts'
import { tableTokens } from './count-tokens.ts'
import type { PictureFacts } from './fitting-item.ts'
import { type CountedWork, sumPrice } from './price-lines.ts'
import type { PricedSum, PricedWork } from './priced-work.ts'

/** Where neither the request nor the model's table says how large a picture gets. */
const unknownPixels = 4_194_304

/** Every item that could fit at its highest. Never throws. */
export function quotePrice(price: Price, work: PricedWork): PricedSum {
  const { micros, components } = sumPrice(price, quotedWork(price, work))
  return { micros, components }
}

/** The work as it is counted before it is done. */
export function quotedWork(price: Price, work: PricedWork): CountedWork {
  const pictures = [{ facts: askedPicture(work), count: work.n }]
  return {
    pictures,
    calls: work.calls,
    inputImages: work.inputImages,
    inputPixels: work.inputPixels,
    tokens: tableTokens(price, work, pictures),
  }
}

/** A picture as far as it is known before it is made. */
export function askedPicture({
  size,
  mostPixels = unknownPixels,
  imageSize,
  quality,
}: PricedWork): PictureFacts {
  return { size, mostPixels: size ? size.width * size.height : mostPixels, imageSize, quality }
}
