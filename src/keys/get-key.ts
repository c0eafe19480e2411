/** One key, by its id, without its secret. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { isId } from '../lib/ids.ts'
import { type KeySummary, keyNotFound, selectKeys, toKeySummary } from './key-summary.ts'

/** Throws `key_not_found`. */
export async function getKey(db: Kysely<Database>, id: string): Promise<KeySummary> {
  if (!isId('key', id)) throw keyNotFound(id)
  const row = await selectKeys(db)
    .where('keys.id', '=', id)
    .executeTakeFirst()
    .catch((error) => {
      throw asDatabaseError(error)
    })
  if (!row) throw keyNotFound(id)
  return toKeySummary(row)
}

/** The same, and no other transaction changes the key before this one has ended. Admissions go on meanwhile. */
export async function getKeyToChange(transaction: Kysely<Database>, id: string): Promise<KeySummary> {
  if (!isId('key', id)) throw keyNotFound(id)
  const row = await selectKeys(transaction)
    .where('keys.id', '=', id)
    .forNoKeyUpdate('keys')
    .executeTakeFirst()
  if (!row) throw keyNotFound(id)
  return toKeySummary(row)
}
