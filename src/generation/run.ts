/** Has the provider do the work: in one call, or in several where the model makes few pictures at once. */
import { createLane } from '../lib/lane.ts'
import type { ProviderFields } from '../models/map-fields.ts'
import type { ProviderCompleted, Watching } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { type CallDependencies, callProvider } from './call-provider.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { Inputs } from './fetch-inputs.ts'
import type { PlannedCall } from './plan-calls.ts'
import { settleCalls } from './settle-calls.ts'
import type { WorkNote } from './work-note.ts'

export interface RunDependencies extends CallDependencies {
  /** How many calls of one request are under way at once. */
  fanOut: number
}

interface Work {
  taskId: string
  route: ChosenRoute
  fields: ProviderFields
  inputs: Inputs
  /** Its `calls` are made. */
  note: WorkNote
  watching?: Watching
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
  const { note, route } = work
  const { images, mask, markup } = work.inputs
  const lane = createLane({ concurrency: dependencies.fanOut })
  let hopeless: ProviderError | undefined
  const ask = (call: PlannedCall, index: number) => {
    const request = {
      ...work.fields,
      ...call,
      taskId: work.taskId,
      model: route.upstreamModel,
      prompt: note.prompt,
      dialect: route.dialect,
      ...(images.length > 0 ? { images } : {}),
      ...(mask ? { mask } : {}),
      ...(markup ? { markup } : {}),
    }
    const watching = watchingFrom(note.calls, index, work.watching)
    return callProvider(dependencies, { route, request, index, note, watching }, signal)
  }
  return settleCalls(note.calls, (call, index) =>
    lane.run(async () => {
      // What is wrong with the request or the key is wrong with all of its calls: none is sent in vain.
      if (hopeless) throw hopeless
      return ask(call, index).catch((error: unknown) => {
        if (isHopeless(error)) hopeless = error
        throw error
      })
    }),
  )
}

/** The positions of one call's pictures, counted over the whole request. */
function watchingFrom(
  calls: readonly PlannedCall[],
  index: number,
  watching: Watching | undefined,
): Watching | undefined {
  if (!watching) return undefined
  const before = calls.slice(0, index).reduce((sum, call) => sum + call.n, 0)
  return {
    ...watching,
    onPartial: (partial) => watching.onPartial({ ...partial, position: before + partial.position }),
  }
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
