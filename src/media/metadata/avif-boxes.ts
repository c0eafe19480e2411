/**
 * AVIF files as their boxes (ISO/IEC 14496-12): metadata goes, an XMP item comes, the coded picture stays.
 *
 * The tables in `meta` say by file offset where each item's bytes are, so every change of length moves them all.
 * What stays must be found again in what is written: where that cannot be said for sure, nothing is changed.
 */
import { type ByteRange, type FilePart, MAX_FILE_ELEMENTS } from './assemble-file.ts'
import {
  type AvifItem,
  type ItemLocation,
  type ItemReference,
  makeItemLocations,
  makeItemReferences,
  makeItems,
  makeXmpItem,
  readItemLocations,
  readItemReferences,
  readItems,
  readPrimaryItem,
} from './avif-items.ts'

interface Box extends ByteRange {
  type: string
  bodyStart: number
}

/** A stretch of `mdat` that stays, and where it stands in the new file. */
interface KeptSpan extends ByteRange {
  newStart: number
}

/** Boxes that stand at the top of an AVIF; anything else there is behind its end. */
const topLevelBoxes = new Set(['ftyp', 'meta', 'mdat', 'moov', 'free', 'skip', 'uuid'])

/** EXIF, XMP and anything else that is text rather than a picture. */
const metadataItems = new Set(['Exif', 'mime', 'uri '])
const metadataBoxes = new Set(['free', 'skip', 'uuid', 'xml ', 'bxml'])

/** Far more than a picture of many tiles has; keeps hostile tables from costing time. */
const maxBoxes = 1_000
const maxExtents = 10_000
const maxMetadataExtents = 1_000

const IN_FILE = 0
const IN_IDAT = 1

/**
 * The file without its metadata and with the XMP packet as an item that describes the primary one. EXIF is not
 * asked for an orientation, as properties alone turn an AVIF. A C2PA manifest (`uuid`) goes as well: it signs
 * bytes that are no longer there. Throws RangeError where the bytes are not one whole AVIF that is understood.
 */
export function rewriteAvifBoxes(bytes: Buffer, xmp: Buffer): FilePart[] {
  const boxes = readBoxes(bytes, 0, topLevelBoxes)
  const metas = boxes.filter((box) => box.type === 'meta')
  const meta = metas[0]
  if (boxes[0]?.type !== 'ftyp' || !meta || metas.length > 1) throw new RangeError('The AVIF is not whole.')
  if (boxes.some((box) => box.type === 'moov')) throw new RangeError('The AVIF is animated.')
  if (boxes.length > maxBoxes) throw new RangeError('The AVIF has too many boxes.')

  const tables = readTables(bytes.subarray(meta.bodyStart, meta.end))
  const xmpLocation = { id: tables.xmpId, method: IN_FILE, extents: [{ offset: 0, length: xmp.length }] }
  const metaBytes = makeMeta(tables, [...tables.kept, xmpLocation]).length

  const { parts, spans, metaIndex, endBytes } = layOut(boxes, tables.dropped, metaBytes)
  const locations = tables.kept.map((location) => moveLocation(location, spans))
  const xmpExtents = [{ offset: endBytes + 8, length: xmp.length }]
  parts[metaIndex] = makeMeta(tables, [...locations, { ...xmpLocation, extents: xmpExtents }])
  return [...parts, makeBox('mdat', xmp)]
}

interface Tables {
  /** The `meta` box's version and flags. */
  head: Buffer
  /** Its boxes, without those that hold metadata. */
  children: { type: string; whole: Buffer; body: Buffer }[]
  items: AvifItem[]
  references: ItemReference[]
  kept: ItemLocation[]
  dropped: ItemLocation[]
  xmpId: number
}

/** What the body of `meta` says, told apart into the picture's and metadata. */
function readTables(meta: Buffer): Tables {
  const children = readBoxes(meta, 4)
    .filter((box) => !metadataBoxes.has(box.type))
    .map((box) => ({
      type: box.type,
      whole: meta.subarray(box.start, box.end),
      body: meta.subarray(box.bodyStart, box.end),
    }))
  const bodyOf = (type: string) => children.find((child) => child.type === type)?.body

  const primaryId = readPrimaryItem(bodyOf('pitm'))
  const allItems = readItems(bodyOf('iinf'))
  const metadataIds = new Set(allItems.filter((item) => metadataItems.has(item.type)).map((item) => item.id))
  const items = allItems.filter((item) => !metadataIds.has(item.id))
  if (!items.some((item) => item.id === primaryId)) throw new RangeError('The AVIF has no primary item.')

  const references = readItemReferences(bodyOf('iref')).filter(({ from }) => !metadataIds.has(from))
  if (references.some(({ to }) => to.some((id) => metadataIds.has(id)))) {
    throw new RangeError("The AVIF's picture refers to its metadata.")
  }
  const xmpId = Math.max(...items.map((item) => item.id), ...groupIds(bodyOf('grpl'))) + 1
  references.push({ type: 'cdsc', from: xmpId, to: [primaryId] })
  items.push(makeXmpItem(xmpId))

  const locations = readItemLocations(bodyOf('iloc'))
  const kept = locations.filter((location) => !metadataIds.has(location.id))
  const dropped = locations.filter((location) => metadataIds.has(location.id))
  if (extentsOf(kept).length > maxExtents || extentsOf(dropped).length > maxMetadataExtents) {
    throw new RangeError('The AVIF has too many pieces.')
  }
  const idat = children.find((child) => child.type === 'idat')
  if (idat) idat.whole = clearMetadata(idat.whole, idat.body.length, kept, dropped)
  return { head: meta.subarray(0, 4), children, items, references, kept, dropped, xmpId }
}

