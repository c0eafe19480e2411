import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { findImageEnd } from '../cut-after-image-end.ts'
import { pixelsOf, scene } from './testing/tagged-pictures.ts'
import { writeXmp } from './write-xmp.ts'

const xmp = Buffer.from('<x:xmpmeta xmlns:x="adobe:ns:meta/">new</x:xmpmeta>')
const secret = Buffer.from('\0\0\0\0private data of a person', 'latin1')

/** How an AVIF is put together: encoders differ, and sharp writes only the plainest of these. */
interface Layout {
  ilocVersion: 0 | 1 | 2
  /** 32-bit ids in pitm, iinf, infe and iref. */
  longIds?: boolean
  /** `mdat` stands before `meta`. */
  dataFirst?: boolean
  mdat?: '32 bits' | '64 bits' | 'to the end'
  /** Where the EXIF item's bytes are; without it there is no such item and no iref. */
  exif?: 'before' | 'between' | 'behind' | 'own mdat' | 'idat' | 'on the picture'
  extraTop?: Buffer
  /** An item that the file says is in another file, or inside another item. */
  elsewhere?: boolean
}

const layouts: [string, Layout][] = [
  ['iloc 0, no iref', { ilocVersion: 0 }],
  ['iloc 1, no iref', { ilocVersion: 1 }],
  ['iloc 2, no iref', { ilocVersion: 2 }],
  ['32-bit ids', { ilocVersion: 2, longIds: true, exif: 'behind' }],
  ['EXIF before the picture', { ilocVersion: 0, exif: 'before' }],
  ['EXIF inside the picture', { ilocVersion: 1, exif: 'between' }],
  ['EXIF behind the picture', { ilocVersion: 2, exif: 'behind' }],
  ['EXIF in data of its own', { ilocVersion: 0, exif: 'own mdat' }],
  ['EXIF in idat', { ilocVersion: 1, exif: 'idat' }],
  ['data before the tables', { ilocVersion: 0, dataFirst: true, exif: 'between' }],
  ['data to the end of the file', { ilocVersion: 1, mdat: 'to the end', exif: 'before' }],
  ['data with a length of 64 bits', { ilocVersion: 2, mdat: '64 bits', exif: 'between' }],
  [
    'boxes for anything',
    { ilocVersion: 0, extraTop: Buffer.concat([box('uuid', secret), box('free', secret)]) },
  ],
]

