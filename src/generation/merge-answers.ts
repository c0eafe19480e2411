/** Makes one answer of those that several calls for the same request brought. */
import type { ImageFailure, ProviderCompleted, TokenUsage } from '../providers/provider.ts'

/** Pictures in the order of the calls; tokens and cost summed; what is said once is the first call's. */
export function mergeAnswers(
  answers: readonly ProviderCompleted[],
  failures: readonly ImageFailure[],
): ProviderCompleted {
  const [first] = answers
  const all = [...answers.flatMap((answer) => answer.failures ?? []), ...failures]
  const usages = answers.flatMap((answer) => answer.usage ?? [])
  const costs = answers.flatMap((answer) => answer.costMicros ?? [])
  return {
    status: 'completed',
    images: answers.flatMap((answer) => answer.images),
    ...(all.length > 0 ? { failures: all } : {}),
    ...(usages.length > 0 ? { usage: sumUsage(usages) } : {}),
    ...(costs.length > 0 ? { costMicros: costs.reduce((sum, cost) => sum + cost, 0) } : {}),
    effective: first?.effective,
    upstreamRequestId: first?.upstreamRequestId,
  }
}

function sumUsage(usages: readonly TokenUsage[]): TokenUsage {
  const inputs = usages.flatMap((usage) => usage.inputTokensDetails ?? [])
  const outputs = usages.flatMap((usage) => usage.outputTokensDetails ?? [])
  return {
    inputTokens: sum(usages.map((usage) => usage.inputTokens)),
    outputTokens: sum(usages.map((usage) => usage.outputTokens)),
    totalTokens: sum(usages.map((usage) => usage.totalTokens)),
    ...(inputs.length > 0 && {
      inputTokensDetails: {
        textTokens: sum(inputs.map((one) => one.textTokens)),
        imageTokens: sum(inputs.map((one) => one.imageTokens)),
        cachedTokens: sum(inputs.map((one) => one.cachedTokens)),
      },
    }),
    ...(outputs.length > 0 && {
      outputTokensDetails: {
        textTokens: sum(outputs.map((one) => one.textTokens)),
        imageTokens: sum(outputs.map((one) => one.imageTokens)),
      },
    }),
  }
}

/** Undefined where nobody said anything. */
function sum(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined)
  return known.length > 0 ? known.reduce((total, count) => total + count, 0) : undefined
}
