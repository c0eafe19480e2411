/**
 * Brings outcomes into the database, however long it is away: a picture that is made and paid for must not be lost
 * to a restart of PostgreSQL. What cannot be recorded now is kept in memory and tried again at every heartbeat.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { isDatabaseAway } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { releaseTask } from './adopt-orphans.ts'
import { type FinishedTask, finishTask, type TaskOutcome } from './finish-task.ts'

export interface OutcomeRecorder {
  /** The task is this node's from now on. Call it before admission: its answer may be lost. */
  begin(taskId: string): void
  /** The task was never admitted. */
  abandon(taskId: string): void
  /**
   * `recorded`; `refused` where the task has ended otherwise; `later` where the database is away: then the outcome
   * is kept and recorded when it is back.
   */
  record(taskId: string, outcome: TaskOutcome, times: FinishedTask): Promise<'recorded' | 'refused' | 'later'>
  /**
   * Gives a task up for another process to take over. Answers false where none can, as no provider is at work on it, and
   * where that cannot be said: it is taken over sooner or later then.
   */
  release(taskId: string): Promise<boolean>
  /** Tries again what was kept. */
  retry(): Promise<void>
  /** The tasks that are this node's and have no recorded outcome. */
  running(): string[]
}

const attempts = 6

/** Builds the recorder of a node. */
export function createOutcomeRecorder(db: Kysely<Database>, nodeId: string): OutcomeRecorder {
  const running = new Set<string>()
  const kept = new Map<string, { outcome: TaskOutcome; times: FinishedTask }>()

  async function write(
    taskId: string,
    outcome: TaskOutcome,
    times: FinishedTask,
  ): Promise<'recorded' | 'refused'> {
    const recorded = await finishTask(db, { taskId, nodeId, outcome, ...times })
    kept.delete(taskId)
    running.delete(taskId)
    return recorded ? 'recorded' : 'refused'
  }

  return {
    begin: (taskId) => void running.add(taskId),
    abandon: (taskId) => void running.delete(taskId),
    running: () => [...running],

    async record(taskId, outcome, times) {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        try {
          return await write(taskId, outcome, times)
        } catch (error) {
          if (!isDatabaseAway(error)) {
            running.delete(taskId)
            throw error
          }
          if (attempt < attempts) await sleep(50 * 2 ** attempt)
        }
      }
      kept.set(taskId, { outcome, times })
      return 'later'
    },

    async release(taskId) {
      // It stays among the running: nobody else here may end it.
      return releaseTask(db, { taskId, nodeId }).catch(() => false)
    },

    async retry() {
      for (const [taskId, { outcome, times }] of kept) {
        try {
          await write(taskId, outcome, times)
        } catch (error) {
          // What the database refuses for good would stand in the way of every heartbeat.
          if (!isDatabaseAway(error)) {
            kept.delete(taskId)
            running.delete(taskId)
          }
          throw error
        }
      }
    },
  }
}
