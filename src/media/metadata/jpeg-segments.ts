/**
 * JPEG files as their segments (ITU T.81, annex B): what belongs to the picture stays, all else is dropped.
 *
 * Of the application segments only those stay that a decoder needs for the colours. Coded data is walked over
 * for its end and never changed. A file full of 0xFF must cost no more than one look at each byte.
 */
import { type ByteRange, type FilePart, MAX_FILE_ELEMENTS } from './assemble-file.ts'
import { makeOrientationExif, readOrientation } from './exif-orientation.ts'

interface JpegSegment extends ByteRange {
  marker: number
  /** The segment's own bytes, behind its length; coded data follows them up to `end`. */
  dataStart: number
  dataEnd: number
}

const SOF0 = 0xc0
const RST0 = 0xd0
const RST7 = 0xd7
const EOI = 0xd9
const SOS = 0xda
const APP0 = 0xe0
const APP1 = 0xe1
const APP2 = 0xe2
const APP14 = 0xee
const APP15 = 0xef
const COM = 0xfe

const JFIF = 'JFIF\0'
const ICC = 'ICC_PROFILE\0'
const ADOBE = 'Adobe'
const EXIF = 'Exif\0\0'
const XMP = 'http://ns.adobe.com/xap/1.0/\0'

/** A JFIF segment's data without a thumbnail. */
const JFIF_BYTES = 14

/** The longest XMP packet that one APP1 segment holds (XMP 1.2 part 3, section 1.1.3). */
export const MAX_JPEG_XMP_BYTES = 65_502

/**
 * The file without its metadata, and with the XMP packet and the orientation if a packet is given. Thumbnails,
 * pictures behind the end (MPF) and a C2PA manifest (APP11) go as well: it signs bytes that are no longer there.
 * Throws RangeError where the bytes are not one whole JPEG, or the packet is too long.
 */
export function rewriteJpegSegments(bytes: Buffer, xmp: Buffer | null): FilePart[] {
  if (xmp && xmp.length > MAX_JPEG_XMP_BYTES) throw new RangeError('The XMP packet is too long for a JPEG.')
  const segments = readJpegSegments(bytes)
  const kept = segments.filter((segment) => isPicture(bytes, segment))
  const parts = kept.map((segment) => withoutThumbnail(bytes, segment))
  const added = xmp ? [...orientationSegments(bytes, segments), makeSegment(APP1, XMP, xmp)] : []
  // JFIF wants to be the first segment, XMP readers look near the beginning.
  const jfifFirst = kept[0]?.marker === APP0 ? 1 : 0
  return [{ start: 0, end: 2 }, ...parts.slice(0, jfifFirst), ...added, ...parts.slice(jfifFirst)]
}

/** From behind SOI to EOI; what follows the end is not part of the picture. */
function readJpegSegments(bytes: Buffer): JpegSegment[] {
  const segments: JpegSegment[] = []
  let hasScan = false
  for (let at = 2; segments.length < MAX_FILE_ELEMENTS; ) {
    const start = at
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++
    const marker = bytes[at + 1] ?? 0
    if (bytes[at] !== 0xff) break
    if (marker === EOI && hasScan) {
      segments.push({ marker, start, dataStart: at + 2, dataEnd: at + 2, end: at + 2 })
      return segments
    }
    if (marker < SOF0 || (marker >= RST0 && marker <= EOI)) break
    const dataEnd = at + 2 + bytes.readUInt16BE(at + 2)
    const end = marker === SOS ? skipScan(bytes, dataEnd) : dataEnd
    if (dataEnd < at + 4 || end > bytes.length) break
    hasScan ||= marker === SOS
    segments.push({ marker, start, dataStart: at + 4, dataEnd, end })
    at = end
  }
  throw new RangeError('The JPEG is not whole.')
}

/** How far to look byte by byte before a native search is the cheaper one. */
const nearBytes = 32

/**
 * Where the marker behind the coded data stands. A native search is ten times faster where 0xFF is rare, as in
 * every picture, and a hundred times slower where it is everywhere, as in a file made to be slow.
 */
function skipScan(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length) {
    const nearEnd = at + nearBytes
    while (at < nearEnd && bytes[at] !== 0xff) at++
    if (bytes[at] !== 0xff) at = bytes.indexOf(0xff, at)
    if (at === -1) break
    const next = bytes[at + 1] ?? 0
    if (next === 0xff) at++
    else if (next === 0 || (next >= RST0 && next <= RST7)) at += 2
    else return at
  }
  return bytes.length
}

function isPicture(bytes: Buffer, segment: JpegSegment): boolean {
  const { marker } = segment
  if (marker === APP0) return startsWith(bytes, segment, JFIF)
  if (marker === APP2) return startsWith(bytes, segment, ICC)
  // Adobe's marker says how the colours are coded.
  if (marker === APP14) return startsWith(bytes, segment, ADOBE)
  return marker !== COM && (marker < APP0 || marker > APP15)
}

function withoutThumbnail(bytes: Buffer, segment: JpegSegment): FilePart {
  if (segment.marker !== APP0 || segment.dataEnd - segment.dataStart <= JFIF_BYTES) return segment
  // The last two bytes are the thumbnail's width and height.
  const data = Buffer.from(bytes.subarray(segment.dataStart, segment.dataStart + JFIF_BYTES)).fill(0, 12)
  return makeSegment(APP0, '', data)
}

/** An EXIF segment with the orientation alone, where the picture has one that turns it. */
function orientationSegments(bytes: Buffer, segments: readonly JpegSegment[]): Buffer[] {
  const exif = segments.find((segment) => segment.marker === APP1 && startsWith(bytes, segment, EXIF))
  const orientation = exif ? readOrientation(bytes.subarray(exif.dataStart, exif.dataEnd)) : 1
  return orientation === 1 ? [] : [makeSegment(APP1, EXIF, makeOrientationExif(orientation))]
}

function startsWith(bytes: Buffer, segment: JpegSegment, name: string): boolean {
  const end = Math.min(segment.dataEnd, segment.dataStart + name.length)
  return bytes.toString('latin1', segment.dataStart, end) === name
}

function makeSegment(marker: number, name: string, data: Buffer): Buffer {
  const head = Buffer.from(`\xff\0\0\0${name}`, 'latin1')
  head[1] = marker
  head.writeUInt16BE(2 + name.length + data.length, 2)
  return Buffer.concat([head, data])
}
