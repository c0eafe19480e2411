/**
 * From what the provider answered to pictures that may be kept: bytes in hand, known by their own first bytes,
 * in the format that was asked for. A picture that fails here is a failure of that picture only.
 */
import type { Clock } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import { storableText } from '../lib/storable-text.ts'
import { cutAfterImageEnd } from '../media/cut-after-image-end.ts'
import { encodeImage } from '../media/encode-image.ts'
import { type ImageInfo, inspectImage } from '../media/inspect-image.ts'
import type { Delivery, MappedFields, Warning } from '../models/map-fields.ts'
import type { GuardedFetch } from '../net/guarded-fetch.ts'
import type { ProviderCompleted, ProviderImage } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'

export interface CollectDependencies {
  clock: Clock
  guardedFetch: GuardedFetch
  /** The largest picture taken from a result URL. */
  maxImageBytes: number
}

/** Pre-signed links of object stores are long. */
const maxResultUrlLength = 8_192

/** A picture in hand. */
export interface Picture {
  bytes: Buffer
  info: ImageInfo
  seed?: number
  revisedPrompt?: string
}

const maxRevisedPromptCharacters = 32_000

/** Throws where no picture came through; else failures are warnings. */
export async function collectPictures(
  dependencies: CollectDependencies,
  made: ProviderCompleted,
  mapped: MappedFields,
  signal: AbortSignal,
): Promise<{ pictures: Picture[]; warnings: Warning[] }> {
  const settled = await Promise.allSettled(
    made.images.map(async (image) =>
      prepare(await bytesOf(dependencies, image, signal), image, mapped.delivery),
    ),
  )
  const prepared = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const errors: unknown[] = [
    ...settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
    ...(made.failures ?? []).map((failure) => failure.error),
  ]
  if (prepared.length === 0) throw mostExpensive(errors) ?? noPicture()
  return {
    pictures: prepared.map((one) => one.picture),
    warnings: [...prepared.flatMap((one) => one.warnings), ...errors.map(missingPicture)],
  }
}

async function bytesOf(
  dependencies: CollectDependencies,
  image: ProviderImage,
  signal: AbortSignal,
): Promise<Buffer> {
  if (image.source.kind === 'bytes') return image.source.bytes
  try {
    const { bytes } = await dependencies.guardedFetch.fetch(image.source.url, {
      maxBytes: dependencies.maxImageBytes,
      maxUrlLength: maxResultUrlLength,
      trusted: image.source.trusted,
      signal,
    })
    return bytes
  } catch (error) {
    throw unusable(
      'The provider made a picture, but it could not be downloaded from the address the provider gave.',
      error,
    )
  }
}

/** A picture is paid for: what the provider says beside it, or a conversion that fails, must not destroy it. */
async function prepare(
  bytes: Buffer,
  image: ProviderImage,
  delivery: Delivery,
): Promise<{ picture: Picture; warnings: Warning[] }> {
  const whole = cutAfterImageEnd(bytes)
  const info = await inspectImage(whole).catch((error: unknown) => {
    throw unusable('The provider answered with something that is not a picture Gesso can keep.', error)
  })
  const picture: Picture = {
    bytes: whole,
    info,
    seed: Number.isSafeInteger(image.seed) && Number(image.seed) >= 0 ? image.seed : undefined,
    revisedPrompt: storableText(image.revisedPrompt, maxRevisedPromptCharacters),
  }
  const { format = info.format, compression, compressesItself } = delivery
  const isRight = format === info.format && (compression === undefined || !compressesItself)
  if (isRight || format === 'gif') return { picture, warnings: [] }
  try {
    const converted = await encodeImage(whole, { format, quality: compression })
    return { picture: { ...picture, bytes: converted, info: await inspectImage(converted) }, warnings: [] }
  } catch {
    return { picture, warnings: [notConverted(info.format, format)] }
  }
}

/** Of several failures the one that speaks for money: begun work before work that surely did not start. */
function mostExpensive(errors: readonly unknown[]): unknown {
  const rank = (error: unknown) =>
    error instanceof ProviderError ? { yes: 0, unknown: 1, no: 2 }[error.dispatched] : 0
  return [...errors].sort((a, b) => rank(a) - rank(b))[0]
}

function noPicture(): ProviderError {
  return new ProviderError({
    code: 'upstream_invalid_response',
    attribution: 'upstream',
    message: 'The provider answered without a picture.',
    dispatched: 'yes',
  })
}

function unusable(message: string, cause: unknown): ProviderError {
  return new ProviderError({
    code: 'upstream_invalid_response',
    attribution: 'upstream',
    message,
    detail: cause instanceof Error ? cause.message : undefined,
    dispatched: 'yes',
    cause,
  })
}

function notConverted(made: string, asked: string): Warning {
  return {
    param: 'output_format',
    code: 'not_converted',
    message: `The picture could not be turned into ${asked}; it is delivered as the ${made} that the provider made.`,
  }
}

/** A picture that was asked for and is not there. */
export function missingPicture(error: unknown): Warning {
  const known = error instanceof GessoError
  return {
    param: 'n',
    code: known ? error.code : 'internal_error',
    message: `A picture is missing: ${known ? error.message : 'it failed for a reason of this server.'}`,
  }
}
