/** Bounds and defaults of a generation. */
import { z } from 'zod'
import { oneOf, wholeNumber } from '../lib/setting.ts'

export const generationSettings = z.strictObject({
  /** How many generations run at once in this process; more are refused with `queue_full`. */
  concurrent: wholeNumber({ min: 1, max: 100_000 }).default(64),
  /** How many calls of one request are under way at once, for models that make few pictures per call. */
  fan_out: wholeNumber({ min: 1, max: 10 }).default(4),
  /** What a caller gets who asked for neither `url` nor `b64_json`. */
  response_format: oneOf(['url', 'b64_json']).default('url'),
  /** How long a provider may work on a call that it has accepted, before it is told to stop. */
  operation_timeout_ms: wholeNumber({ min: 1_000, max: 86_400_000 }).default(900_000),
  /** The largest picture taken from a provider's result URL. */
  max_image_bytes: wholeNumber({ min: 1_024, max: 1_073_741_824 }).default(50 * 1024 * 1024),
})

export type GenerationSettings = z.infer<typeof generationSettings>
