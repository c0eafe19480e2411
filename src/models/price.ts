/**
 * What a vendor asks for a picture, as published: items that add up. Money is whole micro-USD (1e-6 USD), so that
 * nothing is lost to rounding before the end. Plain data: a price is kept with the task that it was quoted for.
 */
import { z } from 'zod'

const micros = z.number().min(0)
const pixels = z.int().min(1)

/** One item of a price; a request pays every item that fits it. Micro-USD may have parts in a price for many. */
export const priceItem = z.discriminatedUnion('per', [
  /**
   * For each picture. `quality`, `imageSize`, `size` (`WxH`) and `upToPixels` narrow it down: the first item of this kind
   * that fits a picture counts.
   */
  z.strictObject({
    per: z.literal('image'),
    micros,
    quality: z.string().optional(),
    imageSize: z.string().optional(),
    size: z.string().optional(),
    upToPixels: pixels.optional(),
  }),
  /**
   * For each million pixels of each picture; `from` tells how many of them `image` items have paid already. `begun`: for
   * each 1,048,576 of them that are begun.
   */
  z.strictObject({
    per: z.literal('megapixel'),
    micros,
    from: z.number().min(0).optional(),
    begun: z.literal(true).optional(),
  }),
  /** For each input picture; `from` tells how many are free. */
  z.strictObject({ per: z.literal('input image'), micros, from: z.int().min(0).optional() }),
  /** For each 1,048,576 pixels of each input picture that are begun; `atMost` of one picture are ever charged. */
  z.strictObject({ per: z.literal('input megapixel'), micros, atMost: z.int().min(1) }),
  /** For a million tokens. */
  z.strictObject({
    per: z.literal('million tokens'),
    kind: z.enum(['text in', 'image in', 'cached image in', 'image out']),
    micros,
  }),
  /** For each second that the provider says it worked; `atMost` seconds of one call are ever charged. */
  z.strictObject({ per: z.literal('second'), micros, atMost: z.number().min(0) }),
  /** What the provider says it charged; where it tells nothing, `micros` for each picture, and never more than those. */
  z.strictObject({ per: z.literal('reported cost'), micros }),
])

export type PriceItem = z.infer<typeof priceItem>

/** The tables by which OpenAI counts the tokens of a picture. */
export const imageTokenTables = ['gpt-image-1', 'gpt-image-1-mini', 'gpt-image-2'] as const

export const price = z.strictObject({
  items: z.array(priceItem).readonly(),
  /** How a picture's output tokens are counted where the provider does not tell, and before it can. */
  imageTokens: z.enum(imageTokenTables).optional(),
  /** What is put on top for this server's callers, in percent of the items. */
  marginPercent: z.number().min(0).optional(),
  /** The day the price was read, as `YYYY-MM-DD`; `configured` where an operator who does not say it has set it. */
  asOf: z.string(),
  /** Where it was read: an address, or `gesso.yaml`. */
  source: z.string(),
})

export type Price = z.infer<typeof price>
