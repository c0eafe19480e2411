/**
 * What Gesso reads of fal's answers. Endpoints differ and change, so a field that is odd in any way counts as absent,
 * and only a picture that cannot be found is an error.
 */
import { z } from 'zod'
import { storableText } from '../../lib/storable-text.ts'
import { text } from '../wire-values.ts'

/** Not cut, because an address with its end missing leads elsewhere. */
const address = z
  .string()
  .refine((value) => storableText(value, 2_000) === value)
  .optional()
  .catch(undefined)

/** The note's own reader: what was stored may come from an older Gesso. */
export const falOperation = z.object({
  /** fal's request id. */
  id: z.string(),
  endpoint: z.string(),
  statusUrl: z.string().optional(),
  responseUrl: z.string().optional(),
  cancelUrl: z.string().optional(),
  /** How many pictures are owed. */
  n: z.number().default(1),
})
export type FalOperation = z.infer<typeof falOperation>

export const wireSubmitted = z.object({
  /** Part of a path; dots alone would lead elsewhere. */
  request_id: z.string().max(200).regex(/\w/),
  status_url: address,
  response_url: address,
  cancel_url: address,
})

export const wireStatus = z.object({
  status: text(100),
  /** Of work that has failed; a text where fal says why. */
  error: z.unknown().optional(),
  error_type: text(100),
})

/** Long data URIs arrive decoded. */
export const wireImage = z.object({ url: z.union([z.instanceof(Buffer), z.string().min(1)]) })
export type WireImage = z.infer<typeof wireImage>

const flags = z.array(z.unknown()).default([]).catch([])

/** Nothing that fal runs takes longer than a day. */
const duration = z.number().min(0).max(86_400).optional().catch(undefined)

/** Most endpoints answer `images`, some one `image`. */
export const wireResult = z.object({
  images: z.array(z.unknown()).optional().catch(undefined),
  image: z.unknown().optional(),
  timings: z.object({ inference: duration }).optional().catch(undefined),
  seed: z.int().min(0).optional().catch(undefined),
  has_nsfw_concepts: flags,
  nsfw_content_detected: flags,
})
export type WireResult = z.infer<typeof wireResult>

/** `input` beside them repeats the request and is not even read. */
const wireDetail = z.object({
  loc: z
    .array(z.union([z.string(), z.number()]))
    .default([])
    .catch([]),
  msg: text(2_000),
  type: text(100),
})
export type WireDetail = z.infer<typeof wireDetail>

/** A model's error has a list of details, a request's error a sentence and a type. */
export const wireError = z.object({
  detail: z
    .union([z.array(wireDetail), z.string()])
    .optional()
    .catch(undefined),
  error_type: text(100),
})

/** The public keys that sign webhooks. */
export const wireKeys = z.object({
  keys: z.array(
    z
      .looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })
      .nullable()
      .catch(null),
  ),
})
