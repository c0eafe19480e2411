/**
 * Functions in the database, each where its verb's decisions must be made in one transaction and one round trip: within
 * a function every query sees what others have committed by then, so that a count made under a lock is true. A single
 * statement would count what stood there before it waited for the lock.
 *
 * A migration that changes one calls this again: the newest text is the only one.
 */
import type { Kysely } from 'kysely'
import { admitTaskFunction } from './admit-task.ts'
import { endTaskFunctions } from './end-task.ts'

/** Makes the functions, or replaces them. */
export async function installFunctions(db: Kysely<unknown>): Promise<void> {
  for (const definition of [...endTaskFunctions, ...admitTaskFunction]) await definition.execute(db)
}
