/** Checks the ledger every so often while the server runs, so that a discrepancy is known before somebody complains. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { repeat } from '../lib/repeat.ts'
import { checkLedger, type Discrepancy } from './check-ledger.ts'

export interface WatchOptions {
  everyMs: number
  /** Called after each check that found something, with all of it. */
  onDiscrepancies(discrepancies: readonly Discrepancy[]): void
  /** A check could not be made. */
  onFailure(error: unknown): void
}

/** A server that is started anew all the time is checked too. */
const firstAfterMs = 60_000

/** Starts it. Disposal waits for a check that is under way. */
export function watchLedger(
  db: Kysely<Database>,
  { everyMs, onDiscrepancies, onFailure }: WatchOptions,
): AsyncDisposable {
  const work = async () => {
    const discrepancies = await checkLedger(db)
    if (discrepancies.length > 0) onDiscrepancies(discrepancies)
  }
  return repeat({ everyMs, firstAfterMs: Math.min(firstAfterMs, everyMs), work, onFailure })
}
