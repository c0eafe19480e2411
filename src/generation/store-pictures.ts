/** Puts the pictures where they are kept. They are durable before any row or answer speaks of them. */
import { fileExtension } from '../images/image-url.ts'
import { mediaType, type StoredImage } from '../images/stored-image.ts'
import { createId } from '../lib/ids.ts'
import type { Warning } from '../models/map-fields.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { missingPicture } from './missing-picture.ts'
import type { Picture } from './picture.ts'

export interface StoreDependencies {
  objects: ObjectStore
}

/** A picture that is kept, with its bytes still in hand for the answer. */
export interface KeptPicture extends StoredImage {
  bytes: Buffer
  /** Which of the pictures asked for it is, from 0; `position` counts those that came. */
  place: number
  /** The size in which the provider drew it. */
  drawn: { width: number; height: number }
}

/**
 * Writes the pictures; `optimized` is the rewritten prompt, for those whose provider told no other. One that cannot be kept is a warning and the others are delivered; throws where none could.
 * A file without a row may stay behind, a row without a file never.
 */
export async function storePictures(
  dependencies: StoreDependencies,
  pictures: readonly Picture[],
  optimized?: string,
): Promise<{ stored: KeptPicture[]; warnings: Warning[] }> {
  const settled = await Promise.allSettled(
    pictures.map((picture) =>
      storePicture(dependencies, { ...picture, revisedPrompt: picture.revisedPrompt ?? optimized }),
    ),
  )
  const kept = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const errors: unknown[] = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (kept.length === 0) throw errors[0]
  return {
    stored: kept.map((picture, position) => ({ ...picture, position })),
    warnings: errors.map(missingPicture),
  }
}

async function storePicture(
  { objects }: StoreDependencies,
  { bytes, info, drawn, place, seed, revisedPrompt }: Picture,
): Promise<Omit<KeptPicture, 'position'>> {
  const id = createId('img')
  // One level of 256 folders: two would make a new folder for almost every picture of a young install.
  const objectKey = `images/${id.slice(-2)}/${id}.${fileExtension(info.format)}`
  const { sha256, sizeBytes } = await objects.put(objectKey, bytes, { contentType: mediaType(info.format) })
  const { format, width, height } = info
  return { id, format, width, height, sizeBytes, sha256, objectKey, seed, revisedPrompt, bytes, place, drawn }
}
