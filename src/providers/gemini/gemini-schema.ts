/**
 * What Gesso reads of an answer of `generateContent`. A field that is odd in any way counts as absent, and only a
 * picture that cannot be found is an error.
 */
import { z } from 'zod'
import { text } from '../wire-values.ts'

const shortText = text(100)
const messageText = text(2_000)

/** A list whose odd entries are left out. */
function listOf<Schema extends z.ZodType>(schema: Schema) {
  return z
    .array(schema.optional().catch(undefined))
    .transform((entries) => entries.filter((entry) => entry !== undefined))
    .default([])
    .catch([])
}

/** Long base64 arrives decoded. */
const inlineData = z.object({
  mimeType: shortText,
  data: z.union([z.instanceof(Buffer), z.string()]),
})

const part = z.object({
  text: messageText,
  thought: z.boolean().optional().catch(undefined),
  inlineData: inlineData.optional().catch(undefined),
})
export type WirePart = z.infer<typeof part>

const candidate = z.object({
  content: z
    .object({ parts: listOf(part) })
    .optional()
    .catch(undefined),
  finishReason: shortText,
  finishMessage: messageText,
})
export type WireCandidate = z.infer<typeof candidate>

/** No answer has more than a thousand million. */
const tokens = z.int().min(0).max(1_000_000_000)
const tokensByModality = listOf(z.object({ modality: z.string(), tokenCount: tokens }))
export type TokensByModality = z.infer<typeof tokensByModality>

const tokenCount = tokens.optional().catch(undefined)

const usage = z.object({
  promptTokenCount: tokenCount,
  candidatesTokenCount: tokenCount,
  thoughtsTokenCount: tokenCount,
  cachedContentTokenCount: tokenCount,
  totalTokenCount: tokenCount,
  promptTokensDetails: tokensByModality,
  candidatesTokensDetails: tokensByModality,
})
export type WireUsage = z.infer<typeof usage>

/** The answer to a call that was taken. */
export const wireReply = z.object({
  candidates: listOf(candidate),
  promptFeedback: z
    .object({ blockReason: shortText, blockReasonMessage: messageText })
    .optional()
    .catch(undefined),
  usageMetadata: usage.optional().catch(undefined),
  responseId: shortText,
})
export type WireReply = z.infer<typeof wireReply>

/** Details of an error: Google's `ErrorInfo`, `RetryInfo`, `QuotaFailure` and `BadRequest`, all in one. */
const detail = z.object({
  reason: shortText,
  retryDelay: shortText,
  violations: listOf(z.object({ quotaValue: shortText })),
  fieldViolations: listOf(z.object({ field: shortText })),
})

const error = z.object({ message: messageText, status: shortText, details: listOf(detail) })
export type WireError = z.infer<typeof error>

/** The answer with a status of 400 or more; some doors of Google put it into a list. */
export const wireFailure = z.preprocess(
  (body) => (Array.isArray(body) ? body[0] : body),
  z.object({ error: error.optional().catch(undefined) }),
)
