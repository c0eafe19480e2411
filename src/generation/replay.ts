/**
 * What came of an earlier request, for somebody who repeats it: the same pictures, word for word, once they are there. No
 * provider is asked, nothing is charged.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { StoredImage } from '../images/stored-image.ts'
import { type ErrorCode, GessoError } from '../lib/errors.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { getTask } from '../tasks/get-task.ts'
import type { Task, TaskError } from '../tasks/task.ts'
import type { GenerateContext } from './context.ts'
import type { Outcome } from './outcome.ts'
import type { KeptPicture } from './store-pictures.ts'

export interface ReplayDependencies {
  db: Kysely<Database>
  objects: ObjectStore
  /** Resolves when the task has ended, wherever it is worked on. Rejects when the signal fires. */
  waitForTask(taskId: string, signal: AbortSignal): Promise<void>
}

/**
 * Waits for the end of the task and answers its pictures, or throws its error again. `signal` fires when this process must
 * end. Throws `idempotency_in_progress` where the caller does not want to wait, `image_not_found` where a picture is gone.
 */
export async function replay(
  dependencies: ReplayDependencies,
  { caller, waits }: Pick<GenerateContext, 'caller' | 'waits'>,
  taskId: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const read = () => getTask(dependencies.db, { taskId, accountId: caller.accountId })
  const first = await read()
  if (!isAtWork(first.task)) return togetherWith(dependencies, taskId, () => present(dependencies, first))
  if (!waits) throw inProgress(taskId)
  await dependencies.waitForTask(taskId, signal).catch((error: unknown) => {
    throw signal.aborted ? stopping(error) : error
  })
  return togetherWith(dependencies, taskId, async () => present(dependencies, await read()))
}

/** What is being read at this moment, by task. */
const readings = new WeakMap<ObjectStore, Map<string, Promise<Outcome>>>()

/**
 * Whoever asks while another is reading gets the same: the pictures of a task that many wait for are in memory once. Only
 * for tasks that have ended, and for callers whose account's they are.
 */
function togetherWith(
  { objects }: ReplayDependencies,
  taskId: string,
  read: () => Promise<Outcome>,
): Promise<Outcome> {
  const underWay = readings.get(objects) ?? new Map<string, Promise<Outcome>>()
  readings.set(objects, underWay)
  const known = underWay.get(taskId)
  if (known) return known
  const reading = read().finally(() => underWay.delete(taskId))
  underWay.set(taskId, reading)
  return reading
}

function isAtWork({ status }: Task): boolean {
  return status === 'QUEUED' || status === 'IN_PROGRESS'
}

async function present(
  { objects }: ReplayDependencies,
  { task, images }: { task: Task; images: readonly StoredImage[] },
): Promise<Outcome> {
  if (task.error) throw asGessoError(task.error)
  if (!task.result || images.length === 0) throw gone(task.id)
  const pictures = await Promise.all(images.map((image) => read(objects, image, task.id)))
  return { task, pictures, replayed: true }
}

async function read(objects: ObjectStore, image: StoredImage, taskId: string): Promise<KeptPicture> {
  const object = await objects.get(image.objectKey)
  if (!object) throw gone(taskId)
  const bytes = Buffer.concat(await object.stream.toArray())
  const { width, height } = image
  return { ...image, bytes, place: image.position, drawn: { width, height } }
}

function asGessoError({ code, message, param }: TaskError): GessoError {
  // The one failure of which it is certain that nothing was begun; a repetition is made then.
  const again = code === 'overloaded' ? { retryable: true, retryAfterMs: 1_000 } : {}
  return new GessoError({ code: code as ErrorCode, attribution: 'platform', message, param, ...again })
}

function gone(taskId: string): GessoError {
  return new GessoError({
    code: 'image_not_found',
    attribution: 'client',
    message: `This request has been made before, as ${taskId}, but its pictures are no longer kept. Nothing is made a second time under the same Idempotency-Key; use a new one.`,
  })
}

function inProgress(taskId: string): GessoError {
  return new GessoError({
    code: 'idempotency_in_progress',
    attribution: 'client',
    param: 'Idempotency-Key',
    message: `This request has been made before and is still at work: GET /v1/images/generations/${taskId} shows it.`,
    retryable: true,
    retryAfterMs: 1_000,
  })
}

function stopping(cause: unknown): GessoError {
  return new GessoError({
    code: 'overloaded',
    attribution: 'platform',
    message:
      'This server is stopping while it waits for the request that this one repeats. Send it again: nothing is made twice.',
    retryable: true,
    retryAfterMs: 2_000,
    cause,
  })
}
