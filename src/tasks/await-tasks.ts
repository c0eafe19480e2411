/**
 * Waits for the ends of tasks, whichever process works on them: one question to the database for all that are waited for
 * here, again and again, and none while nobody waits.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { isDatabaseAway } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { GessoError } from '../lib/errors.ts'

export interface TaskWaiter extends AsyncDisposable {
  /**
   * Resolves when the task has ended, or is gone. Rejects with the reason of the signal, and with `overloaded` where this
   * process stops first. A database that is away is waited for.
   */
  ended(taskId: string, signal: AbortSignal): Promise<void>
}

type Waiting = PromiseWithResolvers<void>

/** Builds the waiter of this process. */
export function createTaskWaiter(db: Kysely<Database>, { pollMs }: { pollMs: number }): TaskWaiter {
  const waiting = new Map<string, Set<Waiting>>()
  const stop = new AbortController()
  let polling: Promise<void> | undefined

  const poll = async () => {
    while (waiting.size > 0 && !stop.signal.aborted) {
      await settleEnded()
      if (waiting.size > 0) await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
    // In the same breath in which nobody waits: whoever comes next has to find that nobody asks.
    polling = undefined
  }
  const settleEnded = async () => {
    const asked = [...waiting.keys()]
    try {
      const goingOn = await unended(db, asked)
      for (const id of asked) if (!goingOn.has(id)) settle(id, (one) => one.resolve())
    } catch (error) {
      if (isDatabaseAway(error)) return
      for (const id of asked) settle(id, (one) => one.reject(error))
    }
  }
  const settle = (taskId: string, tell: (one: Waiting) => void) => {
    const group = waiting.get(taskId)
    waiting.delete(taskId)
    group?.forEach(tell)
  }

  return {
    async ended(taskId, signal) {
      signal.throwIfAborted()
      if (stop.signal.aborted) throw stopping()
      const one = Promise.withResolvers<void>()
      const group = waiting.get(taskId) ?? new Set()
      waiting.set(taskId, group.add(one))
      const leave = () => {
        group.delete(one)
        if (group.size === 0 && waiting.get(taskId) === group) waiting.delete(taskId)
        one.reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      polling ??= poll()
      await one.promise.finally(() => signal.removeEventListener('abort', leave))
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      for (const id of [...waiting.keys()]) settle(id, (one) => one.reject(stopping()))
      await polling
    },
  }
}

async function unended(db: Kysely<Database>, taskIds: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('tasks')
    .select('id')
    .where('id', 'in', taskIds)
    .where('status', 'in', ['QUEUED', 'IN_PROGRESS'])
    .execute()
  return new Set(rows.map(({ id }) => id))
}

function stopping(): GessoError {
  return new GessoError({
    code: 'overloaded',
    attribution: 'capacity',
    message: 'This server is stopping. The work that was asked for goes on; send the request again shortly.',
    retryable: true,
    retryAfterMs: 1_000,
  })
}
