/** The calls of one request, brought together: what some made counts where others failed. */
import type { ImageFailure, ProviderCompleted } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { LeftUnderWayError } from './left-under-way.ts'
import { mergeAnswers } from './merge-answers.ts'
import { mostExpensive } from './most-expensive.ts'
import type { PlannedCall } from './plan-calls.ts'

/**
 * Makes every call and merges what came of them. Throws where all failed, and `LeftUnderWayError` where any was left to
 * another process, which then delivers them all.
 */
export async function settleCalls(
  calls: readonly PlannedCall[],
  make: (call: PlannedCall, index: number) => Promise<ProviderCompleted>,
): Promise<ProviderCompleted> {
  const [only, ...others] = calls
  if (only && others.length === 0) return withSeed(placed(await make(only, 0), 0), only)
  const settled = await Promise.allSettled(
    calls.map(async (call, index) => {
      const before = calls.slice(0, index).reduce((sum, { n }) => sum + n, 0)
      return withSeed(placed(await make(call, index), before), call)
    }),
  )
  const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const errors: unknown[] = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  const left = errors.find((error) => error instanceof LeftUnderWayError)
  if (left) throw left
  if (answers.length === 0) throw mostExpensive(errors)
  const failures = settled.flatMap((one, index) =>
    one.status === 'rejected' ? missing(one.reason, calls[index]?.n ?? 1) : [],
  )
  return mergeAnswers(answers, failures)
}

/** The pictures with their places in the whole request, of which `before` are those of earlier calls. */
function placed(made: ProviderCompleted, before: number): ProviderCompleted {
  const images = made.images.map((image, index) => ({
    ...image,
    position: before + (image.position ?? index),
  }))
  return { ...made, images }
}

/** The seed that the one picture of a call was asked with, where the provider does not repeat it. */
function withSeed(made: ProviderCompleted, { n, seed }: PlannedCall): ProviderCompleted {
  const [only, ...others] = made.images
  if (n !== 1 || seed === undefined || !only || others.length > 0) return made
  return { ...made, images: [{ ...only, seed: only.seed ?? seed }] }
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
