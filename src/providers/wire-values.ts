/** The values that vendors' answers are made of, read forgivingly: what is odd counts as absent. */
import { z } from 'zod'
import { storableText } from '../lib/storable-text.ts'

/** A text of at most so many characters, cut behind them; absent where it is empty or none. */
export function text(maxLength: number) {
  return z
    .string()
    .transform((value) => storableText(value, maxLength))
    .optional()
    .catch(undefined)
}

/** A whole number from 0. */
export const count = z.int().min(0).optional().catch(undefined)
