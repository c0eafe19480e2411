/** A successful answer of Ark's image API, whole or gathered from a stream, turned into what the core understands. */
import type { ProviderHttpAnswer } from '../http.ts'
import type { ImageFailure, ProviderCompleted, ProviderImage, ProviderImageSource } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { noPicture } from '../vendor-failure.ts'
import { arkWorkFailure } from './ark-failure.ts'
import { title } from './ark-names.ts'
import { shortText, type WireImage, type WireReply } from './ark-schema.ts'

export interface Asked {
  /** How many pictures are taken; fewer are a short series. */
  atMost: number
  /** May result URLs be private? */
  trusted: boolean
}

/**
 * The pictures of the answer, and the failures beside them. `broken` is why a stream ended too early: the failure of what
 * did not come any more. Throws it, what Ark says, or `upstream_invalid_response` where there is no picture at all.
 */
export function readReply(
  answer: ProviderHttpAnswer,
  reply: WireReply,
  asked: Asked,
  broken?: ProviderError,
): ProviderCompleted {
  const { atMost, trusted } = asked
  const images: ProviderImage[] = []
  const failures: ImageFailure[] = []
  for (const [position, entry] of reply.data.entries()) {
    const source = readSource(entry, trusted)
    if (source) images.push({ source, position })
    else if (entry.error) failures.push({ error: arkWorkFailure(answer, entry.error) })
    else failures.push({ error: noPicture(title, 'left out a picture that it owed') })
  }
  const end = reply.error ? arkWorkFailure(answer, reply.error) : broken
  if (images.length === 0) {
    throw failures[0]?.error ?? end ?? noPicture(title, 'answered without a picture', answer.excerpt())
  }
  images.length = Math.min(images.length, atMost)
  if (end) failures.push({ error: end })
  failures.length = Math.min(failures.length, atMost - images.length)
  const { usage } = reply
  return {
    status: 'completed',
    images,
    ...(failures.length > 0 && { failures }),
    ...(usage && { usage: { outputTokens: usage.output_tokens, totalTokens: usage.total_tokens } }),
    effective: { size: oneSize(reply.data) },
    upstreamRequestId: shortText.parse(answer.headers.get('x-request-id')),
  }
}

/** The bytes of an entry, or where they are. */
function readSource({ b64_json, url }: WireImage, trusted: boolean): ProviderImageSource | undefined {
  const bytes = readBytes(b64_json)
  if (bytes) return { kind: 'bytes', bytes }
  return url && /^https?:\/\//i.test(url) ? { kind: 'url', url, trusted } : undefined
}

/** The picture in `b64_json`; nothing where it is none. Base64 too short to be decoded on arrival is still text. */
export function readBytes(value: WireImage['b64_json']): Buffer | undefined {
  if (Buffer.isBuffer(value)) return value.length > 0 ? value : undefined
  return value && /^[A-Za-z0-9+/]{2,}={0,2}$/.test(value) ? Buffer.from(value, 'base64') : undefined
}

/** The size of every picture, where they agree. */
function oneSize(entries: readonly WireImage[]): string | undefined {
  const [size, ...others] = new Set(entries.flatMap((entry) => entry.size ?? []))
  return others.length === 0 ? size : undefined
}
