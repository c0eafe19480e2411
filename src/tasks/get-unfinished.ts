/** A task whose work a provider has accepted, as the process that takes it over reads it. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { CostSource, TaskMode } from './task.ts'

/** What was kept is as another process wrote it, maybe of another version: whoever goes on with it reads it. */
export interface UnfinishedTask {
  id: string
  accountId: string
  mode: TaskMode
  request: unknown
  createdAt: Date
  /** Who pays, what is held for it, and the most it can cost. */
  funding: { source: CostSource; reservedMicros: number; quotedMicros: number | null }
  /** As it was kept with the first operation. */
  work: unknown
  operations: { call: number; operation: unknown; acceptedAt: Date }[]
}

/** Undefined where the task is not this node's, or has ended. */
export async function getUnfinished(
  db: Kysely<Database>,
  { taskId, nodeId }: { taskId: string; nodeId: string },
): Promise<UnfinishedTask | undefined> {
  const row = await db
    .selectFrom('tasks')
    .select([
      'id',
      'account_id',
      'mode',
      'request',
      'created_at',
      'work',
      'source',
      'reserved_micros',
      'quoted_micros',
    ])
    .where('id', '=', taskId)
    .where('node_id', '=', nodeId)
    .where('status', '=', 'IN_PROGRESS')
    .executeTakeFirst()
  if (!row) return undefined
  const operations = await db
    .selectFrom('operations')
    .select(['call', 'operation', 'accepted_at'])
    .where('task_id', '=', taskId)
    .orderBy('call')
    .execute()
  return {
    id: row.id,
    accountId: row.account_id,
    mode: row.mode,
    request: row.request,
    createdAt: row.created_at,
    funding: { source: row.source, reservedMicros: row.reserved_micros, quotedMicros: row.quoted_micros },
    work: row.work,
    operations: operations.map(({ accepted_at, ...kept }) => ({ ...kept, acceptedAt: accepted_at })),
  }
}
