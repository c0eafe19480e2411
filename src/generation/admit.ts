/** Asks the database whether the caller may, and who pays, and makes the task in the same breath. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { GessoError } from '../lib/errors.ts'
import { type Admission, admitTask, previewAdmission, type RateState } from '../tasks/admit-task.ts'
import type { OutcomeRecorder } from '../tasks/record-outcome.ts'
import type { CostSource } from '../tasks/task.ts'
import type { GenerateContext } from './context.ts'
import type { Plan } from './plan.ts'
import { type Refusal, refusal } from './refusals.ts'
import { type GenerationRequest, toStoredRequest } from './request.ts'
import type { Funding } from './underway-task.ts'

export interface AdmitDependencies {
  db: Kysely<Database>
  clock: Clock
  nodeId: string
  outcomes: OutcomeRecorder
  /** Free pictures in 24 hours of accounts that have no number of their own. */
  defaultFreeImages: number
  /** How long after its end a task can be joined by its client's retry; absent: never. */
  joinWindowMs?: number
  /** How long an idempotency key stands for its request. */
  idempotencyTtlMs: number
}

export type AdmittedWork =
  /** A task, by one of the plans. */
  | { plan: Plan; createdAt: Date; rate: RateState; funding: Funding }
  /** The task of an earlier request, of which this is a repetition. */
  | { repeats: string; rate: RateState }

/** By the route in use, and after it by that of the account's own key where it goes another way. */
type Plans = [Plan, ...(() => Plan)[]]

/** Throws an `AdmissionError`, `invalid_api_key`, `missing_scope` or another refusal; then nothing was written. */
export async function admit(
  dependencies: AdmitDependencies,
  { caller, requestId, repetition }: GenerateContext,
  { taskId, request, plans }: { taskId: string; request: GenerationRequest; plans: Plans },
): Promise<AdmittedWork> {
  const { db, clock, nodeId, outcomes, joinWindowMs, idempotencyTtlMs } = dependencies
  const now = clock.now()
  outcomes.begin(taskId)
  try {
    const { plan, admission } = await decide(plans, (by, hasOwnWay) =>
      admitTask(db, {
        ...termsOf(dependencies, caller, by),
        hasOwnWay,
        now,
        nodeId,
        repetition,
        joinWindowMs,
        idempotencyTtlMs,
        task: {
          ...priced(by),
          id: taskId,
          requestId,
          mode: by.mode,
          upstreamModel: by.route.upstreamModel,
          request: toStoredRequest(request),
        },
      }),
    )
    if (admission.outcome === 'admitted') {
      const { rate, source, reservedMicros } = admission
      const quotedMicros = plan.pricing?.quote.micros ?? null
      return { plan, createdAt: now, rate, funding: { source, reservedMicros, quotedMicros } }
    }
    if (admission.outcome !== 'repeated') throw refused(admission, plan, now)
    outcomes.abandon(taskId)
    return { repeats: admission.taskId, rate: admission.rate }
  } catch (error) {
    outcomes.abandon(taskId)
    throw asDatabaseError(error)
  }
}

/** Who would pay for the plan, if it was asked for now. Throws the refusal that it would get; writes nothing. */
export async function previewPayer(
  dependencies: Pick<AdmitDependencies, 'db' | 'clock' | 'defaultFreeImages'>,
  caller: GenerateContext['caller'],
  plans: Plans,
): Promise<{ plan: Plan; source: CostSource }> {
  const now = dependencies.clock.now()
  const { plan, admission } = await decide(plans, (by, hasOwnWay) =>
    previewAdmission(dependencies.db, {
      ...termsOf(dependencies, caller, by),
      hasOwnWay,
      now,
      task: priced(by),
    }),
  ).catch((error: unknown) => {
    throw asDatabaseError(error)
  })
  if (admission.outcome === 'admitted') return { plan, source: admission.source }
  if (admission.outcome === 'repeated') throw new Error('a dry run repeats nothing')
  throw refused(admission, plan, now)
}

/**
 * Asks for the route in use. Where the account's own key goes before its credit, and another way, asks for that way; where
 * the key was removed in this very moment, for the first again, as if there had been none.
 */
async function decide(
  [plan, ownWay]: Plans,
  ask: (by: Plan, hasOwnWay: boolean) => Promise<Admission>,
): Promise<{ plan: Plan; admission: Admission }> {
  const admission = await ask(plan, ownWay !== undefined)
  if (admission.outcome !== 'use_own_key' || !ownWay) return { plan, admission }
  const own = ownWay()
  const ofOwnKey = await ask(own, false)
  if (ofOwnKey.outcome !== 'no_route') return { plan: own, admission: ofOwnKey }
  return { plan, admission: await ask(plan, false) }
}

function refused(refusedAs: Refusal, { model, images }: Plan, now: Date): GessoError {
  return refusal(refusedAs, { model: model.id, images, now })
}

function termsOf(
  { defaultFreeImages }: Pick<AdmitDependencies, 'defaultFreeImages'>,
  caller: GenerateContext['caller'],
  { route }: Plan,
) {
  return {
    keyId: caller.keyId,
    defaultRequestsPerMinute: caller.requestsPerMinute,
    defaultFreeImages,
    hasRoute: route.isConfigured,
  }
}

function priced({ model, route, images, pricing }: Plan) {
  return {
    model: model.id,
    provider: route.provider,
    images,
    quotedMicros: pricing?.quote.micros ?? null,
  }
}
