/** One key, by itself: for whoever holds a key and wants to know which one it is. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { hashKey } from './key-format.ts'
import { type KeySummary, selectKeys, toKeySummary } from './key-summary.ts'

/** Undefined where nobody has such a key; one that has ended is found. */
export async function findKey(db: Kysely<Database>, key: string): Promise<KeySummary | undefined> {
  const row = await selectKeys(db).where('keys.hash', '=', hashKey(key)).executeTakeFirst()
  return row && toKeySummary(row)
}
