/**
 * Ends the tasks that nobody works on any more. Whether a provider made a picture for them is not known, so the work
 * is never sent again by itself: they end as `outcome_unknown`, but for those that are known never to have been sent.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { TaskError } from './task.ts'

const unknown: TaskError = {
  code: 'outcome_unknown',
  message:
    'The server stopped while the provider was at work. Whether a picture was made is not known; nothing is charged for it.',
  param: null,
}

/** Of tasks that were surely not sent. */
const unsent: TaskError = {
  code: 'overloaded',
  message:
    'The server stopped before the provider was asked. Nothing was made and nothing is charged; the same request may be sent again.',
  param: null,
}

/** How many are ended in one beat. */
const mostAtOnce = 1_000

/** Ends those of the tasks that are still at work; what was reserved for them is free again. Answers how many. */
async function end(db: Kysely<Database>, ids: readonly string[], resultTtlMs: number): Promise<number> {
  if (ids.length === 0) return 0
  const { rows } = await sql<{ ended: number }>`
    select fail_tasks(${ids}::text[], ${JSON.stringify(unknown)}::jsonb, ${JSON.stringify(unsent)}::jsonb,
      now() + ${resultTtlMs} * interval '1 millisecond', now()) as ended`.execute(db)
  return rows[0]?.ended ?? 0
}

/**
 * Ends the tasks of nodes that have been silent for too long, but for those whose work a provider has accepted. Answers how
 * many; idempotent, safe on many nodes.
 */
export async function failOrphans(
  db: Kysely<Database>,
  options: { deadAfterMs: number; resultTtlMs: number },
): Promise<number> {
  const silent = sql`now() - ${options.deadAfterMs} * interval '1 millisecond'`
  const { rows: orphans } = await sql<{ id: string }>`
    with dead as (
      delete from nodes where heartbeat_at < ${silent}
    )
    select id from tasks
    where status = 'IN_PROGRESS' and work is null and not exists (
      select from nodes where nodes.id = tasks.node_id and nodes.heartbeat_at >= ${silent}
    )
    order by created_at limit ${mostAtOnce}`.execute(db)
  const ids = orphans.map(({ id }) => id)
  return end(db, ids, options.resultTtlMs)
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
  return { ended: await end(db, unsent, options.resultTtlMs), accepted }
}
