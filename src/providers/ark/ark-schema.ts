/**
 * What Gesso reads of an answer of Ark's image API. A field that is odd in any way counts as absent, and only a picture
 * that cannot be found is an error.
 */
import { z } from 'zod'
import { count, text } from '../wire-values.ts'

export const shortText = text(200)

/** Long base64 arrives decoded. */
const bytesOrText = z
  .union([z.instanceof(Buffer), z.string()])
  .optional()
  .catch(undefined)

const wireError = z
  .object({ code: shortText, message: text(2_000), type: shortText, param: shortText })
  .optional()
  .catch(undefined)
export type WireError = NonNullable<z.infer<typeof wireError>>

/** An entry of `data`: a picture, or why there is none. */
const wireImage = z.object({
  b64_json: bytesOrText,
  url: text(8_192),
  /** `2048x2048`. */
  size: shortText,
  error: wireError,
})
export type WireImage = z.infer<typeof wireImage>

/** No answer has more than a thousand million. */
const tokens = z.int().min(0).max(1_000_000_000).optional().catch(undefined)
const wireUsage = z.object({ output_tokens: tokens, total_tokens: tokens }).optional().catch(undefined)

/** The whole answer, with a success status or not. */
export const wireReply = z.object({
  data: z.array(wireImage.catch({})).default([]).catch([]),
  usage: wireUsage,
  error: wireError,
})
export type WireReply = z.infer<typeof wireReply>

/** One event of a stream; `type` repeats the event's name. */
export const wireEvent = wireImage.extend({ type: shortText, image_index: count, usage: wireUsage })
export type WireEvent = z.infer<typeof wireEvent>
