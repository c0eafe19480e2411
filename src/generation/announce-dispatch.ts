/**
 * The last step before a provider is asked: a request with an idempotency key is noted as sent, so that its repetition after
 * a crash is told from one that was never sent. Requests without a key are spared the round trip: nobody can repeat them.
 */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import type { Repetition } from '../tasks/admit-task.ts'
import { markDispatched } from '../tasks/mark-dispatched.ts'

export interface AnnounceDependencies {
  db: Kysely<Database>
  clock: Clock
  nodeId: string
}

/** Throws where the task was given up meanwhile, or it cannot be noted; nothing may be sent then. */
export async function announceDispatch(
  { db, clock, nodeId }: AnnounceDependencies,
  { taskId, repetition }: { taskId: string; repetition: Repetition | undefined },
): Promise<void> {
  if (repetition?.key === undefined) return
  const isOurs = await markDispatched(db, { taskId, nodeId, now: clock.now() }).catch((error: unknown) => {
    throw asDatabaseError(error)
  })
  if (isOurs) return
  throw new GessoError({
    code: 'overloaded',
    attribution: 'platform',
    message: 'This server was taken for dead before the provider was asked. Nothing was started; try again.',
    retryable: true,
    retryAfterMs: 1_000,
  })
}
