/**
 * Writes an XMP packet into a picture's file, in place of all metadata that was there, without decoding it.
 *
 * The picture is paid for: its coded bytes are never changed, and a file that is not understood comes back as it
 * was, because a picture without a mark is better than none.
 */
import type { ImageFormat } from '../image-format.ts'
import { assembleFile, type FilePart } from './assemble-file.ts'
import { rewriteAvifBoxes } from './avif-boxes.ts'
import { rewriteGifBlocks } from './gif-blocks.ts'
import { rewriteJpegSegments } from './jpeg-segments.ts'
import { rewritePngChunks } from './png-chunks.ts'
import { rewriteWebpChunks } from './webp-chunks.ts'

const rewriters: Record<ImageFormat, (bytes: Buffer, xmp: Buffer) => FilePart[]> = {
  png: rewritePngChunks,
  jpeg: rewriteJpegSegments,
  webp: rewriteWebpChunks,
  gif: rewriteGifBlocks,
  avif: rewriteAvifBoxes,
}

/**
 * The file in pieces, mostly views of the bytes that were given: write them one after another. EXIF, IPTC, XMP,
 * comments, thumbnails, C2PA manifests and whatever follows the picture's end are gone; colour profiles,
 * animation and the orientation stay. Writing twice gives what writing once gives. Never throws: bytes that are
 * no whole picture of the format come back as they were.
 */
export function writeXmp(bytes: Buffer, format: ImageFormat, xmp: Buffer): Buffer[] {
  try {
    return assembleFile(bytes, rewriters[format](bytes, xmp))
  } catch {
    return [bytes]
  }
}
