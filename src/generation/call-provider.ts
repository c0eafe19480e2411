/** One call to the provider, followed to its end. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProviderCompleted, ProviderRequest } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { RunEvents } from './events.ts'
import { stoppedBeforeDispatch } from './stopped-before-dispatch.ts'

export interface CallDependencies {
  events: RunEvents
}

/**
 * Sends the request, and waits where the provider answers with an operation. Never sends the same work twice: whether
 * that is safe is for the routes to decide, from the error's `dispatched`.
 */
export async function callProvider(
  dependencies: CallDependencies,
  { route, request }: { route: ChosenRoute; request: ProviderRequest },
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  // Here and not earlier: a stop may come while the prompt is rewritten, or between two calls of one request.
  if (signal.aborted) throw stoppedBeforeDispatch(signal.reason)
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
    let outcome = await route.adapter.start(request, signal)
    while (outcome.status === 'pending') {
      await sleep(outcome.checkAfterMs, undefined, { signal })
      if (!route.adapter.check)
        throw new Error(`provider ${route.provider} answered pending but cannot check`)
      outcome = await route.adapter.check(outcome.operation, signal)
    }
    report()
    return outcome
  } catch (error) {
    report(error)
    throw signal.aborted && error instanceof ProviderError && error.dispatched === 'no'
      ? stoppedBeforeDispatch(error)
      : error
  }
}
