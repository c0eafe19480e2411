/** Asks the database whether the caller may, and makes the task in the same breath. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { missingScope } from '../keys/scopes.ts'
import type { Clock } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import type { Model } from '../models/model.ts'
import { admitTask, type RateState } from '../tasks/admit-task.ts'
import type { OutcomeRecorder } from '../tasks/record-outcome.ts'
import type { TaskMode } from '../tasks/task.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { Admitted, GenerateContext } from './context.ts'
import { type GenerationRequest, toStoredRequest } from './request.ts'

export interface AdmitDependencies {
  db: Kysely<Database>
  clock: Clock
  nodeId: string
  outcomes: OutcomeRecorder
}

/** Raised where the key's rate is used up; carries the state for the answer's headers. */
export class RateLimitError extends GessoError {
  override name = 'RateLimitError'
  readonly rate: RateState

  constructor(rate: RateState) {
    const seconds = Math.ceil((rate.retryAfterMs ?? 1_000) / 1_000)
    super({
      code: 'rate_limit_exceeded',
      attribution: 'capacity',
      message: `This key may make ${rate.limit} requests per minute, and they are used up. Try again in ${seconds} s.`,
      retryable: true,
      retryAfterMs: rate.retryAfterMs,
    })
    this.rate = rate
  }
}

/** Throws `invalid_api_key`, `missing_scope` or `rate_limit_exceeded`; then nothing was written. */
export async function admit(
  dependencies: AdmitDependencies,
  context: GenerateContext,
  work: { taskId: string; request: GenerationRequest; model: Model; mode: TaskMode; route: ChosenRoute },
): Promise<Admitted> {
  const now = dependencies.clock.now()
  dependencies.outcomes.begin(work.taskId)
  const admission = await admitTask(dependencies.db, {
    keyId: context.caller.keyId,
    nodeId: dependencies.nodeId,
    now,
    defaultRequestsPerMinute: context.caller.requestsPerMinute,
    task: {
      id: work.taskId,
      requestId: context.requestId,
      mode: work.mode,
      model: work.model.id,
      provider: work.route.provider,
      upstreamModel: work.route.upstreamModel,
      request: toStoredRequest(work.request),
    },
  }).catch((error: unknown) => {
    dependencies.outcomes.abandon(work.taskId)
    throw asDatabaseError(error)
  })

  if (admission.outcome !== 'admitted') dependencies.outcomes.abandon(work.taskId)
  switch (admission.outcome) {
    case 'admitted':
      return { taskId: work.taskId, createdAt: now, rate: admission.rate }
    case 'rate_limited':
      throw new RateLimitError(admission.rate)
    case 'scope_missing':
      throw missingScope('images:write')
    case 'key_gone':
      throw new GessoError({
        code: 'invalid_api_key',
        attribution: 'client',
        message: 'This API key has been revoked or has expired.',
      })
  }
}
