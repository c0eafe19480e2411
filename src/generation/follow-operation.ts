/**
 * Work that a provider has accepted, followed to its end: kept before it is first asked for, asked for until it is done,
 * however often the asking itself fails, and told to stop when it takes longer than anybody would wait.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { GessoError } from '../lib/errors.ts'
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
  /** Did another process send the work? Its note is durable then. */
  isTakenOver: boolean
  /**
   * Makes the note durable. `later` where that does not work at the moment; `refused` where the task has ended or belongs
   * to another process by now.
   */
  keep(operation: Operation): Promise<'kept' | 'later' | 'refused'>
  /** Texts of the request that no error may repeat. */
  withhold: readonly string[]
}

/** Between two questions, whatever an adapter makes of its vendor's words. */
const shortestPauseMs = 10
const longestPauseMs = 30_000
/** How long a provider is asked to stop before nobody waits for its answer. */
const cancelTimeoutMs = 10_000
/** How many questions may fail in a row where that is no more than a guess at something passing. */
const mostGuesses = 4

/**
 * Answers the pictures. Throws the failure of the work; `LeftUnderWayError` where the signal fires first, with the work
 * left to another process; `outcome_unknown` where the provider took too long.
 */
export async function followOperation(
  dependencies: FollowDependencies,
  followed: Followed,
  accepted: ProviderPending,
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  const { adapter } = followed
  if (!adapter.check) throw new Error(`provider ${adapter.id} answered pending but cannot check`)
  const deadlineMs = followed.acceptedAtMs + dependencies.operationTimeoutMs
  const notes = createNotes(followed)
  let pending = accepted
  let troubles = 0
  // What was sent long ago by a process that is gone may be done since: it is asked for before it is given up.
  let isAtWork = !followed.isTakenOver
  while (true) {
    await notes.keep(pending.operation)
    const isLate = Date.now() >= deadlineMs
    if (isLate && (isAtWork || troubles >= mostGuesses)) throw await stopped(followed, pending.operation)
    const pauseMs = boundedPause(pending.checkAfterMs)
    await sleep(isLate ? pauseMs : Math.min(pauseMs, deadlineMs - Date.now()), undefined, { signal }).catch(
      () => undefined,
    )
    if (signal.aborted) throw await notes.leave(pending.operation)
    try {
      const outcome = await adapter.check(pending.operation, signal, followed.withhold)
      if (outcome.status === 'completed') return outcome
      pending = outcome
      troubles = 0
      isAtWork = true
    } catch (error) {
      if (signal.aborted) throw await notes.leave(pending.operation)
      troubles += 1
      if (!mayPass(error, troubles)) throw error
      pending = { ...pending, checkAfterMs: pauseAfter(error, troubles) }
    }
  }
}

/** Keeps the notes of one operation, each once, and each again until it is kept. */
function createNotes(followed: Followed) {
  let newest = ''
  let isDurable = followed.isTakenOver
  const keep = async (operation: Operation): Promise<void> => {
    const note = JSON.stringify(operation)
    if (note === newest) return
    const how = await followed.keep(operation)
    if (how === 'refused') {
      // Work of which no other process knows would be paid for and thrown away.
      if (!isDurable) await cancel(followed, operation)
      throw takenOver(followed.taskId)
    }
    if (how === 'later') return
    newest = note
    isDurable = true
  }
  return {
    keep,
    /** The error of work that this process must leave. */
    async leave(operation: Operation): Promise<GessoError> {
      if (!isDurable) await keep(operation)
      return isDurable ? new LeftUnderWayError(followed.taskId) : lost(followed.provider)
    },
  }
}

/** What an adapter trips over may have been one odd answer, and the work is paid for: it is asked a few times more. */
function mayPass(error: unknown, troubles: number): boolean {
  return error instanceof ProviderError ? error.retryable : troubles <= mostGuesses
}

function pauseAfter(error: unknown, troubles: number): number {
  const asked = error instanceof ProviderError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(asked, 500 * 2 ** Math.min(troubles, 6))
}

function boundedPause(pauseMs: number): number {
  if (Number.isNaN(pauseMs)) return 1_000
  return Math.min(Math.max(pauseMs, shortestPauseMs), longestPauseMs)
}

/** Best effort: what the provider makes of it is not waited for. */
async function cancel({ adapter }: Followed, operation: Operation): Promise<void> {
  await adapter.cancel?.(operation, AbortSignal.timeout(cancelTimeoutMs)).catch(() => undefined)
}

async function stopped(followed: Followed, operation: Operation): Promise<ProviderError> {
  await cancel(followed, operation)
  const toldToStop = followed.adapter.cancel ? ', and was told to stop' : ''
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'upstream',
    message: `${followed.provider} did not finish in the time that this server waits${toldToStop}. The picture may have been made, so Gesso does not ask again.`,
    dispatched: 'yes',
  })
}

/** The server stops, and no other could know of the work. */
function lost(provider: string): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message: `This server is stopping while ${provider} is at work, and could not note it down for the next one. The picture may be made, but it cannot be fetched any more.`,
    dispatched: 'yes',
  })
}

function takenOver(taskId: string): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'platform',
    message: `This process has lost its hold on the task: GET /v1/images/generations/${taskId} tells how it ends.`,
    dispatched: 'yes',
  })
}
