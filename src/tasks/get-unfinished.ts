/** A task whose work a provider has accepted, as the process that takes it over reads it. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../db/schema.ts'
import { type StoredRequest, storedRequest, type TaskMode } from './task.ts'

/** At least its `id`; what else it holds is the provider's. */
const keptOperation = z
  .object({ id: z.string() })
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]))

export interface UnfinishedTask {
  id: string
  accountId: string
  mode: TaskMode
  request: StoredRequest
  createdAt: Date
  /** As it was kept with the first operation. */
  work: unknown
  operations: { call: number; operation: z.infer<typeof keptOperation>; acceptedAt: Date }[]
}

/** Undefined where the task is not this node's, or has ended. */
export async function getUnfinished(
  db: Kysely<Database>,
  { taskId, nodeId }: { taskId: string; nodeId: string },
): Promise<UnfinishedTask | undefined> {
  const row = await db
    .selectFrom('tasks')
    .select(['id', 'account_id', 'mode', 'request', 'created_at', 'work'])
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
    request: storedRequest.parse(row.request),
    createdAt: row.created_at,
    work: row.work,
    operations: operations.map(({ call, operation, accepted_at }) => ({
      call,
      operation: keptOperation.parse(operation),
      acceptedAt: accepted_at,
    })),
  }
}
