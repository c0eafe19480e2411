/**
 * Brings a task to its end that another process has left: what the provider accepted is asked for, and nothing is sent
 * again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isDatabaseAway } from '../db/open-database.ts'
import { createLane } from '../lib/lane.ts'
import type { Operation, ProviderCompleted } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { secretsOf } from '../providers/request-secrets.ts'
import { getUnfinished, type UnfinishedTask } from '../tasks/get-unfinished.ts'
import { keepOperation } from '../tasks/keep-operation.ts'
import { storedRequest } from '../tasks/task.ts'
import { type CompleteDependencies, complete } from './complete.ts'
import { recordFailure } from './finish.ts'
import { type FollowDependencies, type Followed, followOperation } from './follow-operation.ts'
import { LeftUnderWayError } from './left-under-way.ts'
import { type OpenRouteDependencies, openRoute } from './open-route.ts'
import { settleCalls } from './settle-calls.ts'
import type { UnderwayTask } from './underway-task.ts'
import { readWorkNote, type WorkNote } from './work-note.ts'

export interface ResumeDependencies extends CompleteDependencies, FollowDependencies, OpenRouteDependencies {
  nodeId: string
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
  const task = await untilRead(() => getUnfinished(db, { taskId, nodeId }), signal)
  if (task === 'unknown') return
  if (!task) return dependencies.outcomes.abandon(taskId)
  try {
    const kept = readKept(task)
    const made = await followAll(dependencies, kept, signal)
    await complete(dependencies, { ...kept, made }, signal)
  } catch (error) {
    await recordFailure(dependencies, { task, error, dispatched: true })
  }
}

/** At least its `id`; what else it holds is the provider's. */
const keptOperation = z
  .object({ id: z.string() })
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]))

interface Kept {
  task: UnderwayTask
  note: WorkNote
  /** By the call that was accepted. */
  operations: ReadonlyMap<number, { operation: Operation; acceptedAt: Date }>
}

/** Throws `outcome_unknown` where another version kept what this one cannot read. */
function readKept({ work, operations, request, ...task }: UnfinishedTask): Kept {
  try {
    return {
      task: { ...task, request: storedRequest.parse(request) },
      note: readWorkNote(work),
      operations: new Map(
        operations.map(({ call, operation, acceptedAt }) => [
          call,
          { operation: keptOperation.parse(operation), acceptedAt },
        ]),
      ),
    }
  } catch (error) {
    throw unreadable(error)
  }
}

/** Tries again while the database is away; `unknown` where the signal fires first. */
async function untilRead<Value>(read: () => Promise<Value>, signal: AbortSignal): Promise<Value | 'unknown'> {
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
  { task, note, operations }: Kept,
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  const { db, nodeId } = dependencies
  const { accountId, funding } = task
  const { provider } = note
  const { source } = funding
  const open = () =>
    openRoute(dependencies, { provider, source, accountId }).catch((error: unknown) => {
      if (isDatabaseAway(error)) throw error
      return { reason: error }
    })
  const adapter = await untilRead(open, signal)
  if (adapter === 'unknown') throw new LeftUnderWayError(task.id)
  if ('reason' in adapter) throw gone(provider, adapter.reason)
  const withhold = secretsOf({
    ...spoken.parse(task.request),
    taskId: task.id,
    model: note.upstreamModel,
    prompt: note.prompt,
    n: note.asked.n,
  })
  const lane = createLane({ concurrency: dependencies.fanOut })
  const follow = async (call: number): Promise<ProviderCompleted> => {
    const accepted = operations.get(call)
    if (!accepted) throw neverAccepted()
    const { operation, acceptedAt } = accepted
    const followed: Followed = {
      taskId: task.id,
      adapter,
      provider: note.provider,
      acceptedAtMs: acceptedAt.getTime(),
      isTakenOver: true,
      withhold,
      keep: (changed) =>
        keepOperation(db, { nodeId, taskId: task.id, call, operation: changed, acceptedAt, work: note }).then(
          (isKept) => (isKept ? 'kept' : 'refused'),
          () => 'later',
        ),
    }
    return followOperation(dependencies, followed, { status: 'pending', operation, checkAfterMs: 0 }, signal)
  }
  return settleCalls(note.calls, (_call, index) => lane.run(() => follow(index)))
}

/** The words of the stored request that errors must not repeat, beside its prompt. */
const spoken = z.object({
  negativePrompt: z.string().optional().catch(undefined),
  safetyIdentifier: z.string().optional().catch(undefined),
  loraWeights: z.string().optional().catch(undefined),
  extraLoraWeights: z.array(z.string()).optional().catch(undefined),
})

function gone(provider: string, cause: unknown): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message: `${provider} was at work on this, but this server cannot ask it any more: its key, or the account's own, is gone. Whether a picture was made is not known.`,
    dispatched: 'yes',
    cause,
  })
}

function unreadable(cause: unknown): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message:
      'The server was restarted in another version, which cannot read what was noted of this work. Whether a picture was made is not known.',
    dispatched: 'yes',
    cause,
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
