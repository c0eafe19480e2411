/** Private addresses that foreign URLs may reach all the same. */
import { z } from 'zod'
import { wordList } from '../lib/setting.ts'
import { createAddressGuard } from './address-guard.ts'

const expected = 'a list of CIDR ranges such as 10.1.0.0/16'

export const networkSettings = z.strictObject({
  allow_private: wordList(expected).refine(isListOfRanges, { error: expected }).default([]),
})

export type NetworkSettings = z.infer<typeof networkSettings>

/** The guard itself decides what it can read. */
function isListOfRanges(allowPrivate: readonly string[]): boolean {
  try {
    createAddressGuard({ allowPrivate })
    return true
  } catch {
    return false
  }
}
