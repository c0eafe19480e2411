/** Which of a price's `image` items a picture pays: the first that fits, and as long as that is not certain the dearest. */
import type { Size } from '../models/fields.ts'
import type { PriceItem } from '../models/price.ts'
import { newerWord } from '../models/quality.ts'
import { classOf } from '../models/ratio.ts'
import { sizeText } from '../models/size-rule.ts'

export type ImageItem = Extract<PriceItem, { per: 'image' }>

/** A picture as far as it is known: all of it when it has been made, some of it before. */
export interface PictureFacts {
  /** Absent before it is made, where the provider chooses. */
  size?: Size
  /** The most that it can have. */
  mostPixels: number
  /** The class that was asked for. */
  imageSize?: string
  /** `auto` is as good as absent. */
  quality?: string
}

type Fit = 'yes' | 'no' | 'maybe'

/**
 * The item of the picture. A price without an item for it charges its dearest one: a hole in a price list makes nothing
 * free. The less is known the dearer, so no picture costs more than it was quoted.
 */
export function fittingItem(items: readonly ImageItem[], facts: PictureFacts): ImageItem | undefined {
  const fits = items.map((item) => fitOf(item, facts))
  const certain = fits.indexOf('yes')
  const possible = certain < 0 ? items : items.filter((_, index) => index <= certain && fits[index] !== 'no')
  return possible.toSorted((a, b) => b.micros - a.micros)[0]
}

function fitOf(item: ImageItem, facts: PictureFacts): Fit {
  const parts: Fit[] = [
    wordFit(plain(item.quality), facts.quality === 'auto' ? undefined : plain(facts.quality)),
    wordFit(item.imageSize, facts.imageSize ?? (facts.size && classOf(facts.size))),
    wordFit(item.size, facts.size && sizeText(facts.size)),
    pixelFit(item.upToPixels, facts),
  ]
  if (parts.includes('no')) return 'no'
  return parts.includes('maybe') ? 'maybe' : 'yes'
}

function plain(quality: string | undefined): string | undefined {
  return quality === undefined ? undefined : newerWord(quality)
}

function wordFit(wanted: string | undefined, known: string | undefined): Fit {
  if (wanted === undefined) return 'yes'
  if (known === undefined) return 'maybe'
  return wanted === known ? 'yes' : 'no'
}

function pixelFit(limit: number | undefined, { size, mostPixels }: PictureFacts): Fit {
  if (limit === undefined) return 'yes'
  if (size) return size.width * size.height <= limit ? 'yes' : 'no'
  return mostPixels <= limit ? 'yes' : 'maybe'
}
