/**
 * What Gesso reads of an answer of the Images API. Servers that imitate it differ in everything else, so a
 * field that is odd in any way counts as absent, and only a picture that cannot be found is an error.
 */
import { z } from 'zod'
import { count, text } from './wire-values.ts'

export const shortText = text(100)
const messageText = text(2_000)
/** As long as the longest prompt. */
const promptText = text(32_000)
/** Long base64 arrives decoded. */
const bytesOrText = z
  .union([z.instanceof(Buffer), z.string()])
  .optional()
  .catch(undefined)
  .transform((value) => (value?.length ? value : undefined))

const errorCode = z.preprocess((code) => (typeof code === 'number' ? String(code) : code), shortText)
/** Azure's, in both of its spellings. */
const innerError = z.object({ code: errorCode }).optional().catch(undefined)

/** `error` of an answer, in the shape of OpenAI; `code` may be a number elsewhere, `error` a bare string. */
const errorObject = z.object({
  message: messageText,
  type: shortText,
  code: errorCode,
  param: shortText,
  inner_error: innerError,
  innererror: innerError,
})
const wireError = z.union([errorObject, z.string().transform((message) => errorObject.parse({ message }))])
export type WireError = z.infer<typeof errorObject>

export const wireImage = z.object({
  b64_json: bytesOrText,
  url: bytesOrText,
  revised_prompt: promptText,
  seed: count,
  error: wireError.optional().catch(undefined),
})
export type WireImage = z.infer<typeof wireImage>

const tokenDetails = z
  .object({ text_tokens: count, image_tokens: count, cached_tokens: count })
  .optional()
  .catch(undefined)

const wireUsage = z.object({
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  input_tokens_details: tokenDetails,
  output_tokens_details: tokenDetails,
})
export type WireUsage = z.infer<typeof wireUsage>

/** The whole answer, with a success status or not. */
export const wireReply = z.object({
  data: z.array(z.unknown()).default([]).catch([]),
  size: shortText,
  quality: shortText,
  background: shortText,
  usage: wireUsage.optional().catch(undefined),
  error: wireError.optional().catch(undefined),
})
export type WireReply = z.infer<typeof wireReply>

/** One event of a stream: a stage of a picture, a whole one, or an error; one that says nothing is none. */
export const wireEvent = z.object({
  type: shortText,
  partial_image_index: count,
  b64_json: bytesOrText,
  url: bytesOrText,
  error: wireError
    .optional()
    .catch(undefined)
    .transform((error) => (error && Object.values(error).some(Boolean) ? error : undefined)),
})

/** An event that is an error by its name, and has the error's words beside its type. */
export const wireErrorEvent = errorObject.catch({})
