/**
 * This process as the database knows it: one row whose heartbeat is the lease of every task the process runs.
 * A node that stops beating loses its tasks to the sweep of another, or to its own next start.
 */
import { hostname } from 'node:os'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import { createId } from '../lib/ids.ts'
import { type Adoption, adoptOrphans } from './adopt-orphans.ts'
import { failLost, failOrphans } from './fail-orphans.ts'
import { createOutcomeRecorder, type OutcomeRecorder } from './record-outcome.ts'

export interface NodeOptions {
  /** How long the result of a task that is ended here can be fetched. */
  resultTtlMs: number
  /** Tasks that nobody worked on any more were ended. */
  onOrphans(count: number): void
  /** Whose work this process takes over, asked at every beat; absent or undefined: nobody's. */
  adopts?(): Adoption | undefined
  /** Tasks of a stopped process are this node's now: their work has to be followed to its end. */
  onAdopted(taskIds: readonly string[]): void
  /** A beat did not reach the database. */
  onFailure(error: unknown): void
  heartbeatEveryMs?: number
  /** A node that has been silent for this long is dead. */
  deadAfterMs?: number
}

export interface Node extends AsyncDisposable {
  readonly id: string
  /** Counts a task as this node's until its outcome is recorded. */
  readonly outcomes: OutcomeRecorder
}

/** Registers this process and starts its heartbeat. Disposal takes the row away. */
export async function startNode(db: Kysely<Database>, options: NodeOptions): Promise<Node> {
  const { heartbeatEveryMs = 3_000, deadAfterMs = 15_000, resultTtlMs } = options
  const id = createId('node')
  const outcomes = createOutcomeRecorder(db, id)
  // Others are judged only after having heard them for a whole lease: while the database was away, nobody could beat.
  let listeningSinceMs = performance.now()

  const adopt = (taskIds: readonly string[]) => {
    for (const taskId of taskIds) outcomes.begin(taskId)
    if (taskIds.length > 0) options.onAdopted(taskIds)
  }

  const beat = async () => {
    const beganMs = performance.now()
    await sql`
      insert into nodes (id, host, pid, heartbeat_at) values (${id}, ${hostname()}, ${process.pid}, now())
      on conflict (id) do update set heartbeat_at = now()`.execute(db)
    // A database that is slow to hear this node is slow to hear the others.
    if (performance.now() - beganMs > deadAfterMs / 2) listeningSinceMs = performance.now()
    await outcomes.retry()
    const lost = await failLost(db, { nodeId: id, running: outcomes.running, resultTtlMs })
    const mayJudge = performance.now() - listeningSinceMs > deadAfterMs
    const adoption = options.adopts?.()
    if (adoption) {
      adopt(lost.accepted)
      adopt(await adoptOrphans(db, { nodeId: id, adoption, deadAfterMs: mayJudge ? deadAfterMs : undefined }))
    }
    const orphans = mayJudge ? await failOrphans(db, { deadAfterMs, resultTtlMs }) : 0
    const ended = lost.ended + orphans
    if (ended > 0) options.onOrphans(ended)
  }
  await beat()

  let running = Promise.resolve()
  let timer: NodeJS.Timeout
  // The next beat is set when the last has ended, so that a slow database is not asked twice at once.
  const schedule = () => {
    timer = setTimeout(() => {
      running = beat()
        .catch((error: unknown) => {
          listeningSinceMs = performance.now()
          options.onFailure(error)
        })
        .then(schedule)
    }, heartbeatEveryMs)
  }
  schedule()

  return {
    id,
    outcomes,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await running
      clearTimeout(timer)
      await outcomes.retry().catch(options.onFailure)
      await db.deleteFrom('nodes').where('id', '=', id).execute().catch(options.onFailure)
    },
  }
}
