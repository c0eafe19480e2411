/** The body and the answer of `POST /api/v1/images/generations`. */
import { z } from 'zod'
import {
  drawingFields,
  imageInput,
  imageInputDescription,
  modelField,
  promptField,
  word,
} from '../../drawing/image-fields.ts'
import { errorSchema, optional, promptOptimizationSchema, warningSchema } from '../../schemas.ts'

export const generateBody = z
  .strictObject(
    {
      model: modelField,
      prompt: promptField,
      quality: optional(word(['low', 'medium', 'high'])).describe('Default low.'),
      image: imageInput.describe(`One or more pictures to remix. ${imageInputDescription}`),
      bucket: drawingFields.bucket,
      optimize_prompt: drawingFields.optimize_prompt,
    },
    { error: 'a JSON object' },
  )
  .meta({ id: 'GenerateBucketImages', example: { model: 'gesso-collage', prompt: 'A neon orange fox' } })

const rateLimitSchema = z.object({
  limit: z.int().nullable().describe('Free pictures per 24 hours; null where there is no limit.'),
  used: z.int(),
  remaining: z.int().nullable(),
  next_available_at: z
    .int()
    .nullable()
    .describe('Unix seconds: when the oldest counted picture leaves the window; null where none is counted.'),
})

export const quotaExceededAnswer = errorSchema
  .extend({ rate_limit: rateLimitSchema.optional().describe('With `free_quota_exceeded`.') })
  .meta({ id: 'BucketQuotaExceeded' })

export const generateAnswer = z
  .object({
    created_at: z.int(),
    model: z.string(),
    quality: z.string().nullable(),
    prompt: z.string().describe('The prompt that was drawn.'),
    bucket: z.string(),
    size: z.string(),
    key_source: z
      .enum(['free', 'user', 'credits'])
      .describe('Who pays: the free quota, your own provider key, or credit.'),
    completion_ms: z.int(),
    rate_limit: rateLimitSchema,
    data: z.array(z.object({ url: z.url() })),
    prompt_optimization: promptOptimizationSchema.optional(),
    warnings: z.array(warningSchema).optional(),
  })
  .meta({ id: 'BucketImages' })
