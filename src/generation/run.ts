/** Has the provider do the work: in one call, or in several where the model makes few pictures at once. */
import { createLane } from '../lib/lane.ts'
import type { ProviderFields } from '../models/map-fields.ts'
import type { Model } from '../models/model.ts'
import type { ImageFailure, ProviderCompleted } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { type CallDependencies, callProvider } from './call-provider.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { Inputs } from './fetch-inputs.ts'
import { mergeAnswers } from './merge-answers.ts'
import { mostExpensive } from './most-expensive.ts'
import { type PlannedCall, planCalls } from './plan-calls.ts'

export interface RunDependencies extends CallDependencies {
  /** How many calls of one request are under way at once. */
  fanOut: number
}

interface Work {
  taskId: string
  route: ChosenRoute
  model: Model
  prompt: string
  fields: ProviderFields
  inputs: Inputs
}

/**
 * Follows every call to its end. Where some fail, the others' pictures count and the failures are told beside them;
 * throws where all failed.
 */
export async function run(
  dependencies: RunDependencies,
  work: Work,
  signal: AbortSignal,
): Promise<ProviderCompleted> {
  const calls = planCalls(work.fields, work.model.imagesPerCall, work.model.fields.seed.range?.max)
  const ask = async (call: PlannedCall) => {
    const { images, mask } = work.inputs
    const request = {
      ...work.fields,
      ...call,
      taskId: work.taskId,
      model: work.route.upstreamModel,
      prompt: work.prompt,
      dialect: work.route.dialect,
      ...(images.length > 0 ? { images } : {}),
      ...(mask ? { mask } : {}),
    }
    const made = await callProvider(dependencies, { route: work.route, request }, signal)
    return call.n === 1 ? withSeed(made, call.seed) : made
  }
  const [only, ...others] = calls
  if (only && others.length === 0) return ask(only)

  const lane = createLane({ concurrency: dependencies.fanOut })
  let hopeless: ProviderError | undefined
  const settled = await Promise.allSettled(
    calls.map((call) =>
      lane.run(async () => {
        // What is wrong with the request or the key is wrong with all of its calls: none is sent in vain.
        if (hopeless) throw hopeless
        return ask(call).catch((error: unknown) => {
          if (isHopeless(error)) hopeless = error
          throw error
        })
      }),
    ),
  )
  const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const errors: unknown[] = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (answers.length === 0) throw mostExpensive(errors)
  const failures = settled.flatMap((one, index) =>
    one.status === 'rejected' ? missing(one.reason, calls[index]?.n ?? 1) : [],
  )
  return mergeAnswers(answers, failures)
}

/** The seed that the one picture of a call was asked with, where the provider does not repeat it. */
function withSeed(made: ProviderCompleted, seed: number | undefined): ProviderCompleted {
  const [only, ...others] = made.images
  if (seed === undefined || !only || others.length > 0) return made
  return { ...made, images: [{ ...only, seed: only.seed ?? seed }] }
}

function isHopeless(error: unknown): error is ProviderError {
  return (
    error instanceof ProviderError &&
    // Credentials, an empty account, an unknown model: no other call would fare better. A refusal by moderation is
    // about one picture, and the next may pass.
    error.dispatched === 'no' &&
    (error.attribution === 'client' || error.attribution === 'platform')
  )
}

/** One failure for each picture that the call owed. */
function missing(error: unknown, n: number): ImageFailure[] {
  const told =
    error instanceof ProviderError
      ? error
      : new ProviderError({
          code: 'internal_error',
          attribution: 'platform',
          message: 'It failed for a reason of this server.',
          dispatched: 'unknown',
          cause: error,
        })
  return Array.from({ length: n }, () => ({ error: told }))
}