/** Groups have ids of the same kind as items. */
function groupIds(grpl: Buffer | undefined): number[] {
  return grpl ? readBoxes(grpl, 0).map((group) => grpl.readUInt32BE(group.bodyStart + 4)) : []
}

function extentsOf(locations: readonly ItemLocation[], method?: number): ByteRange[] {
  return locations
    .filter((location) => method === undefined || location.method === method)
    .flatMap(({ extents }) => extents.map(({ offset, length }) => ({ start: offset, end: offset + length })))
}

/** The `idat` box with zeros where metadata was: cutting there would move what the picture has in it. */
function clearMetadata(
  box: Buffer,
  bodyBytes: number,
  kept: ItemLocation[],
  dropped: ItemLocation[],
): Buffer {
  const cleared = Buffer.from(box)
  const body = cleared.subarray(box.length - bodyBytes)
  const needed = extentsOf(kept, IN_IDAT)
  for (const { start, end } of extentsOf(dropped, IN_IDAT)) {
    if (needed.some((other) => start < other.end && other.start < end)) {
      throw new RangeError("The AVIF's picture shares bytes with its metadata.")
    }
    body.fill(0, Math.min(start, bodyBytes), Math.min(end, bodyBytes))
  }
  return cleared
}

function makeMeta(tables: Tables, locations: readonly ItemLocation[]): Buffer {
  const references = makeItemReferences(tables.references)
  const made = new Map([
    ['iinf', makeItems(tables.items)],
    ['iloc', makeItemLocations(locations)],
    ['iref', references],
  ])
  const children = tables.children.map((child) => {
    const body = made.get(child.type)
    return body ? makeBox(child.type, body) : child.whole
  })
  if (!tables.children.some((child) => child.type === 'iref')) children.push(makeBox('iref', references))
  return makeBox('meta', tables.head, ...children)
}

/** The file's parts in order, without metadata; the `meta` box is as long as stated and still to be made. */
function layOut(boxes: readonly Box[], dropped: ItemLocation[], metaBytes: number) {
  const cuts = extentsOf(dropped, IN_FILE).sort((a, b) => a.start - b.start)
  const parts: FilePart[] = []
  const spans: KeptSpan[] = []
  let metaIndex = 0
  let endBytes = 0
  for (const box of boxes) {
    if (box.type === 'ftyp') {
      parts.push({ start: box.start, end: box.end })
      endBytes += box.end - box.start
    } else if (box.type === 'meta') {
      metaIndex = parts.push({ start: 0, end: 0 }) - 1
      endBytes += metaBytes
    } else if (box.type === 'mdat') {
      const ranges = subtract({ start: box.bodyStart, end: box.end }, cuts)
      if (ranges.length === 0) continue
      const header = makeDataHeader(box, ranges)
      parts.push(header, ...ranges)
      endBytes += header.length
      for (const range of ranges) {
        spans.push({ ...range, newStart: endBytes })
        endBytes += range.end - range.start
      }
    }
  }
  return { parts, spans, metaIndex, endBytes }
}

/** What is left of a range without the cuts, which are in the order of their beginnings. */
function subtract(range: ByteRange, cuts: readonly ByteRange[]): ByteRange[] {
  const left: ByteRange[] = []
  let start = range.start
  for (const cut of cuts) {
    if (cut.start > start) left.push({ start, end: Math.min(cut.start, range.end) })
    start = Math.max(start, cut.end)
    if (start >= range.end) break
  }
  if (start < range.end) left.push({ start, end: range.end })
  return left.filter(({ start, end }) => end > start)
}

/** The location in the new file. Each of its extents must lie in one stretch that stays. */
function moveLocation(location: ItemLocation, spans: readonly KeptSpan[]): ItemLocation {
  if (location.method !== IN_FILE) return location
  const extents = location.extents.map(({ offset, length }) => {
    const span = spans.find(({ start, end }) => offset >= start && offset + length <= end)
    if (!span) throw new RangeError("The AVIF's picture is not in its data.")
    return { offset: offset - span.start + span.newStart, length }
  })
  return { ...location, extents }
}

/** Boxes from `start` to the end of the bytes, or to the first of an unknown type. */
function readBoxes(bytes: Buffer, start: number, known?: ReadonlySet<string>): Box[] {
  const boxes: Box[] = []
  for (let at = start; at + 8 <= bytes.length; ) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (known && !known.has(type)) break
    const short = bytes.readUInt32BE(at)
    // 0 means "to the end", 1 that 64 bits follow the type.
    const sizeBytes =
      short === 0 ? bytes.length - at : short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short
    const bodyStart = at + (short === 1 ? 16 : 8)
    const end = at + sizeBytes
    if (bodyStart > end || end > bytes.length || boxes.length === MAX_FILE_ELEMENTS) {
      throw new RangeError('The AVIF is not whole.')
    }
    boxes.push({ type, start: at, bodyStart, end })
    at = end
  }
  return boxes
}

function makeBox(type: string, ...body: Buffer[]): Buffer {
  const box = Buffer.concat([Buffer.from(`\0\0\0\0${type}`, 'latin1'), ...body])
  box.writeUInt32BE(box.length, 0)
  return box
}

/** The header of `mdat`, as long as it was, for what is left of its body. */
function makeDataHeader(box: Box, body: readonly ByteRange[]): Buffer {
  const header = Buffer.alloc(box.bodyStart - box.start)
  const sizeBytes = body.reduce((sum, { start, end }) => sum + end - start, header.length)
  header.write('mdat', 4, 'latin1')
  header.writeUInt32BE(header.length === 16 ? 1 : sizeBytes, 0)
  if (header.length === 16) header.writeBigUInt64BE(BigInt(sizeBytes), 8)
  return header
}
