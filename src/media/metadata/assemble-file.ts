/**
 * Puts a file together from stretches of an old one and new bytes, without copying what stays.
 *
 * A picture weighs megabytes and its metadata kilobytes, so what stays is a view of the same memory. Only a file
 * made of very many small stretches is copied, as each view costs more than the bytes it shows.
 */

/** Bytes `start` to `end` (exclusive) of the original file. */
export interface ByteRange {
  start: number
  end: number
}

/** New bytes, or a stretch of the original that stays. */
export type FilePart = Buffer | ByteRange

/** The most chunks, segments, blocks or boxes in a file that is worked on; real pictures stay far below. */
export const MAX_FILE_ELEMENTS = 200_000

const maxPieces = 1_000

/** The parts in order as pieces of memory; neighbouring stretches become one. */
export function assembleFile(bytes: Buffer, parts: readonly FilePart[]): Buffer[] {
  const pieces: Buffer[] = []
  let start = 0
  let end = 0
  const close = () => {
    if (end > start) pieces.push(bytes.subarray(start, end))
  }
  for (const part of parts) {
    if (!Buffer.isBuffer(part) && part.start === end) {
      end = part.end
      continue
    }
    close()
    if (Buffer.isBuffer(part)) {
      pieces.push(part)
      start = end = 0
    } else {
      start = part.start
      end = part.end
    }
  }
  close()
  return pieces.length > maxPieces ? [Buffer.concat(pieces)] : pieces
}

/** How many bytes the parts have together. */
export function partsBytes(parts: readonly FilePart[]): number {
  return parts.reduce((sum, part) => sum + (Buffer.isBuffer(part) ? part.length : part.end - part.start), 0)
}
