/**
 * What a vendor asks for a picture, as published: items that add up. Money is whole micro-USD (1e-6 USD), so that
 * nothing is lost to rounding before the end.
 */

/** One item of a price; a request pays every item that fits it. */
export type PriceItem =
  /** For each picture. `quality`, `imageSize` and `upToPixels` narrow it down: the first that fits counts. */
  | { per: 'image'; micros: number; quality?: string; imageSize?: string; upToPixels?: number }
  /** For each million pixels of each picture; `from` tells how many of them `image` items have paid already. */
  | { per: 'megapixel'; micros: number; from?: number }
  /** For each input picture. */
  | { per: 'input image'; micros: number }
  /** For a million tokens. */
  | { per: 'million tokens'; kind: 'text in' | 'image in' | 'cached image in' | 'image out'; micros: number }

export interface Price {
  items: readonly PriceItem[]
  /** The day the price was read, as `YYYY-MM-DD`. */
  asOf: string
  /** Where it was read. */
  source: string
}
