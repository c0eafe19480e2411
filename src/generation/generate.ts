/**
 * The story of one generation, in the order it happens. Each step is a file of its own; this one only tells
 * them in turn, so that money, durability and answers can be followed with a finger.
 */
import { createId } from '../lib/ids.ts'
import { mapFields } from '../models/map-fields.ts'
import { type AdmitDependencies, admit } from './admit.ts'
import { checkPrompt } from './check-prompt.ts'
import { checkStrict } from './check-strict.ts'
import { chooseRoute, type RouteDependencies } from './choose-route.ts'
import { type CollectDependencies, collectPictures } from './collect-pictures.ts'
import type { GenerateContext } from './context.ts'
import { type EnhanceDependencies, enhancePrompt } from './enhance-prompt.ts'
import { type FetchInputsDependencies, fetchInputs } from './fetch-inputs.ts'
import { type FinishDependencies, finish, recordFailure } from './finish.ts'
import { type MarkContext, markOrigin } from './mark-origin.ts'
import type { Outcome } from './outcome.ts'
import { prepareResult } from './prepare-result.ts'
import { askedFields, type GenerationRequest } from './request.ts'
import { type RunDependencies, run } from './run.ts'
import { type StoreDependencies, storePictures } from './store-pictures.ts'

export type GenerateDependencies = AdmitDependencies &
  RouteDependencies &
  EnhanceDependencies &
  FetchInputsDependencies &
  RunDependencies &
  CollectDependencies &
  StoreDependencies &
  FinishDependencies

/**
 * Makes the pictures and records them; answers once files and rows are durable. Throws a `GessoError`: before
 * admission nothing has been written, after it the task ends as failed with that error. `signal` stops the work
 * when the process must end; a caller that hangs up does not.
 */
export async function generate(
  dependencies: GenerateDependencies,
  context: GenerateContext,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<Outcome> {
  const model = dependencies.catalogue.resolve(request.model)
  checkStrict(request)
  checkPrompt(model, request.prompt)
  const mapped = mapFields(model, askedFields(request), request)
  const route = chooseRoute(dependencies, model)

  const taskId = createId('image', dependencies.clock.now())
  const mode = mapped.sends.images > 0 ? 'edit' : 'generation'
  const admitted = await admit(dependencies, context, { taskId, request, model, mode, route })
  context.onAdmitted(admitted)
  let dispatched = false
  try {
    await using inputs = await fetchInputs(dependencies, { context, request, mapped, route }, signal)
    const worded = await enhancePrompt(dependencies, { request, model, mode }, signal)
    dispatched = true
    const made = await run(
      dependencies,
      { taskId, route, model, prompt: worded.prompt, fields: mapped.provider, inputs },
      signal,
    )
    const collected = await collectPictures(dependencies, made, mapped, signal)
    const origin: MarkContext = {
      model,
      taskId,
      prompt: context.caller.promptInMetadata ? request.prompt : undefined,
    }
    const marked = collected.pictures.map((picture) => markOrigin(picture, origin))
    const { stored, warnings } = await storePictures(dependencies, marked, worded.optimization?.optimized)
    const result = prepareResult({
      made,
      mapped,
      request,
      stored,
      optimization: worded.optimization,
      warnings: [...request.warnings, ...mapped.warnings, ...worded.warnings, ...collected.notes],
      missing: [...collected.missing, ...warnings],
    })
    return await finish(dependencies, {
      admitted,
      accountId: context.caller.accountId,
      model,
      mode,
      request,
      stored,
      result,
    })
  } catch (error) {
    throw await recordFailure(dependencies, { admitted, error, dispatched })
  }
}
