/**
 * Pictures on their way to completion, for someone who watches: known by their own bytes, with the label they owe, and
 * marked like finished ones. They are shown and never kept, so one that goes wrong is left out.
 */
import { inspectImage } from '../media/inspect-image.ts'
import type { PartialPicture, Watching } from '../providers/provider.ts'
import { deliver } from './deliver.ts'
import { markOrigin } from './mark-origin.ts'
import type { WorkNote } from './work-note.ts'

/** An unfinished picture as the caller may see it. */
export interface ShownPartial {
  /** Which of the request's pictures, from 0. */
  position: number
  /** Which of its stages, from 0. */
  index: number
  bytes: Buffer
  format: string
  width: number
  height: number
}

export interface PartialShow {
  watching: Watching
  /** Waits until everything that came has been shown. */
  settled(): Promise<void>
}

/** How many partial pictures of one request are prepared and not yet shown; further ones are left out meanwhile. */
const mostWaiting = 8

/** Shows what comes, in its order. */
export function showPartials(
  { partialImages, note, taskId }: { partialImages: number; note: WorkNote; taskId: string },
  show: (partial: ShownPartial) => void,
  signal: AbortSignal,
): PartialShow {
  let queue = Promise.resolve()
  let waiting = 0
  const prepare = async ({ bytes, position, index }: PartialPicture) => {
    const info = await inspectImage(bytes)
    const picture = { bytes, info, drawn: info, place: position }
    // Only the label: what size and format a stage has is the provider's.
    const { watermark } = note.delivery
    const delivery = { compressesItself: false, scales: false, watermark }
    const labelled = await deliver(picture, { delivery, asked: { n: 1 } }, signal)
    if (watermark && labelled.notes.length > 0) return
    const marked = markOrigin(labelled.picture, note, taskId)
    const { format, width, height } = marked.info
    show({ position, index, bytes: marked.bytes, format, width, height })
  }
  return {
    watching: {
      partialImages,
      onPartial(partial) {
        if (waiting >= mostWaiting) return
        waiting += 1
        queue = queue
          .then(() => prepare(partial))
          .catch(() => undefined)
          .finally(() => {
            waiting -= 1
          })
      },
    },
    settled: () => queue,
  }
}
