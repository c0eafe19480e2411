/** Gives an account credit: money that somebody paid, or was given. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { badRequest } from '../lib/errors.ts'
import { type Moved, type Movement, moveBalance } from './move-balance.ts'

/**
 * Adds whole micro-USD to the balance, once for each reference. Throws `account_not_found`, `reference_reused` where the
 * account has another entry under the reference, and a 400 for what is not a positive amount.
 */
export async function creditAccount(db: Kysely<Database>, credit: Movement): Promise<Moved> {
  if (credit.micros <= 0) {
    throw badRequest('micros', `micros is ${credit.micros}, but a credit must be more than 0.`)
  }
  return moveBalance(db, { ...credit, kind: 'credit' })
}
