/** The accounts of this server, newest first. */
import { type Kysely, sql } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { type Account, accountColumns, toAccount } from './account.ts'

export interface AccountQuery {
  /** Only those of exactly this name, of which there may be several. */
  name?: string
  limit: number
  /** The id of an account: only what stands behind it in the list is wanted. */
  after?: string
}

/** A page of at most `limit` accounts. */
export async function listAccounts(
  db: Kysely<Database>,
  { name, limit, after }: AccountQuery,
): Promise<{ accounts: Account[]; hasMore: boolean }> {
  try {
    const rows = await db
      .selectFrom('accounts')
      .select(accountColumns)
      .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
      .$if(after !== undefined, (query) =>
        query.where(
          sql<boolean>`(created_at, id) < (select created_at, id from accounts where id = ${after})`,
        ),
      )
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return { accounts: rows.slice(0, limit).map(toAccount), hasMore: rows.length > limit }
  } catch (error) {
    throw asDatabaseError(error)
  }
}
