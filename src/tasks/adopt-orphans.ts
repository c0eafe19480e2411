/**
 * Takes over the tasks of stopped processes whose work a provider has accepted: it can be asked for, so it is neither
 * lost nor sent again. Safe on many nodes: a task is taken over by one.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'

/**
 * Answers the ids of the tasks that are this node's now. `deadAfterMs`: a node that has been silent for this long is
 * dead; without it only tasks are taken that their node has given up itself.
 */
export async function adoptOrphans(
  db: Kysely<Database>,
  { nodeId, deadAfterMs }: { nodeId: string; deadAfterMs?: number },
): Promise<string[]> {
  const isAlive =
    deadAfterMs === undefined
      ? sql`true`
      : sql`nodes.heartbeat_at >= now() - ${deadAfterMs} * interval '1 millisecond'`
  const { rows } = await sql<{ id: string }>`
    update tasks set node_id = ${nodeId}
    where status = 'IN_PROGRESS' and work is not null
      and not exists (select from nodes where nodes.id = tasks.node_id and ${isAlive})
    returning id`.execute(db)
  return rows.map(({ id }) => id)
}

/** Gives a task up for another process to take over. */
export async function releaseTask(
  db: Kysely<Database>,
  { taskId, nodeId }: { taskId: string; nodeId: string },
): Promise<void> {
  await sql`
    update tasks set node_id = null
    where id = ${taskId} and node_id = ${nodeId} and status = 'IN_PROGRESS' and work is not null`.execute(db)
}
