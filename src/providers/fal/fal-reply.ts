/** A result of a fal endpoint, turned into what the core understands. */
import type { ProviderHttpAnswer } from '../http.ts'
import type { ImageFailure, ProviderCompleted, ProviderImage, ProviderImageSource } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { noPicture, type ProviderNames, workFailure } from '../vendor-failure.ts'
import { type WireImage, type WireResult, wireImage, wireResult } from './fal-schema.ts'

interface Asked {
  names: ProviderNames
  /** fal's request id. */
  id: string
  /** How many pictures are owed. */
  n: number
  /** May result URLs be private? */
  trusted: boolean
}

/**
 * Throws `ProviderError`: `moderation_blocked` where fal flagged every picture, `upstream_invalid_response` without one.
 * fal paints a flagged picture black, so it is a failure of its own and not delivered.
 */
export function readResult(answer: ProviderHttpAnswer, asked: Asked): ProviderCompleted {
  const { title } = asked.names
  const parsed = wireResult.safeParse(answer.json)
  // Not quoted: the answer repeats the prompt.
  if (!parsed.success)
    throw noPicture(title, 'sent a result that is not an image list', `status ${answer.status}`)
  const entries = parsed.data.images ?? [parsed.data.image].filter((one) => one !== undefined && one !== null)
  const images: ProviderImage[] = []
  const failures: ImageFailure[] = []
  for (const [index, entry] of entries.slice(0, asked.n).entries()) {
    const source = isFlagged(parsed.data, index) ? undefined : readSource(entry, asked.trusted)
    if (source) images.push({ source, ...seedOf(parsed.data, asked) })
    else if (isFlagged(parsed.data, index)) failures.push({ error: flagged(answer, asked.names) })
    else failures.push({ error: noPicture(title, 'left out a picture that it owed') })
  }
  if (images.length === 0) throw failures[0]?.error ?? noPicture(title, 'answered without a picture')
  while (images.length + failures.length < asked.n) {
    failures.push({ error: noPicture(title, 'left out a picture that it owed') })
  }
  return {
    status: 'completed',
    images,
    ...(failures.length > 0 ? { failures } : undefined),
    ...secondsOf(parsed.data),
    upstreamRequestId: asked.id,
  }
}

function secondsOf({ timings }: WireResult): { seconds?: number } {
  return timings?.inference === undefined ? {} : { seconds: timings.inference }
}

/** The seed is the first picture's; how fal draws on from it is its own affair. */
function seedOf({ seed }: WireResult, { n }: Asked): { seed?: number } {
  return seed === undefined || n > 1 ? {} : { seed }
}

function isFlagged({ has_nsfw_concepts, nsfw_content_detected }: WireResult, index: number): boolean {
  return has_nsfw_concepts[index] === true || nsfw_content_detected[index] === true
}

function flagged(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  const message = 'The picture was flagged by the safety checker.'
  return workFailure(answer, names, { kind: 'moderation', code: 'has_nsfw_concepts', message })
}

function readSource(entry: unknown, trusted: boolean): ProviderImageSource | undefined {
  const parsed = wireImage.safeParse(entry)
  if (!parsed.success) return undefined
  const bytes = readBytes(parsed.data.url)
  if (bytes) return { kind: 'bytes', bytes }
  const { url } = parsed.data
  return typeof url === 'string' && /^https?:\/\//i.test(url) ? { kind: 'url', url, trusted } : undefined
}

/** A data URI, decoded on arrival where it is long. */
function readBytes(url: WireImage['url']): Buffer | undefined {
  if (typeof url !== 'string') return url.length > 0 ? url : undefined
  const [, base64] = /^data:[^,]{0,200};base64,([A-Za-z0-9+/_-]{2,}={0,2})$/i.exec(url) ?? []
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64')
}
