/**
 * The story of one generation, in the order it happens. Each step is a file of its own; this one only tells
 * them in turn, so that money, durability and answers can be followed with a finger.
 */
import { createId } from '../lib/ids.ts'
import { mapFields } from '../models/map-fields.ts'
import { storedRequest } from '../tasks/task.ts'
import { type AdmitDependencies, admit } from './admit.ts'
import { checkPrompt } from './check-prompt.ts'
import { checkStrict } from './check-strict.ts'
import { chooseRoute, type RouteDependencies, served } from './choose-route.ts'
import type { CompleteDependencies } from './complete.ts'
import { complete } from './complete.ts'
import type { GenerateContext } from './context.ts'
import { type EnhanceDependencies, enhancePrompt } from './enhance-prompt.ts'
import { type FetchInputsDependencies, fetchInputs } from './fetch-inputs.ts'
import { recordFailure } from './finish.ts'
import type { Outcome } from './outcome.ts'
import { planCalls } from './plan-calls.ts'
import { planWatching } from './plan-watching.ts'
import { askedFields, type GenerationRequest, toStoredRequest } from './request.ts'
import { type RunDependencies, run } from './run.ts'
import { type PartialShow, showPartials } from './show-partials.ts'
import { noteWork } from './work-note.ts'

export type GenerateDependencies = AdmitDependencies &
  RouteDependencies &
  EnhanceDependencies &
  FetchInputsDependencies &
  RunDependencies &
  CompleteDependencies

/**
 * Makes the pictures and records them; answers once files and rows are durable. Throws a `GessoError`: before
 * admission nothing has been written, after it the task ends as failed with that error, unless a provider is still at
 * work on it when the process must end (`LeftUnderWayError`). `signal` stops the work when the process must end; a caller
 * that hangs up does not.
 */
export async function generate(
  dependencies: GenerateDependencies,
  context: GenerateContext,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<Outcome> {
  const named = dependencies.catalogue.resolve(request.model)
  const model = served(dependencies.providers, named)
  checkStrict(request)
  checkPrompt(model, request.prompt)
  const mapped = mapFields(model, askedFields(request), request)
  const watched = planWatching(model, request)
  const route = chooseRoute(dependencies, named)

  const taskId = createId('image', dependencies.clock.now())
  const mode = mapped.sends.images > 0 ? 'edit' : 'generation'
  const admitted = await admit(dependencies, context, { taskId, request, model, mode, route })
  const task = {
    id: taskId,
    accountId: context.caller.accountId,
    mode,
    request: storedRequest.parse(toStoredRequest(request)),
    createdAt: admitted.createdAt,
  } as const
  context.onAdmitted(admitted)
  let dispatched = false
  let partials: PartialShow | undefined
  try {
    await using inputs = await fetchInputs(dependencies, { context, request, mapped, route }, signal)
    const worded = await enhancePrompt(dependencies, { request, model, mode }, signal)
    const calls = planCalls(mapped.provider, watched.imagesPerCall, model.fields.seed.range)
    const warnings = [...watched.warnings, ...worded.warnings]
    const note = noteWork({
      promptInFiles: context.caller.promptInMetadata,
      request,
      mapped,
      route,
      model,
      worded: { ...worded, warnings },
      calls,
    })
    const show = watched.partialImages > 0 && context.onPartial
    partials = show ? showPartials({ ...watched, note, taskId }, show, signal) : undefined
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
