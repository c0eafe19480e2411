/** What accounts have that were given nothing of their own. */
import { z } from 'zod'
import { wholeNumber } from '../lib/setting.ts'

export const accountSettings = z.strictObject({
  /** Free pictures of a metered account in any 24 hours. */
  free_images: wholeNumber({ min: 0, max: 1_000_000_000 }).default(20),
})
