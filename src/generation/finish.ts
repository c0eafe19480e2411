/**
 * The end of the story: the pictures and the outcome are recorded, or the failure. From here on the task can be
 * fetched by its id, whatever becomes of the caller's connection.
 */
import type { Clock } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import { ProviderError } from '../providers/provider-error.ts'
import type { Bill, FinishedTask } from '../tasks/finish-task.ts'
import type { OutcomeRecorder } from '../tasks/record-outcome.ts'
import type { TaskResult } from '../tasks/task.ts'
import type { FinishEvents } from './events.ts'
import { LeftUnderWayError } from './left-under-way.ts'
import type { Outcome } from './outcome.ts'
import type { KeptPicture } from './store-pictures.ts'
import type { UnderwayTask } from './underway-task.ts'
import type { WorkNote } from './work-note.ts'

export interface FinishDependencies {
  outcomes: OutcomeRecorder
  clock: Clock
  /** How long a result can be fetched. */
  resultTtlMs: number
  events: FinishEvents
}

/** Records the pictures. Throws `outcome_unknown` where the task was given up in the meantime. */
export async function finish(
  dependencies: FinishDependencies,
  work: {
    task: UnderwayTask
    note: WorkNote
    stored: readonly KeptPicture[]
    result: TaskResult
    bill: Bill
  },
): Promise<Outcome> {
  const { task, note, stored, result, bill } = work
  const times = endOfTask(dependencies)
  // Without the bytes: an outcome may have to wait in memory for the database.
  const images = stored.map(({ bytes: _, place: __, drawn: ___, ...image }) => image)
  const recorded = await dependencies.outcomes.record(
    task.id,
    {
      status: 'SUCCEEDED',
      result: storable(result),
      images,
      bucket: note.bucket,
      permanentLinks: note.permanentLinks,
      bill,
    },
    times,
  )
  if (recorded !== 'recorded') throw notRecorded(recorded, task.id)
  dependencies.events.taskEnded({
    taskId: task.id,
    status: 'SUCCEEDED',
    images: stored.length,
    durationMs: times.completedAt.getTime() - task.createdAt.getTime(),
  })
  return {
    task: {
      ...task,
      status: 'SUCCEEDED',
      model: note.model,
      startedAt: task.createdAt,
      ...times,
      result,
      error: null,
    },
    pictures: stored,
  }
}

/**
 * Records the failure and answers the error for the caller, who gets it even where it could not be recorded.
 * `dispatched`: a provider may have been asked, so that a repetition may have to be paid again.
 */
export async function recordFailure(
  dependencies: FinishDependencies,
  {
    task,
    error,
    dispatched,
  }: { task: Pick<UnderwayTask, 'id' | 'createdAt'>; error: unknown; dispatched: boolean },
): Promise<unknown> {
  if (error instanceof LeftUnderWayError) {
    await dependencies.outcomes.release(task.id)
    return error
  }
  if (!(error instanceof NotRecordedError)) {
    const outcome = { status: 'FAILED', error: storable(publicError(error)) } as const
    // A failure that cannot be recorded for another reason than an absent database is ended by the next heartbeat.
    await dependencies.outcomes.record(task.id, outcome, endOfTask(dependencies)).catch(() => undefined)
  }
  dependencies.events.taskEnded({
    taskId: task.id,
    status: 'FAILED',
    images: 0,
    durationMs: dependencies.clock.now().getTime() - task.createdAt.getTime(),
    error,
  })
  return withoutUnsafeRetry(error, dispatched)
}

/**
 * After dispatch a repetition could pay twice, so only a provider that surely did not start may be asked again; its
 * own errors know that better than the story does.
 */
function withoutUnsafeRetry(error: unknown, dispatched: boolean): unknown {
  const mayHaveStarted = error instanceof ProviderError ? error.dispatched !== 'no' : dispatched
  if (!(error instanceof GessoError) || !error.retryable || !mayHaveStarted) return error
  const { code, attribution, message, param, detail } = error
  return new GessoError({ code, attribution, message, param, detail, cause: error })
}

function endOfTask({ clock, resultTtlMs }: FinishDependencies): FinishedTask {
  const completedAt = clock.now()
  return { completedAt, expiresAt: new Date(completedAt.getTime() + resultTtlMs) }
}

/** PostgreSQL refuses NUL and halves of characters in JSON: a word in a warning must not cost the pictures beside it. */
function storable<Value extends object>(value: Value): Value {
  const clean = (_name: string, one: unknown) =>
    typeof one === 'string' ? one.replaceAll('\0', '').toWellFormed() : one
  return JSON.parse(JSON.stringify(value, clean))
}

function publicError(error: unknown) {
  return error instanceof GessoError
    ? { code: error.code, message: error.message, param: error.param }
    : { code: 'internal_error', message: 'The server failed for a reason of its own.', param: null }
}

/** The pictures are made, but the task could not be recorded as ended by them; it must not be failed by us either. */
class NotRecordedError extends GessoError {
  override name = 'NotRecordedError'
}

function notRecorded(how: 'refused' | 'later', taskId: string): NotRecordedError {
  return new NotRecordedError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message:
      how === 'refused'
        ? `The task was given up, or taken over by another process, while its picture was still being made: GET /v1/images/generations/${taskId} tells how it ends.`
        : `The picture is made and kept, but the database is away. GET /v1/images/generations/${taskId} gives it once the database is back.`,
  })
}
