/**
 * What Gesso reads of Replicate's answers (HTTP API reference, read 2026-11-20). A field that is odd in any way counts as
 * absent; only a prediction without an id is none.
 */
import { z } from 'zod'
import { storableText } from '../../lib/storable-text.ts'
import { text } from '../wire-values.ts'

const seed = z.int().min(0).optional().catch(undefined)
/** None lasts longer than a day: that is the longest `Cancel-After`. */
const duration = z.number().min(0).max(86_400).optional().catch(undefined)

/** An address, or bytes: long data URIs arrive decoded. */
const picture = z.union([z.instanceof(Buffer), z.string()])

/** Part of a path, so it may not lead anywhere else. */
export const predictionId = z.string().regex(/^[\w-]{1,100}$/)

export const wirePrediction = z.object({
  id: predictionId,
  /** `starting`, `processing`, `succeeded`, `failed`, `canceled`, `aborted`, and whatever may come. */
  status: text(50),
  /** An odd thing in the list does not take the pictures beside it along. */
  output: z
    .union([z.array(picture.nullable().catch(null)), picture.transform((one) => [one])])
    .optional()
    .catch(undefined),
  error: text(2_000),
  logs: text(100_000),
  input: z
    .object({ prompt: text(32_000), negative_prompt: text(32_000), seed })
    .optional()
    .catch(undefined),
  metrics: z.object({ predict_time: duration }).optional().catch(undefined),
  data_removed: z.boolean().optional().catch(undefined),
  created_at: text(50),
})
export type WirePrediction = z.infer<typeof wirePrediction>

/** An uploaded file. */
export const wireFile = z.object({ urls: z.object({ get: z.url({ protocol: /^https?$/ }) }) })

/** An error: `detail` is a sentence, or a list of what is wrong with the input. */
export const wireProblem = z.object({
  title: text(200),
  detail: z
    .union([
      z.string(),
      z.array(z.object({ msg: z.string() })).transform((list) => list.map(({ msg }) => msg).join('; ')),
    ])
    .transform((value) => storableText(value, 2_000))
    .optional()
    .catch(undefined),
  retry_after: z.number().positive().optional().catch(undefined),
  invalid_fields: z
    .array(z.object({ field: z.string() }))
    .optional()
    .catch(undefined),
})
