/** Writes into a picture's file where it comes from: made by a machine, by which model, for which task. */
import { provenanceXmp } from '../media/metadata/provenance.ts'
import { writeXmp } from '../media/metadata/write-xmp.ts'
import type { Picture } from './picture.ts'
import type { WorkNote } from './work-note.ts'

/** The same pixels in a file that carries Gesso's metadata and no other. */
export function markOrigin(
  picture: Picture,
  { model, isAlgorithmic, promptInFiles }: Pick<WorkNote, 'model' | 'isAlgorithmic' | 'promptInFiles'>,
  taskId: string,
): Picture {
  const { format } = picture.info
  const xmp = provenanceXmp(
    {
      digitalSourceType: isAlgorithmic ? 'algorithmicMedia' : 'trainedAlgorithmicMedia',
      model,
      taskId,
      prompt: promptInFiles,
    },
    format,
  )
  const pieces = writeXmp(picture.bytes, format, xmp)
  return { ...picture, bytes: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces) }
}
