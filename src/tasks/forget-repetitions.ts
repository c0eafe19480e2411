/** Forgets the idempotency keys whose time is over. Admission does not count them any more; this makes room. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'

/** Safe on many nodes. */
export async function forgetRepetitions(db: Kysely<Database>, now: Date): Promise<void> {
  await db.deleteFrom('idempotency_keys').where('expires_at', '<=', now).execute()
}
