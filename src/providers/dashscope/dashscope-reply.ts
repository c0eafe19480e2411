/** Finished work of DashScope, turned into what the core understands. */
import type { ProviderHttpAnswer } from '../http.ts'
import type { ImageFailure, ProviderCompleted, ProviderImage, TokenUsage } from '../provider.ts'
import { noPicture, type ProviderNames } from '../vendor-failure.ts'
import { taskFailure } from './dashscope-failure.ts'
import { type WireAnswer, type WirePicture, type WireUsage, wirePicture } from './dashscope-schema.ts'

export interface Asked {
  names: ProviderNames
  /** How many pictures must be there. */
  owed: number
  /** How many are taken if more come. */
  atMost: number
  /** May result URLs be private? */
  trusted: boolean
}

/**
 * The pictures of both protocols: several in the content of one choice, one each in several choices, or a list of
 * results in which some may have failed. Throws `ProviderError` where there is none at all.
 */
export function readPictures(answer: ProviderHttpAnswer, wire: WireAnswer, asked: Asked): ProviderCompleted {
  const { names, owed, atMost, trusted } = asked
  const images: ProviderImage[] = []
  const failures: ImageFailure[] = []
  for (const entry of [...(wire.output?.results ?? []), ...(wire.output?.choices ?? [])]) {
    const read = wirePicture.safeParse(entry)
    const url = read.data?.url ?? read.data?.image
    // A message also has parts that are text or reasoning.
    if (read.data && url) images.push({ source: { kind: 'url', url, trusted }, ...revisedPrompt(read.data) })
    else if (read.data?.code) failures.push({ error: taskFailure(answer, names, read.data) })
  }
  if (images.length === 0)
    throw failures[0]?.error ?? noPicture(names.title, 'answered without a picture', answer.excerpt())
  images.length = Math.min(images.length, atMost)
  while (images.length + failures.length < owed)
    failures.push({ error: noPicture(names.title, 'left out a picture that it owed') })
  failures.length = Math.min(failures.length, atMost - images.length)
  return {
    status: 'completed',
    images,
    ...(failures.length > 0 ? { failures } : undefined),
    ...readUsage(wire.usage),
    ...(wire.request_id === undefined ? undefined : { upstreamRequestId: wire.request_id }),
  }
}

/** Only where the vendor has drawn from other words than it was given. */
function revisedPrompt({ orig_prompt, actual_prompt }: WirePicture): { revisedPrompt?: string } {
  return actual_prompt === undefined || actual_prompt === orig_prompt ? {} : { revisedPrompt: actual_prompt }
}

function readUsage(usage: WireUsage | undefined): Pick<ProviderCompleted, 'usage' | 'effective'> {
  if (!usage) return {}
  const { input_tokens, output_tokens, total_tokens, width, height } = usage
  const tokens: TokenUsage = {
    inputTokens: input_tokens,
    outputTokens: output_tokens,
    totalTokens: total_tokens,
  }
  const hasTokens = Object.values(tokens).some((count) => count !== undefined)
  const size = width && height ? `${width}x${height}` : usage.size?.replace('*', 'x')
  return { ...(hasTokens ? { usage: tokens } : {}), ...(size ? { effective: { size } } : {}) }
}