describe('writeXmp into AVIF containers', () => {
  test.each(layouts)('%s: the picture stays, metadata goes, XMP comes', async (_, layout) => {
    const avif = await buildAvif(layout)
    const pixels = await pixelsOf(avif)
    const after = Buffer.concat(writeXmp(avif, 'avif', xmp))

    expect((await pixelsOf(after)).equals(pixels)).toBe(true)
    const metadata = await sharp(after).metadata()
    expect(metadata.xmp).toEqual(xmp)
    expect(metadata.exif).toBeUndefined()
    expect(after.includes('private')).toBe(false)
    expect(findImageEnd(after, 'avif')).toBe(after.length)
    expect(Buffer.concat(writeXmp(after, 'avif', xmp)).equals(after)).toBe(true)
  })

  test.each([
    ['shares bytes with its metadata', { ilocVersion: 0, exif: 'on the picture' }],
    ['has bytes elsewhere', { ilocVersion: 1, elsewhere: true }],
    ['has moving pictures', { ilocVersion: 0, extraTop: box('moov', Buffer.alloc(8)) }],
  ] as [string, Layout][])('leaves a file alone that %s', async (_, layout) => {
    const avif = await buildAvif(layout)
    expect(writeXmp(avif, 'avif', xmp)[0]).toBe(avif)
  })

  test('takes a bounded time for tables made to be slow', async () => {
    const startedAt = performance.now()
    const plain = await buildAvif({ ilocVersion: 0 })
    for (const fields of [0x0000, 0x4400, 0x4440]) {
      // Each item claims 65,535 extents, of no bytes or of those that follow.
      const items = Buffer.alloc(2_000_000, '\0\x01\0\0\xff\xff', 'latin1')
      const iloc = box('iloc', numbers([0, 4], [fields, 2], [0xffff, 2]), items)
      const hostile = replaceBox(plain, 'iloc', iloc)
      expect(writeXmp(hostile, 'avif', xmp)[0]).toBe(hostile)
    }
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

async function buildAvif(layout: Layout): Promise<Buffer> {
  const plain = await scene(3).avif({ effort: 0 }).toBuffer()
  // Offsets do not change the length of the tables: the first try finds them, the second has them right.
  const first = assemble(plain, layout, 1_000)
  return assemble(plain, layout, first.dataStart).bytes
}

function assemble(plain: Buffer, layout: Layout, dataStart: number) {
  const picture = bodyOf(plain, 'mdat')
  const half = picture.length >> 1
  const inData = { before: [secret, picture], behind: [picture, secret] } as Partial<Record<string, Buffer[]>>
  const data = Buffer.concat(
    layout.exif === 'between'
      ? [picture.subarray(0, half), secret, picture.subarray(half)]
      : (inData[layout.exif ?? ''] ?? [picture]),
  )
  const mdat = makeMdat(layout.mdat ?? '32 bits', data)
  const headerBytes = mdat.length - data.length
  const ownMdat = layout.exif === 'own mdat' ? box('mdat', secret) : Buffer.alloc(0)

  const pictureExtents: Extent[] =
    layout.exif === 'between'
      ? [
          [0, half],
          [half + secret.length, picture.length - half],
        ]
      : [[layout.exif === 'before' ? secret.length : 0, picture.length]]
  const secretStart = {
    before: 0,
    between: half,
    behind: picture.length,
    'own mdat': -ownMdat.length + 8 - headerBytes,
    idat: 0,
    'on the picture': 4,
  }
  const locations: Location[] = [{ id: 1, method: 0, base: dataStart, extents: pictureExtents }]
  if (layout.exif) {
    const isInIdat = layout.exif === 'idat'
    const extents: Extent[] = [[secretStart[layout.exif] + (isInIdat ? 0 : dataStart), secret.length]]
    locations.push({ id: 2, method: isInIdat ? 1 : 0, base: 0, extents })
  }
  if (layout.elsewhere) locations.push({ id: 1, method: 2, base: 0, extents: [[0, 1]] })

  const idBytes = layout.longIds ? 4 : 2
  const version = layout.longIds ? 1 : 0
  const infe = (id: number, type: string) =>
    box('infe', numbers([layout.longIds ? 3 : 2, 1], [0, 3], [id, idBytes], [0, 2]), Buffer.from(`${type}\0`))
  const items = layout.exif ? [infe(1, 'av01'), infe(2, 'Exif')] : [infe(1, 'av01')]
  const meta = box(
    'meta',
    numbers([0, 4]),
    boxIn(plain, 'hdlr'),
    box('pitm', numbers([version, 1], [0, 3], [1, idBytes])),
    box('free', layout.exif ? Buffer.from('private') : Buffer.alloc(0)),
    makeIloc(layout.ilocVersion, locations),
    box('iinf', numbers([version, 1], [0, 3], [items.length, idBytes]), ...items),
    boxIn(plain, 'iprp'),
    ...(layout.exif
      ? [box('iref', numbers([version, 1], [0, 3]), box('cdsc', numbers([2, idBytes], [1, 2], [1, idBytes])))]
      : []),
    ...(layout.exif === 'idat' ? [box('idat', secret)] : []),
  )
  const head = [boxIn(plain, 'ftyp'), layout.extraTop ?? Buffer.alloc(0)]
  const before = layout.dataFirst ? [...head, ownMdat] : [...head, meta, ownMdat]
  const bytes = Buffer.concat([...before, mdat, ...(layout.dataFirst ? [meta] : [])])
  return { bytes, dataStart: Buffer.concat(before).length + headerBytes }
}

type Extent = [offset: number, length: number]
type Location = { id: number; method: number; base: number; extents: Extent[] }

/** Version 0 with a base offset, version 1 with an index, version 2 with 64 bits for everything. */
function makeIloc(version: 0 | 1 | 2, locations: Location[]): Buffer {
  const widths = [0x4440, 0x4404, 0x8880][version] ?? 0
  const [wide, idBytes] = version === 2 ? [8, 4] : [4, 2]
  const fields: [number, number][] = [
    [version, 1],
    [0, 3],
    [widths, 2],
    [locations.length, idBytes],
  ]
  for (const { id, method, base, extents } of locations) {
    fields.push([id, idBytes])
    if (version > 0) fields.push([method, 2])
    fields.push([0, 2])
    if (version !== 1) fields.push([base, wide])
    fields.push([extents.length, 2])
    for (const [offset, length] of extents) {
      if (version === 1) fields.push([1, 4])
      fields.push([version === 1 ? base + offset : offset, wide], [length, wide])
    }
  }
  return box('iloc', numbers(...fields))
}

function makeMdat(form: '32 bits' | '64 bits' | 'to the end', data: Buffer): Buffer {
  if (form === '32 bits') return box('mdat', data)
  if (form === 'to the end') return Buffer.concat([Buffer.from('\0\0\0\0mdat'), data])
  return Buffer.concat([Buffer.from('\0\0\0\x01mdat'), numbers([data.length + 16, 8]), data])
}

function box(type: string, ...body: Buffer[]): Buffer {
  const content = Buffer.concat(body)
  return Buffer.concat([numbers([content.length + 8, 4]), Buffer.from(type), content])
}

function numbers(...fields: [value: number, sizeBytes: number][]): Buffer {
  return Buffer.concat(
    fields.map(([value, sizeBytes]) => {
      const field = Buffer.alloc(sizeBytes)
      if (sizeBytes === 8) field.writeBigUInt64BE(BigInt(value))
      else field.writeUIntBE(value, 0, sizeBytes)
      return field
    }),
  )
}

function boxIn(bytes: Buffer, type: string): Buffer {
  const start = bytes.indexOf(type) - 4
  return bytes.subarray(start, start + bytes.readUInt32BE(start))
}

function bodyOf(bytes: Buffer, type: string): Buffer {
  return boxIn(bytes, type).subarray(8)
}

/** The file with another box of the type inside `meta`, whose length follows. */
function replaceBox(bytes: Buffer, type: string, replacement: Buffer): Buffer {
  const old = boxIn(bytes, type)
  const at = bytes.indexOf(old)
  const replaced = Buffer.concat([bytes.subarray(0, at), replacement, bytes.subarray(at + old.length)])
  const metaAt = replaced.indexOf('meta') - 4
  replaced.writeUInt32BE(replaced.readUInt32BE(metaAt) + replacement.length - old.length, metaAt)
  return replaced
}
