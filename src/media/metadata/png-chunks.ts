/**
 * PNG files as their chunks (W3C PNG, third edition): what belongs to the picture stays, all else is dropped.
 *
 * The list says what stays, as anybody may invent a chunk that holds text. Image data is never looked at, and
 * checksums of chunks that stay are not verified: the decoder does that.
 */
import { crc32 } from 'node:zlib'
import { type ByteRange, type FilePart, MAX_FILE_ELEMENTS } from './assemble-file.ts'
import { makeOrientationExif, readOrientation } from './exif-orientation.ts'

interface PngChunk extends ByteRange {
  type: string
}

/** Ancillary chunks that change how the picture looks: colour, transparency, size of a dot, animation. */
const pictureChunks = new Set([
  ...['tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'mDCV', 'mDCv', 'cLLI', 'cLLi'],
  ...['sBIT', 'bKGD', 'hIST', 'sPLT', 'pHYs', 'oFFs', 'acTL', 'fcTL', 'fdAT'],
])

/** XMP 1.2 part 3, section 1.1.5: this keyword, uncompressed, no language, no translated keyword. */
const XMP_KEYWORD = 'XML:com.adobe.xmp\0\0\0\0\0'

/**
 * The file without its metadata, and with the XMP packet and what an eXIf chunk said of the orientation if a
 * packet is given. A C2PA manifest (caBX) goes as well: it signs bytes that are no longer there.
 * Throws RangeError where the bytes are not one whole PNG.
 */
export function rewritePngChunks(bytes: Buffer, xmp: Buffer | null): FilePart[] {
  const [header, ...chunks] = readPngChunks(bytes)
  if (!header) throw new RangeError('The PNG has no chunks.')
  const kept = chunks.filter(isPicture)
  const added = xmp ? [makeChunk('iTXt', Buffer.from(XMP_KEYWORD, 'latin1'), xmp)] : []
  const exif = xmp && chunks.find((chunk) => chunk.type === 'eXIf')
  const orientation = exif ? readOrientation(dataOf(bytes, exif)) : 1
  if (orientation !== 1) added.push(makeChunk('eXIf', makeOrientationExif(orientation)))
  return [{ start: 0, end: header.end }, ...added, ...kept]
}

/** From IHDR to IEND; what follows the end is not part of the picture. */
function readPngChunks(bytes: Buffer): PngChunk[] {
  const chunks: PngChunk[] = []
  let hasData = false
  for (let at = 8; chunks.length < MAX_FILE_ELEMENTS; ) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    const end = at + 12 + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    if (chunks.length === 0 && type !== 'IHDR') break
    hasData ||= type === 'IDAT'
    chunks.push({ type, start: at, end })
    if (type === 'IEND' && hasData) return chunks
    if (type === 'IEND') break
    at = end
  }
  throw new RangeError('The PNG is not whole.')
}

/** A capital first letter means that the picture cannot be shown without the chunk. */
function isPicture(chunk: PngChunk): boolean {
  return /^[A-Z]/.test(chunk.type) || pictureChunks.has(chunk.type)
}

function dataOf(bytes: Buffer, chunk: PngChunk): Buffer {
  return bytes.subarray(chunk.start + 8, chunk.end - 4)
}

function makeChunk(type: string, ...data: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), ...data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(body.length - 4, 0)
  body.copy(framed, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
