/** The chat model that rewrites prompts. Without a base URL Gesso adds to short prompts by rules of its own. */
import { z } from 'zod'
import { httpUrl, secret, text, wholeNumber } from '../lib/setting.ts'

export const optimizerSettings = z.strictObject({
  /** An OpenAI-compatible server; includes the version path. */
  base_url: httpUrl().optional(),
  /** Its key; local servers often need none. */
  api_key: secret().optional(),
  /** The chat model to ask. */
  model: text('the name of a chat model, such as gpt-5-nano').default('gpt-5-nano'),
  /** How long the rewriting may take; after that the prompt is used as it was sent. */
  timeout_ms: wholeNumber({ min: 100, max: 60_000 }).default(10_000),
})

export type OptimizerSettings = z.infer<typeof optimizerSettings>
