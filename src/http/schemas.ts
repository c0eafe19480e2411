/** Pieces that several operations' schemas share. They validate, type and document at once. */
import { z } from 'zod'
import { costSources } from '../tasks/task.ts'

/** An optional field of a caller's JSON: `null` means absent. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined)
}

/** A field of the contract that this version cannot honour: only its neutral value passes, nothing is dropped. */
export function notYet<const Neutral extends string | number | boolean>(neutral: Neutral) {
  return z
    .unknown()
    .refine((value) => value === neutral || value === null || value === undefined, {
      error: `${JSON.stringify(neutral)} or absent: this version of Gesso cannot do it yet`,
      params: { code: 'unsupported_parameter' },
    })
    .optional()
    .meta({ description: `Not supported yet; only ${JSON.stringify(neutral)} is accepted.` })
}

export const errorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      code: z.string(),
      param: z.string().nullable(),
    }),
  })
  .meta({ id: 'Error', description: 'Every error has all four keys; param may be null.' })

/** The error answers of an authenticated operation, for the documentation. */
export const errorResponses = {
  '4xx': errorSchema.describe('The request was refused. Nothing was charged.'),
  '5xx': errorSchema.describe('The provider or this server failed. Nothing was charged.'),
}

export const costSchema = z.object({
  micros: z
    .int()
    .nullable()
    .describe(
      'Micro-USD: 1,000,000 are one US dollar. What is charged; for an unmetered account what the price list says. Null where the model has no price.',
    ),
  currency: z.literal('USD'),
  source: z
    .enum(costSources)
    .describe(
      'Who pays: the free quota, the account’s credit, its own key at the provider (`user`), or nobody here.',
    ),
  unpriced: z.literal(true).optional().describe('The model has no price: what it costs is not known.'),
})

/** One item of a price, as it was applied. */
const priceComponentSchema = z.object({
  per: z.string().describe('Such as `image` or `million tokens`.'),
  of: z.string().optional().describe('What narrows the item down: a quality, a size, a kind of token.'),
  quantity: z.number(),
  unit_micros: z.number().describe('For one of them, or for a million where it is tokens.'),
  micros: z.number().describe('Together, not rounded.'),
})

/** The cost that a dry run tells. */
export const estimatedCostSchema = costSchema.extend({
  micros: costSchema.shape.micros.describe(
    'Micro-USD: the most that is charged; for an unmetered account the most by the price list. Null where the model has no price.',
  ),
  components: z
    .array(priceComponentSchema)
    .optional()
    .describe('What the price list makes of the request, whoever pays.'),
})

export const warningSchema = z.object({ param: z.string().nullable(), code: z.string(), message: z.string() })

const tokenDetailsSchema = z.object({
  text_tokens: z.int().optional(),
  image_tokens: z.int().optional(),
  cached_tokens: z.int().optional(),
})

export const usageSchema = z.object({
  generated_images: z.int(),
  input_tokens: z.int().optional(),
  output_tokens: z.int().optional(),
  total_tokens: z.int().optional(),
  input_tokens_details: tokenDetailsSchema.optional(),
  output_tokens_details: tokenDetailsSchema.optional(),
})

/** A prompt that was rewritten. */
export const promptOptimizationSchema = z.object({
  original: z.string(),
  optimized: z.string(),
  model: z.string(),
})

export const imageEntrySchema = z.object({
  url: z.url().optional(),
  b64_json: z.base64().optional(),
  image_id: z.string(),
  revised_prompt: z.string().optional(),
  seed: z.int().optional(),
  url_expires_at: z.int().optional().describe('Unix seconds.'),
})
