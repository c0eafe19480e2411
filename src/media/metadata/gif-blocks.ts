/**
 * GIF files as their blocks (GIF89a): what belongs to the picture stays, all else is dropped.
 *
 * Of the application extensions only those stay that loop an animation or describe its colours. Image data is
 * walked over for its end and never changed.
 */
import { type ByteRange, type FilePart, MAX_FILE_ELEMENTS } from './assemble-file.ts'

interface GifBlock extends ByteRange {
  /** The application's name and code, where the block is an application extension. */
  application?: string
  isComment: boolean
}

const EXTENSION = 0x21
const IMAGE = 0x2c
const TRAILER = 0x3b
const APPLICATION_LABEL = 0xff
const COMMENT_LABEL = 0xfe

const pictureApplications = new Set(['NETSCAPE2.0', 'ANIMEXTS1.0', 'ICCRGBG1012'])

const XMP_HEADER = Buffer.from('\x21\xff\x0bXMP DataXMP', 'latin1')

/**
 * XMP 1.2 part 3, section 1.1.2: the packet is not cut into blocks, so a reader that does not know it takes
 * each byte for a length. Wherever that lands among these bytes, it ends at the last of them.
 */
const XMP_TRAILER = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i), 0])

/**
 * The file without its metadata and with the XMP packet. A C2PA manifest goes as well: it signs bytes that are
 * no longer there. Throws RangeError where the bytes are not one whole GIF, or the packet holds a zero.
 */
export function rewriteGifBlocks(bytes: Buffer, xmp: Buffer): FilePart[] {
  if (xmp.includes(0)) throw new RangeError('An XMP packet with a zero byte cannot stand in a GIF.')
  const screenEnd = 13 + colourTableBytes(bytes.readUInt8(10))
  const kept = readGifBlocks(bytes, screenEnd).filter(isPicture)
  // The loop count stays where decoders expect it: directly behind the screen.
  const at = kept.findIndex((block) => block.application === undefined)
  const extension = Buffer.concat([XMP_HEADER, xmp, XMP_TRAILER])
  return [
    // Extensions came with this version.
    Buffer.from('GIF89a', 'latin1'),
    { start: 6, end: screenEnd },
    ...kept.slice(0, at),
    extension,
    ...kept.slice(at),
  ]
}

/** From behind the screen to the trailer; what follows it is not part of the picture. */
function readGifBlocks(bytes: Buffer, screenEnd: number): GifBlock[] {
  const blocks: GifBlock[] = []
  let hasImage = false
  for (let at = screenEnd; blocks.length < MAX_FILE_ELEMENTS; ) {
    const kind = bytes[at]
    const end = blockEnd(bytes, at)
    if (end > bytes.length) break
    const label = kind === EXTENSION ? bytes[at + 1] : undefined
    const application =
      label === APPLICATION_LABEL
        ? bytes.toString('latin1', at + 3, at + 3 + (bytes[at + 2] ?? 0))
        : undefined
    blocks.push({ start: at, end, application, isComment: label === COMMENT_LABEL })
    hasImage ||= kind === IMAGE
    if (kind === TRAILER && hasImage) return blocks
    if (kind === TRAILER) break
    at = end
  }
  throw new RangeError('The GIF is not whole.')
}

function blockEnd(bytes: Buffer, at: number): number {
  const kind = bytes[at]
  if (kind === TRAILER) return at + 1
  if (kind === EXTENSION) return skipSubBlocks(bytes, at + 2)
  if (kind === IMAGE) return skipSubBlocks(bytes, at + 11 + colourTableBytes(bytes.readUInt8(at + 9)))
  throw new RangeError('The GIF has an unknown block.')
}

function skipSubBlocks(bytes: Buffer, start: number): number {
  let at = start
  for (let length = bytes[at]; length; length = bytes[at]) at += 1 + length
  return at + 1
}

function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}

function isPicture({ application, isComment }: GifBlock): boolean {
  return !isComment && (application === undefined || pictureApplications.has(application))
}
