/** How long the links to pictures live, and how long the results of tasks are kept. */
import { z } from 'zod'
import { wholeNumber } from '../lib/setting.ts'

export const imageSettings = z.strictObject({
  /** Seconds a signed URL is good for, at least. */
  url_ttl_seconds: wholeNumber({ min: 1, max: 31_536_000 }).default(3_600),
  /** Seconds a task's result is kept after it ended. */
  result_ttl_seconds: wholeNumber({ min: 60, max: 31_536_000 }).default(86_400),
})

export type ImageSettings = z.infer<typeof imageSettings>
