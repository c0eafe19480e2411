/**
 * The story of one generation, in the order it happens. Each step is a file of its own; this one only tells
 * them in turn, so that money, durability and answers can be followed with a finger.
 */
import { asDatabaseError } from '../db/open-database.ts'
import { createId } from '../lib/ids.ts'
import { storedRequest } from '../tasks/task.ts'
import { type AdmitDependencies, admit } from './admit.ts'
import { type AnnounceDependencies, announceDispatch } from './announce-dispatch.ts'
import type { RouteDependencies } from './choose-route.ts'
import type { CompleteDependencies } from './complete.ts'
import { complete } from './complete.ts'
import type { GenerateContext } from './context.ts'
import { type EnhanceDependencies, enhancePrompt } from './enhance-prompt.ts'
import { type FetchInputsDependencies, fetchInputs } from './fetch-inputs.ts'
import { recordFailure } from './finish.ts'
import { type OpenRouteDependencies, openRoute } from './open-route.ts'
import type { Outcome, Repeated } from './outcome.ts'
import { plan } from './plan.ts'
import { type GenerationRequest, toStoredRequest } from './request.ts'
import { type RunDependencies, run } from './run.ts'
import { type PartialShow, showPartials } from './show-partials.ts'
import { noteWork } from './work-note.ts'

export type GenerateDependencies = AdmitDependencies &
  RouteDependencies &
  OpenRouteDependencies &
  AnnounceDependencies &
  EnhanceDependencies &
  FetchInputsDependencies &
  RunDependencies &
  CompleteDependencies

/**
 * Makes the pictures and records them; answers once files and rows are durable, or at once where the request repeats an
 * earlier one, with the task to wait for. Throws a `GessoError`: before admission nothing has been written, after it the
 * task ends as failed with that error, unless a provider is still at work on it when the process must end
 * (`LeftUnderWayError`). `signal` stops the work when the process must end; a caller that hangs up does not.
 */
export async function generate(
  dependencies: GenerateDependencies,
  context: GenerateContext,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<Outcome | Repeated> {
  const { accountId, promptInMetadata } = context.caller
  const plans = plan(dependencies, context.caller, request)
  const stored = storedRequest.parse(toStoredRequest(request))
  const taskId = createId('image', dependencies.clock.now())
  const admitted = await admit(dependencies, context, { taskId, request, plans })
  if ('repeats' in admitted) {
    context.onAdmitted({ taskId: admitted.repeats, rate: admitted.rate, repeated: true })
    return { repeats: admitted.repeats }
  }
  const { model, route: planned, mapped, watched, calls, mode, pricing } = admitted.plan
  const { funding } = admitted
  const task = {
    id: taskId,
    accountId,
    mode,
    request: stored,
    createdAt: admitted.createdAt,
    funding,
  } as const
  let dispatched = false
  let partials: PartialShow | undefined
  // From here on nothing may throw without the task being ended.
  try {
    context.onAdmitted({ taskId, rate: admitted.rate })
    const { provider } = planned
    const adapter = await openRoute(dependencies, { provider, source: funding.source, accountId }).catch(
      (error: unknown) => {
        throw asDatabaseError(error)
      },
    )
    const route = { ...planned, adapter }
    await using inputs = await fetchInputs(dependencies, { context, request, mapped, route }, signal)
    const worded = await enhancePrompt(dependencies, { request, model, mode }, signal)
    const warnings = [...watched.warnings, ...worded.warnings]
    const note = noteWork({
      promptInFiles: promptInMetadata,
      request,
      mapped,
      route,
      model,
      worded: { ...worded, warnings },
      calls,
      pricing,
      inputPixels: inputs.pixels,
    })
    const show = watched.partialImages > 0 && context.onPartial
    partials = show ? showPartials({ ...watched, note, taskId }, show, signal) : undefined
    await announceDispatch(dependencies, { taskId, repetition: context.repetition })
    dispatched = true
    const watching = partials?.watching
    const made = await run(
      dependencies,
      { taskId, route, fields: mapped.provider, inputs, note, watching },
      signal,
    )
    const outcome = await complete(dependencies, { task, note, made }, signal)
    await partials?.settled()
    return outcome
  } catch (error) {
    // What came before the failure is shown before it.
    await partials?.settled()
    throw await recordFailure(dependencies, { task, error, dispatched })
  }
}
