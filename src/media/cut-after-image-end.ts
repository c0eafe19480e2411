/**
 * Finds where a picture ends inside its bytes.
 *
 * A file can be a picture and, behind its end, a web page or an archive: those bytes must not be served. The
 * same walk tells a file that was cut short, without decoding it. It reads lengths and markers only and
 * never trusts one to lie inside the file.
 */
import { type ImageFormat, sniffFormat } from './image-format.ts'

/** The picture without what follows its end: a view of the same memory. Other bytes come back as they are. */
export function cutAfterImageEnd(bytes: Buffer): Buffer {
  const format = sniffFormat(bytes)
  const end = format && findImageEnd(bytes, format)
  return end === null ? bytes : bytes.subarray(0, end)
}

/** The offset behind the picture's last byte, or null where the picture goes on past the bytes. */
export function findImageEnd(bytes: Buffer, format: ImageFormat): number | null {
  const end = endFinders[format](bytes)
  return end !== null && end <= bytes.length ? end : null
}

const endFinders: Record<ImageFormat, (bytes: Buffer) => number | null> = {
  png: endOfPng,
  jpeg: endOfJpeg,
  webp: endOfWebp,
  gif: endOfGif,
  avif: endOfAvif,
}

/** PNG (W3C, section 5.3): chunks of length, type, data and checksum; the last is IEND. */
function endOfPng(bytes: Buffer): number | null {
  let at = 8
  while (at + 12 <= bytes.length) {
    const chunkEnd = at + 12 + bytes.readUInt32BE(at)
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return chunkEnd
    at = chunkEnd
  }
  return null
}

/** JPEG (ITU T.81, annex B): segments with a length, each scan followed by coded data, then EOI. */
function endOfJpeg(bytes: Buffer): number | null {
  let at = 2
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return null
    at = skipScan(bytes, at + 2 + bytes.readUInt16BE(at + 2), bytes[at + 1] === 0xda)
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return at + 2
  }
  return null
}

/**
 * Where the next marker stands: behind the coded data if the segment began a scan, and behind fill bytes.
 * A plain loop, as a search by `indexOf` costs seconds on a file that is full of 0xFF.
 */
function skipScan(bytes: Buffer, start: number, inScan: boolean): number {
  let at = start
  for (; at < bytes.length; at++) {
    if (bytes[at] !== 0xff) {
      if (inScan) continue
      return at
    }
    const marker = bytes[at + 1] ?? 0
    const isFill = marker === 0xff
    const isData = marker === 0x00 || (marker >= 0xd0 && marker <= 0xd7)
    if (!isFill && !(inScan && isData)) return at
  }
  return at
}

/** WebP: a RIFF file, which states its length behind the first eight bytes, padded to an even one. */
function endOfWebp(bytes: Buffer): number | null {
  const sizeBytes = bytes.readUInt32LE(4)
  return 8 + sizeBytes + (sizeBytes % 2)
}

/** GIF89a: a screen, then extensions and images made of length-prefixed blocks, then the trailer 0x3B. */
function endOfGif(bytes: Buffer): number | null {
  let at = 13 + colourTableBytes(bytes[10])
  while (at < bytes.length) {
    const kind = bytes[at]
    if (kind === 0x3b) return at + 1
    if (kind === 0x21) at = skipBlocks(bytes, at + 2)
    else if (kind === 0x2c) at = skipBlocks(bytes, at + 11 + colourTableBytes(bytes[at + 9]))
    else return null
  }
  return null
}

function colourTableBytes(flags = 0): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}

function skipBlocks(bytes: Buffer, start: number): number {
  let at = start
  for (let length = bytes[at]; length; length = bytes[at]) at += 1 + length
  return at + 1
}

/** The boxes of ISO 14496-12 that stand at the top of an AVIF; anything else there is not part of it. */
const topLevelBoxes = new Set(['ftyp', 'meta', 'mdat', 'moov', 'free', 'skip', 'uuid'])

/** AVIF: boxes of length and type; the picture is described by `meta`. */
function endOfAvif(bytes: Buffer): number | null {
  let at = 0
  let described = false
  while (at + 8 <= bytes.length) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (!topLevelBoxes.has(type)) break
    described ||= type === 'meta'
    const sizeBytes = boxBytes(bytes, at)
    if (sizeBytes === null) return null
    at += sizeBytes
  }
  return described ? at : null
}

/** A length of 0 means "to the end of the file", 1 that 64 bits follow the type. */
function boxBytes(bytes: Buffer, at: number): number | null {
  const short = bytes.readUInt32BE(at)
  if (short === 0) return bytes.length - at
  if (short !== 1) return short >= 8 ? short : null
  if (at + 16 > bytes.length) return null
  const long = Number(bytes.readBigUInt64BE(at + 8))
  return long >= 16 ? long : null
}
