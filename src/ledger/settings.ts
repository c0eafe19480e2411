/** How often the books are checked. */
import { z } from 'zod'
import { wholeNumber } from '../lib/setting.ts'

export const ledgerSettings = z.strictObject({
  /** How often every balance is compared with its entries; what does not agree is an error in the log. */
  check_every_ms: wholeNumber({ min: 1_000, max: 86_400_000 }).default(3_600_000),
})
