/** What an account has: its credit, what of it is held for tasks at work, and what is left to spend. */
import type { Kysely } from 'kysely'
import type { Billing } from '../accounts/account.ts'
import { getAccount } from '../accounts/get-account.ts'
import type { Database } from '../db/schema.ts'

export interface Balance {
  accountId: string
  billing: Billing
  /** Micro-USD, as are the others. */
  balanceMicros: number
  /** Held for tasks at work. */
  reservedMicros: number
  /** The balance without what is held. */
  availableMicros: number
}

/** Throws `account_not_found`. */
export async function getBalance(db: Kysely<Database>, accountId: string): Promise<Balance> {
  const { billing, balanceMicros, reservedMicros } = await getAccount(db, accountId)
  const availableMicros = balanceMicros - reservedMicros
  return { accountId, billing, balanceMicros, reservedMicros, availableMicros }
}
