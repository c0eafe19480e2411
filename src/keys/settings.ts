/** Limits of keys that have none of their own. */
import { z } from 'zod'
import { wholeNumber } from '../lib/setting.ts'

export const keySettings = z.strictObject({
  /** Generations a key may ask for per minute. */
  requests_per_minute: wholeNumber({ min: 1, max: 10_000_000 }).default(600),
})

export type KeySettings = z.infer<typeof keySettings>
