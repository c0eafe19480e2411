/**
 * The story of one generation, in the order it happens. Each step is a file of its own; this one only tells
 * them in turn, so that money, durability and answers can be followed with a finger.
 */
import { createId } from '../lib/ids.ts'
import { mapFields } from '../models/map-fields.ts'
import { type AdmitDependencies, admit } from './admit.ts'
import { checkPrompt } from './check-prompt.ts'
import { chooseRoute, type RouteDependencies } from './choose-route.ts'
import { type CollectDependencies, collectPictures } from './collect-pictures.ts'
import type { GenerateContext } from './context.ts'
import { type FinishDependencies, finish, recordFailure } from './finish.ts'
import type { Outcome } from './outcome.ts'
import { prepareResult } from './prepare-result.ts'
import type { GenerationRequest } from './request.ts'
import { type RunDependencies, run } from './run.ts'
import { type StoreDependencies, storePictures } from './store-pictures.ts'

export type GenerateDependencies = AdmitDependencies &
  RouteDependencies &
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
  checkPrompt(model, request.prompt)
  const mapped = mapFields(model, request.fields, request.handling)
  const route = chooseRoute(dependencies, model)

  const taskId = createId('image', dependencies.clock.now())
  const admitted = await admit(dependencies, context, { taskId, request, model, route })
  context.onAdmitted(admitted)
  try {
    const made = await run(
      dependencies,
      { taskId, route, prompt: request.prompt, fields: mapped.provider },
      signal,
    )
    const collected = await collectPictures(dependencies, made, mapped, signal)
    const { stored, warnings } = await storePictures(dependencies, collected.pictures)
    const result = prepareResult({
      made,
      mapped,
      asked: request.fields,
      stored,
      warnings: [...request.warnings, ...mapped.warnings],
      missing: [...collected.warnings, ...warnings],
    })
    return await finish(dependencies, {
      admitted,
      accountId: context.caller.accountId,
      model,
      request,
      stored,
      result,
    })
  } catch (error) {
    throw await recordFailure(dependencies, admitted, error)
  }
}
