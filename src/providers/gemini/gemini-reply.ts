/** A successful answer of `generateContent`, turned into what the core understands. */
import type { ProviderHttpAnswer } from '../http.ts'
import type { ProviderCompleted, TokenUsage } from '../provider.ts'
import { noPicture, type ProviderNames } from '../vendor-failure.ts'
import { refusalOf } from './gemini-failure.ts'
import {
  type TokensByModality,
  type WireCandidate,
  type WirePart,
  type WireUsage,
  wireReply,
} from './gemini-schema.ts'

/** Throws `ProviderError`: the refusal that the answer tells, or `upstream_invalid_response` without a picture. */
export function readReply(answer: ProviderHttpAnswer, names: ProviderNames): ProviderCompleted {
  const parsed = wireReply.safeParse(answer.json)
  if (!parsed.success) {
    throw noPicture(names.title, 'sent an answer that is none of generateContent', answer.excerpt())
  }
  const { candidates, usageMetadata, responseId } = parsed.data
  // One was asked for; a model that talks in pictures may add others.
  const bytes = candidates.flatMap(finalPictures)[0] ?? candidates.flatMap(drafts).at(-1)
  if (!bytes) throw refusalOf(parsed.data, answer, names)
  return {
    status: 'completed',
    images: [{ source: { kind: 'bytes', bytes } }],
    ...(usageMetadata ? { usage: readUsage(usageMetadata) } : {}),
    ...(responseId === undefined ? {} : { upstreamRequestId: responseId }),
  }
}

/** Pictures among the thoughts are drafts, and not what was asked for. */
function finalPictures({ content }: WireCandidate): Buffer[] {
  return (content?.parts ?? []).filter((part) => !part.thought).flatMap(readPicture)
}

/**
 * "The last image within Thinking is also the final rendered image" (guide "Image generation", section "Thinking process"),
 * and sometimes it comes there only. Of what was refused, nothing is taken.
 */
function drafts({ content, finishReason = 'STOP' }: WireCandidate): Buffer[] {
  return finishReason === 'STOP' ? (content?.parts ?? []).flatMap(readPicture) : []
}

function readPicture({ inlineData }: WirePart): Buffer[] {
  if (!inlineData) return []
  const { mimeType = 'image/', data } = inlineData
  if (!mimeType.startsWith('image/')) return []
  if (Buffer.isBuffer(data)) return data.length > 0 ? [data] : []
  return /^[A-Za-z0-9+/_-]{2,}={0,2}$/.test(data) ? [Buffer.from(data, 'base64')] : []
}

/** Thoughts are paid for as text that comes out. */
function readUsage(usage: WireUsage): TokenUsage {
  const { promptTokensDetails, candidatesTokensDetails, candidatesTokenCount, thoughtsTokenCount } = usage
  const thoughts = thoughtsTokenCount ?? 0
  const text = tokensOf(candidatesTokensDetails, 'TEXT')
  return {
    inputTokens: usage.promptTokenCount,
    outputTokens: candidatesTokenCount === undefined ? thoughtsTokenCount : candidatesTokenCount + thoughts,
    totalTokens: usage.totalTokenCount,
    inputTokensDetails: {
      textTokens: tokensOf(promptTokensDetails, 'TEXT'),
      imageTokens: tokensOf(promptTokensDetails, 'IMAGE'),
      cachedTokens: usage.cachedContentTokenCount,
    },
    outputTokensDetails: {
      textTokens: text === undefined ? thoughtsTokenCount : text + thoughts,
      imageTokens: tokensOf(candidatesTokensDetails, 'IMAGE'),
    },
  }
}

/** Nothing where the modalities are not told; one that is not among them had none. */
function tokensOf(details: TokensByModality, modality: string): number | undefined {
  if (details.length === 0) return undefined
  return details.filter((one) => one.modality === modality).reduce((sum, one) => sum + one.tokenCount, 0)
}
