/** Makes one answer of those that several calls for the same request brought. */
import type { ImageFailure, ProviderCompleted, TokenUsage } from '../providers/provider.ts'

/**
 * Pictures in the order of the calls; tokens, cost and time summed, each only where every call tells it: a sum with gaps
 * would be too low a bill. What is said once is the first call's.
 */
export function mergeAnswers(
  answers: readonly ProviderCompleted[],
  failures: readonly ImageFailure[],
): ProviderCompleted {
  const [first] = answers
  const all = [...answers.flatMap((answer) => answer.failures ?? []), ...failures]
  const usages = answers.flatMap((answer) => answer.usage ?? [])
  const costMicros = whole(answers.map((answer) => answer.costMicros))
  const seconds = whole(answers.map((answer) => answer.seconds))
  return {
    status: 'completed',
    images: answers.flatMap((answer) => answer.images),
    ...(all.length > 0 ? { failures: all } : {}),
    ...(usages.length === answers.length ? { usage: sumUsage(usages) } : {}),
    ...(costMicros === undefined ? {} : { costMicros }),
    ...(seconds === undefined ? {} : { seconds }),
    effective: first?.effective,
    upstreamRequestId: first?.upstreamRequestId,
  }
}

function sumUsage(usages: readonly TokenUsage[]): TokenUsage {
  const inputs = usages.flatMap((usage) => usage.inputTokensDetails ?? [])
  const outputs = usages.flatMap((usage) => usage.outputTokensDetails ?? [])
  return {
    inputTokens: whole(usages.map((usage) => usage.inputTokens)),
    outputTokens: whole(usages.map((usage) => usage.outputTokens)),
    totalTokens: whole(usages.map((usage) => usage.totalTokens)),
    ...(inputs.length === usages.length && {
      inputTokensDetails: {
        textTokens: whole(inputs.map((one) => one.textTokens)),
        imageTokens: whole(inputs.map((one) => one.imageTokens)),
        // What is not told to be cached is not.
        cachedTokens: whole(inputs.map((one) => one.cachedTokens ?? 0)),
      },
    }),
    ...(outputs.length === usages.length && {
      outputTokensDetails: {
        textTokens: whole(outputs.map((one) => one.textTokens)),
        imageTokens: whole(outputs.map((one) => one.imageTokens)),
      },
    }),
  }
}

/** The sum; undefined where anybody said nothing. */
function whole(amounts: readonly (number | undefined)[]): number | undefined {
  return amounts.reduce<number | undefined>(
    (total, amount) => (total === undefined || amount === undefined ? undefined : total + amount),
    0,
  )
}
