/** A picture that is kept: its row, without its bytes. */
import type { Selectable } from 'kysely'
import type { ImagesTable } from '../db/schema.ts'

export interface StoredImage {
  id: string
  /** 0 … n-1 within its task. */
  position: number
  format: ImagesTable['format']
  width: number
  height: number
  sizeBytes: number
  /** Hex. */
  sha256: string
  /** Where the bytes are in the object store. */
  objectKey: string
  seed?: number
  revisedPrompt?: string
}

/** The columns that `toStoredImage` needs. */
export const imageColumns = [
  'id',
  'position',
  'format',
  'width',
  'height',
  'size_bytes',
  'sha256',
  'object_key',
  'seed',
  'revised_prompt',
] as const

/** From the row to the picture. */
export function toStoredImage(
  row: Pick<Selectable<ImagesTable>, (typeof imageColumns)[number]>,
): StoredImage {
  return {
    id: row.id,
    position: row.position,
    format: row.format,
    width: row.width,
    height: row.height,
    sizeBytes: row.size_bytes,
    sha256: row.sha256.toString('hex'),
    objectKey: row.object_key,
    seed: row.seed ?? undefined,
    revisedPrompt: row.revised_prompt ?? undefined,
  }
}

/** The media type of a format. */
export function mediaType(format: StoredImage['format']): string {
  return `image/${format}`
}
