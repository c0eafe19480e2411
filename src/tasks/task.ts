/** A task as the rest of Gesso sees it, and the strict shapes of the JSON that its row holds. */
import { z } from 'zod'
import type { TaskStatus } from './states.ts'

const warning = z.strictObject({ param: z.string().nullable(), code: z.string(), message: z.string() })

/**
 * Who pays for a task. `free`: the account's free quota. `credits`: its credit. `user`: its own key at the provider.
 * `unmetered`: nobody here, as nothing is charged to the account.
 */
export const costSources = ['free', 'credits', 'user', 'unmetered'] as const
export type CostSource = (typeof costSources)[number]

/** What a task costs its account. */
const taskCost = z.strictObject({
  /**
   * Micro-USD: what is charged, and for an unmetered account what the price list says, as a record. Null where the model
   * has no price: nobody knows then, which is not the same as nothing.
   */
  micros: z.int().min(0).nullable(),
  currency: z.literal('USD'),
  source: z.enum(costSources),
  /** There is no price to tell a cost by. */
  unpriced: z.literal(true).optional(),
})
export type TaskCost = z.infer<typeof taskCost>

const tokenDetails = z.strictObject({
  text_tokens: z.number().optional(),
  image_tokens: z.number().optional(),
  cached_tokens: z.number().optional(),
})

/** OpenAI's usage object, and how many pictures were delivered. */
const taskUsage = z.strictObject({
  generated_images: z.int().min(0),
  input_tokens: z.number().optional(),
  output_tokens: z.number().optional(),
  total_tokens: z.number().optional(),
  input_tokens_details: tokenDetails.optional(),
  output_tokens_details: tokenDetails.optional(),
})
export type TaskUsage = z.infer<typeof taskUsage>

/** What a finished task says beside its pictures. */
export const taskResult = z.strictObject({
  /** The size of the first picture, `WxH`. */
  size: z.string(),
  quality: z.string().optional(),
  background: z.string().optional(),
  output_format: z.string(),
  usage: taskUsage,
  cost: taskCost,
  /** The bucket the pictures are in. */
  bucket: z.string().optional(),
  prompt_optimization: z
    .strictObject({ original: z.string(), optimized: z.string(), model: z.string() })
    .optional(),
  warnings: z.array(warning),
  upstream_request_id: z.string().optional(),
})
export type TaskResult = z.infer<typeof taskResult>

/** Why a task failed, in the words the caller got. */
export const taskError = z.strictObject({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
})
export type TaskError = z.infer<typeof taskError>

/** The part of the stored request that answers show again. */
export const storedRequest = z.looseObject({
  prompt: z.string(),
  size: z.string().optional(),
  quality: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
})
export type StoredRequest = z.infer<typeof storedRequest>

/** Made from words alone, or from pictures. */
export type TaskMode = 'generation' | 'edit'

export interface Task {
  id: string
  accountId: string
  status: TaskStatus
  mode: TaskMode
  model: string
  request: StoredRequest
  createdAt: Date
  startedAt: Date | null
  completedAt: Date | null
  expiresAt: Date | null
  result: TaskResult | null
  error: TaskError | null
}
