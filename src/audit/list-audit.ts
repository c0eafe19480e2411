/** Who changed what, newest first. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'

export interface AuditEntry {
  /** Rises with every entry. */
  id: number
  at: Date
  actor: string
  action: string
  target: string
  accountId: string | null
  before: unknown
  after: unknown
  requestId: string | null
}

export interface AuditQuery {
  /** The id of what was changed. */
  target?: string
  accountId?: string
  limit: number
  /** The id of an entry: only older ones are wanted. */
  olderThan?: number
}

/** A page of at most `limit` entries. */
export async function listAudit(
  db: Kysely<Database>,
  { target, accountId, limit, olderThan }: AuditQuery,
): Promise<{ entries: AuditEntry[]; hasMore: boolean }> {
  try {
    const rows = await db
      .selectFrom('audit_log')
      .select(['id', 'at', 'actor', 'action', 'target', 'before', 'after'])
      .select(['account_id as accountId', 'request_id as requestId'])
      .$if(target !== undefined, (query) => query.where('target', '=', target ?? ''))
      .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
      .$if(olderThan !== undefined, (query) => query.where('id', '<', olderThan ?? 0))
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return { entries: rows.slice(0, limit), hasMore: rows.length > limit }
  } catch (error) {
    throw asDatabaseError(error)
  }
}
