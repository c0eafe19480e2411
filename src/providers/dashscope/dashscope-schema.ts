/**
 * What Gesso reads of an answer of DashScope, with whatever status: pictures of a call that answers at once, the state
 * of a task, and the flat `{code, message, request_id}` of an error (Model Studio's API references, read 2026-11-20). A
 * field that is odd in any way counts as absent.
 */
import { z } from 'zod'
import { count, text } from '../wire-values.ts'

const shortText = text(200)
const messageText = text(2_000)
const promptText = text(32_000)
const webAddress = z
  .string()
  .regex(/^https?:\/\//i)
  .optional()
  .catch(undefined)

/** One picture or why it failed: `image` in the messages protocol, `url` in the prompt protocol. */
export const wirePicture = z.object({
  image: webAddress,
  url: webAddress,
  orig_prompt: promptText,
  actual_prompt: promptText,
  code: shortText,
  message: messageText,
})
export type WirePicture = z.infer<typeof wirePicture>

const list = z.array(z.unknown()).default([]).catch([])
const wireChoice = z.object({ message: z.object({ content: list }) })

const wireOutput = z.object({
  task_id: shortText,
  /** PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, UNKNOWN, and words yet to come. */
  task_status: shortText,
  code: shortText,
  message: messageText,
  /** Entries are `WirePicture`s. */
  results: list,
  choices: z
    .array(wireChoice.optional().catch(undefined))
    .default([])
    .catch([])
    .transform((choices) => choices.flatMap((choice) => choice?.message.content ?? [])),
})

/** No answer has more than a thousand million. */
const tokens = z.int().min(0).max(1_000_000_000).optional().catch(undefined)

const wireUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  total_tokens: tokens,
  /** `1280*1280`. */
  size: shortText,
  width: count,
  height: count,
})
export type WireUsage = z.infer<typeof wireUsage>

/** The whole answer; `output` is absent in errors. */
export const wireAnswer = z.object({
  output: wireOutput.optional().catch(undefined),
  usage: wireUsage.optional().catch(undefined),
  request_id: shortText,
  code: shortText,
  message: messageText,
})
export type WireAnswer = z.infer<typeof wireAnswer>
