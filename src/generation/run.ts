/** Has the provider do the work, and waits for it where it answers with an operation. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProviderCompleted, ProviderRequest } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { RunEvents } from './events.ts'

export interface RunDependencies {
  events: RunEvents
}

/**
 * One call to the provider, followed to its end. Never sends the same work twice: whether that is safe is for
 * the routes to decide, from the error's `dispatched`.
 */
export async function run(
  dependencies: RunDependencies,
  work: {
    taskId: string
    route: ChosenRoute
    prompt: string
    fields: Omit<ProviderRequest, 'taskId' | 'model' | 'prompt' | 'dialect'>
  },
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  const { route, taskId } = work
  const startedAtMs = performance.now()
  const report = (error?: unknown) =>
    dependencies.events.providerAnswered({
      taskId,
      provider: route.provider,
      upstreamModel: route.upstreamModel,
      durationMs: performance.now() - startedAtMs,
      error,
    })
  try {
    let outcome = await route.adapter.start(
      { ...work.fields, taskId, model: route.upstreamModel, prompt: work.prompt, dialect: route.dialect },
      signal,
    )
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
      ? stopping(error)
      : error
  }
}

/** The process ends before the provider was asked. */
function stopping(cause: ProviderError): ProviderError {
  return new ProviderError({
    code: 'overloaded',
    attribution: 'platform',
    message: 'This server stopped before the provider was asked. Nothing was started; try again shortly.',
    dispatched: 'no',
    retryable: true,
    retryAfterMs: 2_000,
    cause,
  })
}
