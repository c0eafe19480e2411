/**
 * WebP files as their chunks (RFC 9649): what belongs to the picture stays, all else is dropped.
 *
 * A simple file holds one image and nothing else; to carry metadata it becomes an extended one, whose header
 * repeats the size and transparency that the image's own bits say. Coded data is never changed.
 */
import { type ByteRange, type FilePart, MAX_FILE_ELEMENTS, partsBytes } from './assemble-file.ts'
import { makeOrientationExif, readOrientation } from './exif-orientation.ts'

interface WebpChunk extends ByteRange {
  type: string
  /** Without the chunk's header and padding. */
  data: Buffer
}

const pictureChunks = new Set(['VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP'])
const simpleImages = new Set(['VP8 ', 'VP8L'])
const extendedImages = new Set(['VP8 ', 'VP8L', 'ANMF'])

const ALPHA_FLAG = 0x10
const EXIF_FLAG = 0x08
const XMP_FLAG = 0x04
const VP8X_BYTES = 10

/**
 * The file without its metadata, and with the XMP packet and the orientation if a packet is given. A C2PA
 * manifest (chunk "C2PA") goes as well: it signs bytes that are no longer there.
 * Throws RangeError where the bytes are not one whole WebP.
 */
export function rewriteWebpChunks(bytes: Buffer, xmp: Buffer | null): FilePart[] {
  const [first, ...others] = readWebpChunks(bytes)
  if (!first) throw new RangeError('The WebP has no chunks.')
  const isExtended = first.type === 'VP8X'
  const pictures = isExtended ? others.filter((chunk) => pictureChunks.has(chunk.type)) : [first]
  const images = isExtended ? extendedImages : simpleImages
  if (!pictures.some((chunk) => images.has(chunk.type))) throw new RangeError('The WebP has no image.')

  const exif = xmp && others.find((chunk) => chunk.type === 'EXIF')
  const orientation = exif ? readOrientation(exif.data) : 1
  const flags = (xmp ? XMP_FLAG : 0) | (orientation === 1 ? 0 : EXIF_FLAG)

  const body: FilePart[] = []
  if (isExtended) body.push(makeChunk('VP8X', changeFlags(first.data, flags)))
  else if (xmp) body.push(makeChunk('VP8X', describeImage(first, flags)))
  body.push(...pictures)
  if (orientation !== 1) body.push(makeChunk('EXIF', makeOrientationExif(orientation)))
  if (xmp) body.push(makeChunk('XMP ', xmp))
  return [riffHeader(partsBytes(body)), ...body]
}

/** The chunks inside the length that the file states; what follows it is not part of the picture. */
function readWebpChunks(bytes: Buffer): WebpChunk[] {
  const chunks: WebpChunk[] = []
  const riffEnd = 8 + bytes.readUInt32LE(4)
  let at = 12
  while (at + 8 <= riffEnd) {
    const sizeBytes = bytes.readUInt32LE(at + 4)
    const dataEnd = at + 8 + sizeBytes
    const end = dataEnd + (sizeBytes % 2)
    const isWhole = dataEnd <= riffEnd && end <= bytes.length
    if (!isWhole || chunks.length === MAX_FILE_ELEMENTS) throw new RangeError('The WebP is not whole.')
    const type = bytes.toString('latin1', at, at + 4)
    chunks.push({ type, start: at, end, data: bytes.subarray(at + 8, dataEnd) })
    at = end
  }
  return chunks
}

/** The extended header with other flags for EXIF and XMP; those for colour, alpha and animation stay. */
function changeFlags(vp8x: Buffer, flags: number): Buffer {
  if (vp8x.length !== VP8X_BYTES) throw new RangeError('The WebP has an unknown extended header.')
  const changed = Buffer.from(vp8x)
  changed.writeUInt8((vp8x.readUInt8(0) & ~(EXIF_FLAG | XMP_FLAG)) | flags, 0)
  return changed
}

/** The extended header of a simple file, from the first bytes of its only image. */
function describeImage({ type, data }: WebpChunk, flags: number): Buffer {
  const { width, height, hasAlpha } = type === 'VP8L' ? readLossless(data) : readLossy(data)
  const vp8x = Buffer.alloc(VP8X_BYTES)
  vp8x.writeUInt8(flags | (hasAlpha ? ALPHA_FLAG : 0), 0)
  vp8x.writeUIntLE(width - 1, 4, 3)
  vp8x.writeUIntLE(height - 1, 7, 3)
  return vp8x
}

/** RFC 9649, section 3.4: a signature, then 14 bits each of width - 1 and height - 1, then the alpha bit. */
function readLossless(data: Buffer) {
  if (data.readUInt8(0) !== 0x2f) throw new RangeError('The WebP has no lossless image.')
  const bits = data.readUInt32LE(1)
  return {
    width: (bits & 0x3fff) + 1,
    height: ((bits >>> 14) & 0x3fff) + 1,
    hasAlpha: (bits >>> 28) % 2 === 1,
  }
}

/** RFC 6386, section 9.1: a frame tag of three bytes, a start code, then 14 bits each of width and height. */
function readLossy(data: Buffer) {
  if (data.readUIntBE(3, 3) !== 0x9d012a) throw new RangeError('The WebP has no key frame.')
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff, hasAlpha: false }
}

function makeChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(8 + data.length + (data.length % 2))
  chunk.write(type, 'latin1')
  chunk.writeUInt32LE(data.length, 4)
  data.copy(chunk, 8)
  return chunk
}

function riffHeader(bodyBytes: number): Buffer {
  const header = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1')
  header.writeUInt32LE(4 + bodyBytes, 4)
  return header
}
