/**
 * Ends the tasks that nobody works on any more. Whether a provider made a picture for them is not known, so the work
 * is never sent again by itself: they end as `outcome_unknown`.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { TaskError } from './task.ts'

const error: TaskError = {
  code: 'outcome_unknown',
  message:
    'The server stopped while the provider was at work. Whether a picture was made is not known; nothing is charged for it.',
  param: null,
}

const end = (options: { resultTtlMs: number }) => sql`
  update tasks set status = 'FAILED', error = ${JSON.stringify(error)}::jsonb, completed_at = now(),
    expires_at = now() + ${options.resultTtlMs} * interval '1 millisecond', node_id = null, work = null
  where status = 'IN_PROGRESS'`

/**
 * Ends the tasks of nodes that have been silent for too long, but for those whose work a provider has accepted. Answers how
 * many; idempotent, safe on many nodes.
 */
export async function failOrphans(
  db: Kysely<Database>,
  options: { deadAfterMs: number; resultTtlMs: number },
): Promise<number> {
  const silent = sql`now() - ${options.deadAfterMs} * interval '1 millisecond'`
  const { rows } = await sql<{ id: string }>`
    with dead as (
      delete from nodes where heartbeat_at < ${silent}
    )
    ${end(options)} and work is null and not exists (
      select from nodes where nodes.id = tasks.node_id and nodes.heartbeat_at >= ${silent}
    )
    returning id`.execute(db)
  return rows.length
}

/**
 * Ends the tasks that this node owns by its row but does not run: an admission whose answer was lost on the way. Those
 * whose work a provider has accepted are not ended: their ids are answered, as `accepted`, to be followed again.
 * `running` must hold every task from before its admission until its outcome is recorded.
 */
export async function failLost(
  db: Kysely<Database>,
  options: { nodeId: string; running(): readonly string[]; resultTtlMs: number },
): Promise<{ ended: number; accepted: string[] }> {
  const mine = await db
    .selectFrom('tasks')
    .select(['id', sql<boolean>`work is not null`.as('accepted')])
    .where('node_id', '=', options.nodeId)
    .where('status', '=', 'IN_PROGRESS')
    .execute()
  // Asked after the rows are read: what was admitted in between is among neither.
  const running = new Set(options.running())
  const lost = mine.filter(({ id }) => !running.has(id))
  const accepted = lost.filter((task) => task.accepted).map(({ id }) => id)
  const unsent = lost.filter((task) => !task.accepted).map(({ id }) => id)
  if (unsent.length === 0) return { ended: 0, accepted }
  const { rows } = await sql<{ id: string }>`
    ${end(options)} and node_id = ${options.nodeId} and work is null and id = any(${unsent}::text[])
    returning id`.execute(db)
  return { ended: rows.length, accepted }
}
