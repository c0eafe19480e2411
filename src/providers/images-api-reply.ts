/** A successful answer of the Images API, turned into what the core understands. */
import type { ProviderHttpAnswer } from './http.ts'
import { imagesApiFailure } from './images-api-failure.ts'
import {
  shortText,
  type WireImage,
  type WireReply,
  type WireUsage,
  wireImage,
  wireReply,
} from './images-api-schema.ts'
import type {
  ImageFailure,
  ProviderCompleted,
  ProviderImage,
  ProviderImageSource,
  TokenUsage,
} from './provider.ts'
import type { ProviderError } from './provider-error.ts'
import { noPicture, type ProviderNames } from './vendor-failure.ts'

export interface Asked {
  names: ProviderNames
  /** How many pictures are owed. */
  n: number
  /** How many are taken if more come, as in a series. */
  atMost: number
  /** May result URLs be private? */
  trusted: boolean
}

/** Throws `ProviderError`: what the body's `error` says, or `upstream_invalid_response` without a picture. */
export function readReply(answer: ProviderHttpAnswer, asked: Asked): ProviderCompleted {
  const reply = wireReply.safeParse(answer.json)
  if (reply.success) return readImages(reply.data, answer, asked)
  throw noPicture(asked.names.title, 'sent an answer that is not an image list', answer.excerpt())
}

/**
 * The same for what was gathered of an answer that came in pieces. `broken` is why it ended too early, where it did: the
 * failure of what did not come any more.
 */
export function readImages(
  reply: WireReply,
  answer: ProviderHttpAnswer,
  asked: Asked,
  broken?: ProviderError,
): ProviderCompleted {
  const { title } = asked.names
  const images: ProviderImage[] = []
  const failures: ImageFailure[] = []
  for (const [position, entry] of reply.data.entries()) {
    const read = readImage(entry, answer, asked)
    if ('source' in read) images.push({ ...read, position })
    else failures.push(read)
  }
  if (images.length === 0) {
    if (reply.error) throw imagesApiFailure(answer, asked.names, reply.error)
    throw failures[0]?.error ?? noPicture(title, 'answered without a picture')
  }
  // Servers that stop early leave pictures out altogether; what was not asked for is not paid for by anyone.
  images.length = Math.min(images.length, asked.atMost)
  while (images.length + failures.length < asked.n) failures.push({ error: broken ?? leftOut(title) })
  // Of a series nobody knows how many were still to come.
  if (broken && failures.length === 0) failures.push({ error: broken })
  failures.length = Math.min(failures.length, asked.atMost - images.length)
  const { size, quality, background, usage } = reply
  return {
    status: 'completed',
    images,
    ...(failures.length > 0 ? { failures } : undefined),
    ...(usage ? { usage: readUsage(usage) } : undefined),
    effective: { size, quality, background },
    upstreamRequestId: requestId(answer),
  }
}

/** OpenAI's name for it, or that of the gateway before Azure. */
function requestId({ headers }: ProviderHttpAnswer): string | undefined {
  return shortText.parse(headers.get('x-request-id') ?? headers.get('apim-request-id'))
}

function readImage(entry: unknown, answer: ProviderHttpAnswer, asked: Asked): ProviderImage | ImageFailure {
  const parsed = wireImage.safeParse(entry)
  const image = parsed.success ? parsed.data : undefined
  const source = image && readSource(image, asked.trusted)
  if (image && source) {
    return {
      source,
      ...(image.revised_prompt === undefined ? undefined : { revisedPrompt: image.revised_prompt }),
      ...(image.seed === undefined ? undefined : { seed: image.seed }),
    }
  }
  if (image?.error) return { error: imagesApiFailure(answer, asked.names, image.error) }
  return { error: leftOut(asked.names.title) }
}

/** Bytes win over a URL: they are here, and cannot expire. */
function readSource(image: WireImage, trusted: boolean): ProviderImageSource | undefined {
  const bytes = readBytes(image.b64_json) ?? (isDataUri(image.url) ? readBytes(image.url) : undefined)
  if (bytes) return { kind: 'bytes', bytes }
  const url = typeof image.url === 'string' && /^https?:\/\//i.test(image.url) ? image.url : undefined
  return url === undefined ? undefined : { kind: 'url', url, trusted }
}

/** Long data URIs were decoded on arrival. */
function isDataUri(value: WireImage['url']): boolean {
  return Buffer.isBuffer(value) || /^data:/i.test(value ?? '')
}

/** Base64 too short to be decoded on arrival, with or without a data URI around it. */
export function readBytes(value: WireImage['b64_json']): Buffer | undefined {
  if (typeof value !== 'string') return value
  const base64 = value.replace(/^data:[^,]*;base64,/i, '').replace(/\s+/g, '')
  return /^[A-Za-z0-9+/_-]{2,}={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined
}

function readUsage(usage: WireUsage): TokenUsage {
  const details = usage.input_tokens_details
  const outputDetails = usage.output_tokens_details
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    totalTokens: usage.total_tokens,
    ...(details && {
      inputTokensDetails: {
        textTokens: details.text_tokens,
        imageTokens: details.image_tokens,
        cachedTokens: details.cached_tokens,
      },
    }),
    ...(outputDetails && {
      outputTokensDetails: { textTokens: outputDetails.text_tokens, imageTokens: outputDetails.image_tokens },
    }),
  }
}

function leftOut(title: string): ProviderError {
  return noPicture(title, 'left out a picture that it owed')
}
