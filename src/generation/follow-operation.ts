/**
 * Work that a provider has accepted, followed to its end: kept before it is first asked for, asked for until it is done,
 * however often the asking itself fails, and told to stop when it takes longer than anybody would wait.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Operation, Provider, ProviderCompleted, ProviderPending } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { LeftUnderWayError } from './left-under-way.ts'

export interface FollowDependencies {
  /** How long a provider may work on one call, from its acceptance, in milliseconds. */
  operationTimeoutMs: number
}

export interface Followed {
  taskId: string
  adapter: Provider
  /** How the provider is called, for messages. */
  provider: string
  acceptedAtMs: number
  /** Makes the note durable. Answers false where the task belongs to another process by now. */
  keep(operation: Operation): Promise<boolean>
  /** Texts of the request that no error may repeat. */
  withhold: readonly string[]
}

/** The longest time between two questions whose askings fail. */
const longestPauseMs = 30_000
/** How long a provider is asked to stop before nobody waits for its answer. */
const cancelTimeoutMs = 10_000

/**
 * Answers the pictures. Throws the failure of the work; `LeftUnderWayError` where the signal fires first, with the work
 * left to another process; `upstream_timeout` where the provider took too long.
 */
export async function followOperation(
  dependencies: FollowDependencies,
  followed: Followed,
  accepted: ProviderPending,
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  const { adapter, taskId } = followed
  if (!adapter.check) throw new Error(`provider ${adapter.id} answered pending but cannot check`)
  const deadlineMs = followed.acceptedAtMs + dependencies.operationTimeoutMs
  let pending = accepted
  let kept = ''
  let troubles = 0
  while (true) {
    const note = JSON.stringify(pending.operation)
    if (note !== kept && !(await followed.keep(pending.operation))) throw takenOver(taskId)
    kept = note
    if (Date.now() >= deadlineMs) throw await stopped(followed, pending.operation)
    const pauseMs = Math.min(pending.checkAfterMs, Math.max(0, deadlineMs - Date.now()))
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) throw new LeftUnderWayError(taskId)
    try {
      const outcome = await adapter.check(pending.operation, signal, followed.withhold)
      if (outcome.status === 'completed') return outcome
      pending = outcome
      troubles = 0
    } catch (error) {
      if (signal.aborted) throw new LeftUnderWayError(taskId)
      if (!(error instanceof ProviderError) || !error.retryable) throw error
      troubles += 1
      pending = { ...pending, checkAfterMs: pauseAfter(error, troubles) }
    }
  }
}

function pauseAfter(error: ProviderError, troubles: number): number {
  return Math.min(Math.max(error.retryAfterMs ?? 0, 500 * 2 ** Math.min(troubles, 6)), longestPauseMs)
}

/** Best effort: what the provider makes of it is not waited for. */
async function stopped({ adapter, provider }: Followed, operation: Operation): Promise<ProviderError> {
  await adapter.cancel?.(operation, AbortSignal.timeout(cancelTimeoutMs)).catch(() => undefined)
  return new ProviderError({
    code: 'upstream_timeout',
    attribution: 'upstream',
    message: `${provider} did not finish in the time that this server waits, and was told to stop. The picture may have been made, so Gesso does not ask again.`,
    dispatched: 'yes',
  })
}

function takenOver(taskId: string): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message: `Another process has taken this task over: GET /v1/images/generations/${taskId} tells how it ends.`,
    dispatched: 'yes',
  })
}
