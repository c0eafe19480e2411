/** One call to the provider, followed to its end. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import type { ProviderCompleted, ProviderOutcome, ProviderRequest, Watching } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { secretsOf } from '../providers/request-secrets.ts'
import { keepOperation } from '../tasks/keep-operation.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { RunEvents } from './events.ts'
import { type FollowDependencies, type Followed, followOperation } from './follow-operation.ts'
import { stoppedBeforeDispatch } from './stopped-before-dispatch.ts'
import type { WorkNote } from './work-note.ts'

export interface CallDependencies extends FollowDependencies {
  db: Kysely<Database>
  nodeId: string
  events: RunEvents
}

export interface Call {
  route: ChosenRoute
  request: ProviderRequest
  /** Which of the task's calls it is, from 0. */
  index: number
  note: WorkNote
  /** Where somebody watches the pictures come into being. */
  watching?: Watching
}

/**
 * Sends the request, and waits where the provider answers with an operation. Never sends the same work twice: whether
 * that is safe is for the routes to decide, from the error's `dispatched`.
 */
export async function callProvider(
  dependencies: CallDependencies,
  call: Call,
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  // Here and not earlier: a stop may come while the prompt is rewritten, or between two calls of one request.
  if (signal.aborted) throw stoppedBeforeDispatch(signal.reason)
  const { route, request } = call
  const startedAtMs = performance.now()
  const report = (error?: unknown) =>
    dependencies.events.providerAnswered({
      taskId: request.taskId,
      provider: route.provider,
      upstreamModel: route.upstreamModel,
      durationMs: performance.now() - startedAtMs,
      error,
    })
  try {
    const outcome = await send(call, signal)
    const completed =
      outcome.status === 'completed'
        ? outcome
        : await followOperation(dependencies, followed(dependencies, call), outcome, signal)
    report()
    return completed
  } catch (error) {
    report(error)
    throw signal.aborted && error instanceof ProviderError && error.dispatched === 'no'
      ? stoppedBeforeDispatch(error)
      : error
  }
}

function send({ route, request, watching }: Call, signal: AbortSignal): Promise<ProviderOutcome> {
  return watching && route.adapter.stream
    ? route.adapter.stream(request, watching, signal)
    : route.adapter.start(request, signal)
}

/** What is still to be done for a call that was accepted just now. */
function followed(dependencies: CallDependencies, { route, request, index, note }: Call): Followed {
  const acceptedAt = new Date()
  const { db, nodeId, events } = dependencies
  const { taskId } = request
  let isTold = false
  return {
    taskId,
    adapter: route.adapter,
    provider: route.provider,
    acceptedAtMs: acceptedAt.getTime(),
    isTakenOver: false,
    withhold: secretsOf(request),
    async keep(operation) {
      try {
        const call = { nodeId, taskId, call: index, operation, acceptedAt, work: note }
        return (await keepOperation(db, call)) ? 'kept' : 'refused'
      } catch (error) {
        // The work is paid for: without a database it is still followed here.
        if (!isTold) events.operationNotKept({ taskId, error: asDatabaseError(error) })
        isTold = true
        return 'later'
      }
    },
  }
}
