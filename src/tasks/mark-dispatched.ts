/**
 * Notes, for a task that its caller may repeat, that the provider is about to be asked: from then on nobody can know what a
 * process that dies has left behind. Without the note nothing was sent, and the same request may be made again.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'

/** Answers false where the task is not this node's any more: then the provider must not be asked. */
export async function markDispatched(
  db: Kysely<Database>,
  { taskId, nodeId, now }: { taskId: string; nodeId: string; now: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('tasks')
    .set({ dispatched_at: now })
    .where('id', '=', taskId)
    .where('node_id', '=', nodeId)
    .where('status', '=', 'IN_PROGRESS')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}
