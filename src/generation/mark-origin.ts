/** Writes into a picture's file where it comes from: made by a machine, by which model, for which task. */
import { provenanceXmp } from '../media/metadata/provenance.ts'
import { writeXmp } from '../media/metadata/write-xmp.ts'
import type { Model } from '../models/model.ts'
import type { Picture } from './picture.ts'

export interface MarkContext {
  model: Model
  taskId: string
  /** Absent unless the key wants it in the files. */
  prompt: string | undefined
}

/** The same pixels in a file that carries Gesso's metadata and no other. */
export function markOrigin(picture: Picture, { model, taskId, prompt }: MarkContext): Picture {
  const { format } = picture.info
  const xmp = provenanceXmp(
    {
      digitalSourceType: model.isAlgorithmic ? 'algorithmicMedia' : 'trainedAlgorithmicMedia',
      model: model.id,
      taskId,
      prompt,
    },
    format,
  )
  const pieces = writeXmp(picture.bytes, format, xmp)
  return { ...picture, bytes: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces) }
}
