/**
 * Keeps what a provider gave for accepted work, before anybody asks how it is going: from then on another process can
 * bring the task to its end, and nobody has to send the work again.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'

export interface AcceptedCall {
  taskId: string
  /** Which of the task's calls to the provider, from 0. */
  call: number
  /** The provider's note, plain JSON. */
  operation: object
  acceptedAt: Date
  /** What it takes to end the task without the one who asked; the first that is kept stays. Plain JSON. */
  work: object
}

/** Answers false, and keeps nothing, where the task is not this node's any more. Repeating it is safe. */
export async function keepOperation(
  db: Kysely<Database>,
  { nodeId, taskId, call, operation, acceptedAt, work }: AcceptedCall & { nodeId: string },
): Promise<boolean> {
  const { rows } = await sql<{ task_id: string }>`
    with mine as (
      update tasks set work = coalesce(work, ${JSON.stringify(work)}::jsonb)
      where id = ${taskId} and node_id = ${nodeId} and status = 'IN_PROGRESS'
      returning id
    )
    insert into operations (task_id, call, operation, accepted_at)
    select id, ${call}::int, ${JSON.stringify(operation)}::jsonb, ${acceptedAt}::timestamptz from mine
    on conflict (task_id, call) do update set operation = excluded.operation
    returning task_id`.execute(db)
  return rows.length === 1
}
