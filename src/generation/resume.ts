/**
 * Brings a task to its end that another process has left: what the provider accepted is asked for, and nothing is sent
 * again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { createLane } from '../lib/lane.ts'
import type { ProviderCompleted } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { getUnfinished, type UnfinishedTask } from '../tasks/get-unfinished.ts'
import { keepOperation } from '../tasks/keep-operation.ts'
import type { ProviderSet } from './choose-route.ts'
import { type CompleteDependencies, complete } from './complete.ts'
import { recordFailure } from './finish.ts'
import { type FollowDependencies, followOperation } from './follow-operation.ts'
import { settleCalls } from './settle-calls.ts'
import { readWorkNote, type WorkNote } from './work-note.ts'

export interface ResumeDependencies extends CompleteDependencies, FollowDependencies {
  db: Kysely<Database>
  nodeId: string
  providers: ProviderSet
  fanOut: number
}

const readAgainAfterMs = 1_000

/** Never throws: how it ends stands in the task. */
export async function resume(
  dependencies: ResumeDependencies,
  taskId: string,
  signal: AbortSignal,
): Promise<void> {
  const { db, nodeId } = dependencies
  const task = await readTask(() => getUnfinished(db, { taskId, nodeId }), signal)
  if (task === 'unknown') return
  if (!task) return dependencies.outcomes.abandon(taskId)
  try {
    const note = readWorkNote(task.work)
    const made = await followAll(dependencies, task, note, signal)
    await complete(dependencies, { task, note, made }, signal)
  } catch (error) {
    await recordFailure(dependencies, { task, error, dispatched: true })
  }
}

/** Tries again while the database is away; `unknown` where the signal fires first. */
async function readTask(
  read: () => Promise<UnfinishedTask | undefined>,
  signal: AbortSignal,
): Promise<UnfinishedTask | undefined | 'unknown'> {
  while (!signal.aborted) {
    try {
      return await read()
    } catch {
      await sleep(readAgainAfterMs, undefined, { signal }).catch(() => undefined)
    }
  }
  return 'unknown'
}

async function followAll(
  dependencies: ResumeDependencies,
  task: UnfinishedTask,
  note: WorkNote,
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  const adapter = dependencies.providers.get(note.provider)
  if (!adapter) throw gone(note.provider)
  const lane = createLane({ concurrency: dependencies.fanOut })
  const follow = async (call: number): Promise<ProviderCompleted> => {
    const accepted = task.operations.find((one) => one.call === call)
    if (!accepted) throw neverAccepted()
    const { operation, acceptedAt } = accepted
    const keep = (changed: object) =>
      keepOperation(dependencies.db, {
        nodeId: dependencies.nodeId,
        taskId: task.id,
        call,
        operation: changed,
        acceptedAt,
        work: note,
      }).catch(() => true)
    return followOperation(
      dependencies,
      {
        taskId: task.id,
        adapter,
        provider: note.provider,
        acceptedAtMs: acceptedAt.getTime(),
        keep,
        withhold: [note.prompt],
      },
      { status: 'pending', operation, checkAfterMs: 0 },
      signal,
    )
  }
  return settleCalls(note.calls, (_call, index) => lane.run(() => follow(index)))
}

function gone(provider: string): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message: `The server was restarted without ${provider}, which was at work on this. Whether a picture was made is not known.`,
    dispatched: 'yes',
  })
}

/** It may have been sent, but the process ended before the provider's answer was kept. */
function neverAccepted(): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message:
      'The server stopped before the provider had accepted this picture. Whether it was made is not known.',
    dispatched: 'unknown',
  })
}
