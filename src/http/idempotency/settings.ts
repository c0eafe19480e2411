/** How long requests are remembered, so that a repetition is told from new work. */
import { z } from 'zod'
import { wholeNumber } from '../../lib/setting.ts'

export const idempotencySettings = z.strictObject({
  /** How long an `Idempotency-Key` stands for its request. */
  ttl_seconds: wholeNumber({ min: 60, max: 2_592_000 }).default(86_400),
  /** Are retries of OpenAI's own clients, which send no key, joined to the request that they repeat? */
  join_sdk_retries: z.boolean({ error: 'true or false' }).default(true),
  /** How long after its end a request whose answer did not leave this server whole can still be joined. */
  join_window_ms: wholeNumber({ min: 0, max: 86_400_000 }).default(600_000),
})

export type IdempotencySettings = z.infer<typeof idempotencySettings>
