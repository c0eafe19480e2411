/**
 * The tables in an AVIF's `meta` box: which items there are (`iinf`), where their bytes lie (`iloc`), how they
 * refer to each other (`iref`) and which of them is the picture (`pitm`).
 *
 * Each is read from, and made as, the body of its box (ISO/IEC 14496-12, section 8.11). What is read is written
 * again with the same meaning, in fields of one width, so that writing it twice changes nothing. Readers throw
 * RangeError for what they do not understand; nothing is guessed.
 */

/** An item and the whole of its `infe` box. */
export interface AvifItem {
  id: number
  /** Four characters: av01, grid, Exif, mime … */
  type: string
  box: Buffer
}

/** Where an item's bytes lie. */
export interface ItemLocation {
  id: number
  /** 0: offsets in the file; 1: offsets in the `idat` box. */
  method: number
  extents: { offset: number; length: number }[]
}

/** One box in `iref`: `from` is a thumbnail, an alpha plane, a description … of `to`. */
export interface ItemReference {
  type: string
  from: number
  to: number[]
}

const XMP_CONTENT_TYPE = 'application/rdf+xml'
const largestShort = 0xffff

/** Reads a number of `sizeBytes` (0, 2, 4 or 8) and moves on; RangeError behind the end. */
function createReader(body: Buffer | undefined) {
  if (!body) throw new RangeError('The AVIF lacks a table.')
  let at = 4
  return {
    version: body.readUInt8(0),
    hasMore: () => at < body.length,
    number(sizeBytes: number): number {
      at += sizeBytes
      if (sizeBytes === 0) return 0
      if (sizeBytes === 8) return Number(body.readBigUInt64BE(at - 8))
      return body.readUIntBE(at - sizeBytes, sizeBytes)
    },
    skip(sizeBytes: number): void {
      at += sizeBytes
    },
    /** The box that begins here, as a whole. */
    box(): Buffer {
      const start = at
      at += body.readUInt32BE(start)
      if (at < start + 8 || at > body.length) throw new RangeError("The AVIF's tables are damaged.")
      return body.subarray(start, at)
    },
  }
}

/** The id of the item that is the picture. */
export function readPrimaryItem(pitm: Buffer | undefined): number {
  const reader = createReader(pitm)
  return reader.number(reader.version === 0 ? 2 : 4)
}

/** The items in the order of the file. */
export function readItems(iinf: Buffer | undefined): AvifItem[] {
  const reader = createReader(iinf)
  const count = reader.number(reader.version === 0 ? 2 : 4)
  const items: AvifItem[] = []
  while (items.length < count) {
    const box = reader.box()
    const version = box.readUInt8(8)
    if (version !== 2 && version !== 3) throw new RangeError('The AVIF has items of an unknown form.')
    const idBytes = version === 2 ? 2 : 4
    // Behind the id stand two bytes about protection, then the type.
    const type = box.toString('latin1', 14 + idBytes, 18 + idBytes)
    items.push({ id: box.readUIntBE(12, idBytes), type, box })
  }
  return items
}

/** The body of `iinf`. */
export function makeItems(items: readonly AvifItem[]): Buffer {
  const isShort = items.length <= largestShort
  const head = joinNumbers([isShort ? 0 : 1, 1], [0, 3], [items.length, isShort ? 2 : 4])
  return Buffer.concat([head, ...items.map((item) => item.box)])
}

/** An item for an XMP packet, in the form that every reader knows where the id allows it. */
export function makeXmpItem(id: number): AvifItem {
  const isShort = id <= largestShort
  const text = Buffer.from(`mime\0${XMP_CONTENT_TYPE}\0`, 'latin1')
  const idField: NumberField = [id, isShort ? 2 : 4]
  const sizeBytes = 12 + idField[1] + 2 + text.length
  const infe = Buffer.from('infe', 'latin1').readUInt32BE()
  const head = joinNumbers([sizeBytes, 4], [infe, 4], [isShort ? 2 : 3, 1], [0, 3], idField, [0, 2])
  return { id, type: 'mime', box: Buffer.concat([head, text]) }
}

