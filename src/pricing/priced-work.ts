/** What a price is applied to: before the work what is asked of the provider, after it what was made. Plain data. */
import { z } from 'zod'

const size = z.object({ width: z.int().min(1), height: z.int().min(1) })

/** What is asked of the provider, as far as prices speak of it. Kept with the task. */
export const pricedWork = z.object({
  /** The most pictures that can come; of a series its longest. */
  n: z.int().min(1),
  /** How many calls that is; each sends prompt and input pictures again. */
  calls: z.int().min(1),
  /** Of each picture; absent where the provider chooses. */
  size: size.optional(),
  /** The most pixels that a picture can have where the provider chooses. */
  mostPixels: z.int().min(1).optional(),
  imageSize: z.string().optional(),
  quality: z.string().optional(),
  /** Input pictures of one call, mask and markup included. */
  inputImages: z.int().min(0),
  /** The pixels of each of them; absent before they have been fetched. */
  inputPixels: z.array(z.int().min(1)).optional(),
  /** Of one call: the prompt in UTF-8, negative prompt included; no token is shorter than a byte. */
  promptBytes: z.int().min(0),
  /** Unfinished pictures that are shown of each picture. */
  partialImages: z.int().min(0),
})

export type PricedWork = z.infer<typeof pricedWork>

/** What came of it. What a provider says of itself is not believed further than it makes sense. */
export interface Delivery {
  /** The pictures that were delivered, as the provider made them. */
  images: readonly { width: number; height: number }[]
  /** How many the provider made, where some were lost on the way: its reports are about all of them. */
  made?: number
  /** The quality that the provider said it used; believed only where none was asked for. */
  quality?: string
  /** Tokens as the provider reported them, over all calls. */
  usage?: {
    inputTokens?: number
    outputTokens?: number
    inputTokensDetails?: { textTokens?: number; imageTokens?: number; cachedTokens?: number }
  }
  /** What the provider said it charged, over all calls. */
  reportedMicros?: number
  /** How long the provider said it worked, over all calls. */
  seconds?: number
}

/** One item of a sum, in the price's own words. */
export interface PriceComponent {
  /** Such as `image` or `million tokens`. */
  per: string
  /** What narrows the item down: a quality, a size, a kind of token. */
  of?: string
  /** How many of them: pictures, megapixels, tokens, seconds. */
  quantity: number
  /** Micro-USD for one, or for a million of them where it is tokens. */
  unit_micros: number
  /** Micro-USD, not rounded. Like those for one, together with the margin. */
  micros: number
}

/** A sum that is rounded once, up to the next micro-USD. */
export interface PricedSum {
  micros: number
  components: PriceComponent[]
}
