/**
 * Takes over the tasks of stopped processes whose work a provider has accepted: it can be asked for, so it is neither
 * lost nor sent again. Safe on many nodes: a task is taken over by one.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'

/** Whose work a process can follow. */
export interface Adoption {
  /** The providers that are configured here. */
  providers: readonly string[]
  /** The providers that can be asked with an account's own key, for work that was begun with one. */
  ownKeyProviders: readonly string[]
  /**
   * The work of any other waits this long, in milliseconds from its admission, for a process that knows its provider. Then
   * it is taken over to be ended.
   */
  strangersAfterMs: number
}

/** How many are taken over at once: so that the nodes share them, and nobody asks thousands of questions in one moment. */
const mostAtOnce = 100

/**
 * Answers the ids of the tasks that are this node's now, the oldest first. `deadAfterMs`: a node that has been silent for
 * this long is dead; without it only tasks are taken that their node has given up itself.
 */
export async function adoptOrphans(
  db: Kysely<Database>,
  { nodeId, adoption, deadAfterMs }: { nodeId: string; adoption: Adoption; deadAfterMs?: number },
): Promise<string[]> {
  const isAlive =
    deadAfterMs === undefined
      ? sql`true`
      : sql`nodes.heartbeat_at >= now() - ${deadAfterMs} * interval '1 millisecond'`
  // Whose it was is compared again: where another node was faster, only that tells it, as the nodes are not read anew.
  const { rows } = await sql<{ id: string }>`
    with orphan as (
      select id, node_id from tasks
      where status = 'IN_PROGRESS' and work is not null
        and (source <> 'user' and provider = any(${adoption.providers}::text[])
          or source = 'user' and provider = any(${adoption.ownKeyProviders}::text[])
          or created_at < now() - ${adoption.strangersAfterMs} * interval '1 millisecond')
        and not exists (select from nodes where nodes.id = tasks.node_id and ${isAlive})
      order by created_at
      limit ${mostAtOnce}
    ), locked as (
      select tasks.id from tasks join orphan on orphan.id = tasks.id
      where tasks.node_id is not distinct from orphan.node_id and tasks.status = 'IN_PROGRESS'
      order by tasks.id for no key update of tasks
    )
    update tasks set node_id = ${nodeId} from locked where tasks.id = locked.id
    returning tasks.id`.execute(db)
  return rows.map(({ id }) => id)
}

/** Gives a task up for another process to take over. Answers false where none could go on with it. */
export async function releaseTask(
  db: Kysely<Database>,
  { taskId, nodeId }: { taskId: string; nodeId: string },
): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    update tasks set node_id = null
    where id = ${taskId} and node_id = ${nodeId} and status = 'IN_PROGRESS' and work is not null
    returning id`.execute(db)
  return rows.length === 1
}
