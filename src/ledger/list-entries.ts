/** The ledger as it was written, newest first. */
import type { Kysely } from 'kysely'
import { getAccount } from '../accounts/get-account.ts'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { isId } from '../lib/ids.ts'

export interface LedgerEntry {
  id: number
  accountId: string
  kind: 'credit' | 'adjust' | 'reserve' | 'settle' | 'release'
  taskId: string | null
  /** What it did to the balance. */
  amountMicros: number
  /** What it did to what is held. */
  reservedMicros: number
  balanceAfterMicros: number
  reservedAfterMicros: number
  reference: string | null
  note: string | null
  createdAt: Date
}

export interface EntriesQuery {
  accountId?: string
  taskId?: string
  limit: number
  /** The id of an entry: only older ones are wanted. */
  olderThan?: number
}

/** A page of at most `limit` entries of an account, of a task, or of all. Throws `account_not_found`. */
export async function listEntries(
  db: Kysely<Database>,
  { accountId, taskId, limit, olderThan }: EntriesQuery,
): Promise<{ entries: LedgerEntry[]; hasMore: boolean }> {
  if (accountId !== undefined) await getAccount(db, accountId)
  if (taskId !== undefined && !isId('image', taskId)) return { entries: [], hasMore: false }
  const rows = await db
    .selectFrom('ledger_entries')
    .select([
      'id',
      'account_id as accountId',
      'kind',
      'task_id as taskId',
      'amount_micros as amountMicros',
      'reserved_micros as reservedMicros',
      'balance_after_micros as balanceAfterMicros',
      'reserved_after_micros as reservedAfterMicros',
      'reference',
      'note',
      'created_at as createdAt',
    ])
    .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
    .$if(taskId !== undefined, (query) => query.where('task_id', '=', taskId ?? ''))
    .$if(olderThan !== undefined, (query) => query.where('id', '<', olderThan ?? 0))
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
    .catch((error: unknown) => {
      throw asDatabaseError(error)
    })
  return { entries: rows.slice(0, limit), hasMore: rows.length > limit }
}