/** The locations, each offset with its item's base added; item data elsewhere than in this file is refused. */
export function readItemLocations(iloc: Buffer | undefined): ItemLocation[] {
  const reader = createReader(iloc)
  const { version } = reader
  if (version > 2) throw new RangeError('The AVIF has locations of an unknown form.')
  const widths = reader.number(2)
  const [offsetBytes, lengthBytes, baseBytes] = [widths >> 12, (widths >> 8) & 15, (widths >> 4) & 15]
  const indexBytes = version === 0 ? 0 : widths & 15
  // Without a length, an extent is the whole file, and a table of millions of them takes no space.
  const isUsual =
    [4, 8].includes(lengthBytes) && [offsetBytes, baseBytes, indexBytes].every((n) => n % 4 === 0)
  if (!isUsual) throw new RangeError('The AVIF has locations of an unknown form.')

  const idBytes = version === 2 ? 4 : 2
  const count = reader.number(idBytes)
  const locations: ItemLocation[] = []
  while (locations.length < count) {
    const id = reader.number(idBytes)
    const method = version === 0 ? 0 : reader.number(2) & 15
    const dataReference = reader.number(2)
    const base = reader.number(baseBytes)
    // Bytes in another file, or in another item: no AVIF needs either.
    if (method > 1 || dataReference !== 0) throw new RangeError('The AVIF has its bytes elsewhere.')
    const extents: ItemLocation['extents'] = []
    for (let left = reader.number(2); left > 0; left--) {
      reader.skip(indexBytes)
      const offset = base + reader.number(offsetBytes)
      const length = reader.number(lengthBytes)
      if (length === 0) throw new RangeError('The AVIF has an item without a length.')
      extents.push({ offset, length })
    }
    locations.push({ id, method, extents })
  }
  return locations
}

/** The body of `iloc`, in the oldest version that can say it, with 32 bits for offsets and lengths. */
export function makeItemLocations(locations: readonly ItemLocation[]): Buffer {
  const isLong = locations.length > largestShort || locations.some(({ id }) => id > largestShort)
  const version = isLong ? 2 : locations.some(({ method }) => method !== 0) ? 1 : 0
  const idBytes = isLong ? 4 : 2
  const fields: NumberField[] = [
    [version, 1],
    [0, 3],
    [0x4400, 2],
    [locations.length, idBytes],
  ]
  for (const { id, method, extents } of locations) {
    fields.push([id, idBytes])
    if (version > 0) fields.push([method, 2])
    fields.push([0, 2], [extents.length, 2])
    for (const { offset, length } of extents) fields.push([offset, 4], [length, 4])
  }
  return joinNumbers(...fields)
}

/** The references; none where there is no table. */
export function readItemReferences(iref: Buffer | undefined): ItemReference[] {
  if (!iref) return []
  const reader = createReader(iref)
  const idBytes = reader.version === 0 ? 2 : 4
  const references: ItemReference[] = []
  while (reader.hasMore()) {
    const box = reader.box()
    const to: number[] = []
    const toStart = 10 + idBytes
    const count = box.readUInt16BE(8 + idBytes)
    for (let i = 0; i < count; i++) to.push(box.readUIntBE(toStart + i * idBytes, idBytes))
    references.push({ type: box.toString('latin1', 4, 8), from: box.readUIntBE(8, idBytes), to })
  }
  return references
}

/** The body of `iref`. */
export function makeItemReferences(references: readonly ItemReference[]): Buffer {
  const isLong = references.some(({ from, to }) => from > largestShort || to.some((id) => id > largestShort))
  const idBytes = isLong ? 4 : 2
  const fields: NumberField[] = [
    [isLong ? 1 : 0, 1],
    [0, 3],
  ]
  for (const { type, from, to } of references) {
    const sizeBytes = 10 + idBytes * (1 + to.length)
    fields.push([sizeBytes, 4], [Buffer.from(type, 'latin1').readUInt32BE(), 4])
    fields.push([from, idBytes], [to.length, 2], ...to.map((id): NumberField => [id, idBytes]))
  }
  return joinNumbers(...fields)
}

type NumberField = [value: number, sizeBytes: number]

/** Big-endian numbers one after another; RangeError where one is too large for its field. */
function joinNumbers(...fields: NumberField[]): Buffer {
  const joined = Buffer.alloc(fields.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0))
  let at = 0
  for (const [value, sizeBytes] of fields) at = joined.writeUIntBE(value, at, sizeBytes)
  return joined
}
