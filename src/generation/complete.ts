/**
 * The second half of the story, the same for whoever asked and for a process that took the work over: from what the
 * provider made to pictures that are kept and a task that has ended.
 */
import type { ProviderCompleted } from '../providers/provider.ts'
import { billWork } from './bill.ts'
import { type CollectDependencies, collectPictures } from './collect-pictures.ts'
import { type FinishDependencies, finish } from './finish.ts'
import { LeftUnderWayError } from './left-under-way.ts'
import { markOrigin } from './mark-origin.ts'
import type { Outcome } from './outcome.ts'
import { prepareResult } from './prepare-result.ts'
import { type StoreDependencies, storePictures } from './store-pictures.ts'
import type { UnderwayTask } from './underway-task.ts'
import type { WorkNote } from './work-note.ts'

export type CompleteDependencies = CollectDependencies & StoreDependencies & FinishDependencies

interface Made {
  task: UnderwayTask
  note: WorkNote
  made: ProviderCompleted
}

/** Answers once files and rows are durable. Throws where no picture came through, or the task was given up. */
export async function complete(
  dependencies: CompleteDependencies,
  { task, note, made }: Made,
  signal: AbortSignal,
): Promise<Outcome> {
  const collected = await collect(dependencies, { task, note, made }, signal)
  const marked = collected.pictures.map((picture) => markOrigin(picture, note, task.id))
  const { stored, warnings } = await storePictures(dependencies, marked, note.optimization?.optimized)
  const { bill, cost } = billWork(task.funding, note, {
    images: stored.map(({ drawn }) => drawn),
    made: made.images.length,
    quality: made.effective?.quality,
    usage: made.usage,
    reportedMicros: made.costMicros,
    seconds: made.seconds,
  })
  const result = prepareResult({
    made,
    note,
    stored,
    cost,
    notes: collected.notes,
    missing: [...collected.missing, ...warnings],
  })
  return finish(dependencies, { task, note, stored, result, bill })
}

/**
 * Where a stop breaks off a download of what can be asked for again, the next process does it: throws
 * `LeftUnderWayError` then.
 */
async function collect(dependencies: CompleteDependencies, { task, note, made }: Made, signal: AbortSignal) {
  const isLeft = async () => signal.aborted && (await dependencies.outcomes.release(task.id))
  const collected = await collectPictures(dependencies, made, note, signal).catch(async (error: unknown) => {
    throw (await isLeft()) ? new LeftUnderWayError(task.id) : error
  })
  const isCut = collected.missing.some(({ code }) => code === 'upstream_invalid_response')
  if (isCut && (await isLeft())) throw new LeftUnderWayError(task.id)
  return collected
}
