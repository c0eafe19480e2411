/**
 * Remembers which tasks' answers have left this server whole: nobody is joined to them any more. Comes after the answer,
 * so it holds up nobody; what comes while statements are under way goes with the next.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../lib/clock.ts'

export interface AnswerMarker extends AsyncDisposable {
  /** Never throws. */
  mark(taskId: string): void
  /** The answer was lost after all. Never throws. */
  unmark(taskId: string): void
}

/** What waits for a database that is away; what is more is forgotten, and can be joined for a while. */
const mostWaiting = 10_000

/** Disposal waits for what is under way. `onFailure` hears of a database that is away; its tasks go with the next statement. */
export function createAnswerMarker(
  db: Kysely<Database>,
  { clock, onFailure }: { clock: Clock; onFailure(error: unknown): void },
): AnswerMarker {
  let waiting = new Map<string, Date | null>()
  let writing: Promise<void> | undefined

  const writeAll = async () => {
    let failure: unknown
    while (waiting.size > 0 && failure === undefined) {
      const marks = waiting
      waiting = new Map()
      await write(db, marks).catch((error: unknown) => {
        failure = error
        // What came meanwhile is newer.
        waiting = new Map([...marks, ...waiting].slice(0, mostWaiting))
        onFailure(error)
      })
    }
    writing = undefined
  }

  const note = (taskId: string, answeredAt: Date | null) => {
    if (waiting.size < mostWaiting) waiting.set(taskId, answeredAt)
    writing ??= writeAll()
  }

  return {
    mark: (taskId) => note(taskId, clock.now()),
    unmark: (taskId) => note(taskId, null),
    async [Symbol.asyncDispose]() {
      await writing
      await writeAll()
    },
  }
}

async function write(db: Kysely<Database>, marks: ReadonlyMap<string, Date | null>): Promise<void> {
  const lost = [...marks].filter(([, at]) => at === null).map(([taskId]) => taskId)
  const answered = [...marks].filter(([, at]) => at !== null).map(([taskId]) => taskId)
  const [, answeredAt] = [...marks].findLast(([, at]) => at !== null) ?? []
  // Several rows are locked by id, as everywhere: two processes that mark the same tasks must not wait for each other.
  const locked = (ids: readonly string[]) =>
    db.selectFrom('tasks').select('id').where('id', 'in', ids).orderBy('id').forNoKeyUpdate()
  if (lost.length > 0)
    await db.updateTable('tasks').set({ answered_at: null }).where('id', 'in', locked(lost)).execute()
  if (answered.length === 0) return
  await db
    .updateTable('tasks')
    .set({ answered_at: answeredAt })
    .where('id', 'in', locked(answered))
    // The first answer counts.
    .where('answered_at', 'is', null)
    .execute()
}
