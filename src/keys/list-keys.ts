/** The keys of this server, newest first, without their secrets. */
import { type Kysely, sql } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { type KeySummary, selectKeys, toKeySummary } from './key-summary.ts'

export interface KeyQuery {
  accountId?: string
  limit: number
  /** The id of a key: only what stands behind it in the list is wanted. */
  after?: string
}

/** A page of at most `limit` keys, those that have ended included. */
export async function listKeys(
  db: Kysely<Database>,
  { accountId, limit, after }: KeyQuery = { limit: 1_000 },
): Promise<{ keys: KeySummary[]; hasMore: boolean }> {
  try {
    const rows = await selectKeys(db)
      .$if(accountId !== undefined, (query) => query.where('keys.account_id', '=', accountId ?? ''))
      .$if(after !== undefined, (query) =>
        query.where(
          sql<boolean>`(keys.created_at, keys.id) < (select created_at, id from keys where id = ${after})`,
        ),
      )
      .orderBy('keys.created_at', 'desc')
      .orderBy('keys.id', 'desc')
      .limit(limit + 1)
      .execute()
    return { keys: rows.slice(0, limit).map(toKeySummary), hasMore: rows.length > limit }
  } catch (error) {
    throw asDatabaseError(error)
  }
}
