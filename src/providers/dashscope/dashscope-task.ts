/**
 * Work that DashScope does later: the note with which it is asked for, and what the answers mean ("Asynchronous task
 * management API" of Model Studio, read 2026-11-20).
 */
import { z } from 'zod'
import type { ProviderHttpAnswer } from '../http.ts'
import type { Operation, ProviderOutcome } from '../provider.ts'
import { noPicture, type ProviderNames } from '../vendor-failure.ts'
import { canceledTask, lostTask, taskFailure, unreadableState } from './dashscope-failure.ts'
import { readPictures } from './dashscope-reply.ts'
import { wireAnswer } from './dashscope-schema.ts'

/** What another process needs to go on asking. */
const dashscopeOperation = z.object({
  /** The vendor's `task_id`. */
  id: z.string(),
  /** How many pictures must come, and how many may. */
  owed: z.int(),
  atMost: z.int(),
  /** When the vendor accepted it, in milliseconds since 1970. */
  startedAt: z.number(),
})
type DashScopeOperation = z.infer<typeof dashscopeOperation>

/**
 * `UNKNOWN` means that the task does not exist or that its state is not known. A task that was accepted minutes ago does
 * exist, so it may yet be found; pictures take a minute or two, and after ten the vendor has lost it.
 */
const lostAfterMs = 10 * 60_000

/** Soon at first, because a quick model needs seconds, then every five seconds, as the vendor asks. */
const shortestWaitMs = 1_000
const longestWaitMs = 5_000

export function readOperation(operation: Operation): DashScopeOperation {
  return dashscopeOperation.parse(operation)
}

/** The answer to a call that makes a task. Throws `ProviderError` where there is none. */
export function readAccepted(
  answer: ProviderHttpAnswer,
  asked: { owed: number; atMost: number; names: ProviderNames },
): ProviderOutcome {
  const { owed, atMost, names } = asked
  const id = wireAnswer.safeParse(answer.json).data?.output?.task_id
  if (id === undefined) throw noPicture(names.title, 'accepted work without naming it', answer.excerpt())
  return pending({ id, owed, atMost, startedAt: Date.now() })
}

/** The answer to a question about a task. Throws `ProviderError`: `retryable` only where the task may yet end well. */
export function readState(
  answer: ProviderHttpAnswer,
  operation: DashScopeOperation,
  { names, trusted }: { names: ProviderNames; trusted: boolean },
): ProviderOutcome {
  const wire = wireAnswer.safeParse(answer.json).data
  const status = wire?.output?.task_status
  if (!wire?.output || status === undefined) throw unreadableState(names, answer.excerpt())
  switch (status) {
    case 'SUCCEEDED':
      return readPictures(answer, wire, { ...operation, names, trusted })
    case 'FAILED':
      throw taskFailure(answer, names, wire.output)
    case 'CANCELED':
      throw canceledTask(names)
    case 'UNKNOWN':
      if (Date.now() - operation.startedAt >= lostAfterMs) throw lostTask(names, answer.excerpt())
      return pending(operation)
    default:
      return pending(operation)
  }
}

function pending(operation: DashScopeOperation): ProviderOutcome {
  const ageMs = Date.now() - operation.startedAt
  const checkAfterMs = Math.round(Math.min(longestWaitMs, Math.max(shortestWaitMs, ageMs / 5)))
  return { status: 'pending', operation, checkAfterMs }
}
