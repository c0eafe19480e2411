/**
 * From what the provider answered to pictures that may be kept: bytes in hand, known by their own first bytes,
 * in the format that was asked for. A picture that fails here is a failure of that picture only.
 */
import { storableText } from '../lib/storable-text.ts'
import { cutAfterImageEnd } from '../media/cut-after-image-end.ts'
import { inspectImage } from '../media/inspect-image.ts'
import type { Warning } from '../models/map-fields.ts'
import type { ProviderCompleted, ProviderImage } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { deliver } from './deliver.ts'
import { type DownloadDependencies, downloadResult } from './download-result.ts'
import { missingPicture } from './missing-picture.ts'
import { mostExpensive } from './most-expensive.ts'
import type { Picture } from './picture.ts'
import type { WorkNote } from './work-note.ts'

export type CollectDependencies = DownloadDependencies

const maxRevisedPromptCharacters = 32_000

/** Throws where no picture came through; else failures are told as `missing`, and `notes` speak of those that did. */
export async function collectPictures(
  dependencies: CollectDependencies,
  made: ProviderCompleted,
  note: Pick<WorkNote, 'delivery' | 'asked'>,
  signal: AbortSignal,
): Promise<{ pictures: Picture[]; notes: Warning[]; missing: Warning[] }> {
  const settled = await Promise.allSettled(
    made.images.map(async (image) =>
      deliver(await known(await bytesOf(dependencies, image, signal), image), note, signal),
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
    notes: eachOnce(prepared.flatMap((one) => one.notes)),
    missing: errors.map(missingPicture),
  }
}

async function bytesOf(
  dependencies: CollectDependencies,
  image: ProviderImage,
  signal: AbortSignal,
): Promise<Buffer> {
  if (image.source.kind === 'bytes') return image.source.bytes
  try {
    return await downloadResult(dependencies, image.source, signal)
  } catch (error) {
    throw unusable(
      'The provider made a picture, but it could not be downloaded from the address the provider gave.',
      error,
    )
  }
}

/**
 * A picture known by its own bytes, cut behind its end. What the provider says beside it cannot destroy it, nor can a
 * stop: its header is read in any case.
 */
async function known(bytes: Buffer, image: ProviderImage): Promise<Picture> {
  const whole = cutAfterImageEnd(bytes)
  const info = await inspectImage(whole).catch((error: unknown) => {
    throw unusable('The provider answered with something that is not a picture Gesso can keep.', error)
  })
  return {
    bytes: whole,
    info,
    drawn: { width: info.width, height: info.height },
    place: image.position ?? 0,
    seed: Number.isSafeInteger(image.seed) && Number(image.seed) >= 0 ? image.seed : undefined,
    revisedPrompt: storableText(image.revisedPrompt, maxRevisedPromptCharacters),
  }
}

/** Four pictures with the same note are one note. */
function eachOnce(notes: readonly Warning[]): Warning[] {
  return [...new Map(notes.map((note) => [note.message, note])).values()]
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
