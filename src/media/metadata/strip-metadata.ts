/**
 * Takes from a caller's picture what is not the picture: where and by whom it was taken, and when.
 *
 * It goes on to a provider, whom that does not concern. Pixels are never touched and colour profiles stay; the
 * orientation goes with the rest of EXIF, so whoever needs it turns the picture first.
 */
import { sniffFormat } from '../image-format.ts'
import { assembleFile, type FilePart, partsBytes } from './assemble-file.ts'
import { rewriteJpegSegments } from './jpeg-segments.ts'
import { rewritePngChunks } from './png-chunks.ts'
import { rewriteWebpChunks } from './webp-chunks.ts'

const rewriters: Partial<Record<string, (bytes: Buffer, xmp: null) => FilePart[]>> = {
  png: rewritePngChunks,
  jpeg: rewriteJpegSegments,
  webp: rewriteWebpChunks,
}

/**
 * The file without metadata, in pieces that are mostly views of the bytes that were given. Undefined where there
 * is nothing to drop, for other formats (GIF and AVIF are encoded anew elsewhere), and for bytes that are no
 * whole picture. Takes time by the length of the file, whatever is in it. Never throws.
 */
export function stripMetadata(bytes: Buffer): Buffer[] | undefined {
  try {
    const parts = rewriters[sniffFormat(bytes) ?? '']?.(bytes, null)
    // What is rewritten never grows, so the same length means that nothing was dropped.
    return parts && partsBytes(parts) < bytes.length ? assembleFile(bytes, parts) : undefined
  } catch {
    return undefined
  }
}
