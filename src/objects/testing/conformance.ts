/**
 * What every object store must do, as one suite of tests that each implementation runs against itself.
 *
 * It uses only the interface, except where an implementation can show what it left behind.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ObjectStore, StoredObject } from '../object-store.ts'

export interface ObjectStoreWorld {
  store: ObjectStore
  /** Names of unfinished writes that the store still holds, where it can tell. */
  leftovers?(): Promise<string[]>
  close(): Promise<void>
}

const png = { contentType: 'image/png' }
const hostileKeys = [
  '',
  '/',
  '/etc/passwd',
  '../outside',
  'a/../b',
  'a/..',
  'a..b',
  '.',
  '.temporary/x',
  'a/.hidden',
  'a//b',
  'a/',
  'A',
  'a b',
  'a\\b',
  'a\0b',
  'a%2fb',
  'ä',
  'a?b',
  'a\n',
  'x'.repeat(201),
  `${'x/'.repeat(256)}x`,
]

/** Declares the suite; `setup` makes one empty store for all its tests. */
export function describeObjectStoreConformance(name: string, setup: () => Promise<ObjectStoreWorld>): void {
  describe(`${name} is an object store`, () => {
    let world: ObjectStoreWorld
    let store: ObjectStore
    beforeAll(async () => {
      world = await setup()
      store = world.store
    })
    afterAll(() => world.close())

    test('gives back the bytes that were put', async () => {
      const bytes = Buffer.from([0, 255, 13, 10, 0])
      await store.put('img/ab/cd.png', bytes, png)
      const found = await store.get('img/ab/cd.png')
      expect(found?.sizeBytes).toBe(5)
      expect(await read(found)).toEqual(bytes)
      expect(await store.stat('img/ab/cd.png')).toEqual({ sizeBytes: 5 })
    })

    test('keeps an empty object apart from a missing one', async () => {
      await store.put('empty', Buffer.alloc(0), png)
      expect(await store.stat('empty')).toEqual({ sizeBytes: 0 })
      expect(await read(await store.get('empty'))).toEqual(Buffer.alloc(0))
    })

    test('answers null for what it does not have', async () => {
      expect(await store.get('no/such.png')).toBeNull()
      expect(await store.stat('no/such.png')).toBeNull()
      await store.put('file', Buffer.from('x'), png)
      expect(await store.get('file/below')).toBeNull()
      expect(await store.stat('img')).toBeNull()
      expect(await store.get('img')).toBeNull()
    })

    test('deletes, and deletes again without an error', async () => {
      await store.put('gone.png', Buffer.from('x'), png)
      await store.delete('gone.png')
      await store.delete('gone.png')
      expect(await store.get('gone.png')).toBeNull()
    })

    test.each([
      [{ start: 0, end: 0 }, 'a'],
      [{ start: 2, end: 4 }, 'cde'],
      [{ start: 9, end: 9 }, 'j'],
      [{ start: 5, end: 1_000 }, 'fghij'],
    ])('reads the range %j as %j', async (range, expected) => {
      await store.put('range', Buffer.from('abcdefghij'), png)
      const found = await store.get('range', range)
      expect(found?.sizeBytes).toBe(10)
      expect((await read(found)).toString()).toBe(expected)
    })

    test.each([
      { start: 10, end: 12 },
      { start: 4, end: 3 },
      { start: -1, end: 3 },
    ])('refuses the range %j of ten bytes', async (range) => {
      await store.put('range', Buffer.from('abcdefghij'), png)
      await expect(store.get('range', range)).rejects.toMatchObject({ code: 'range_not_satisfiable' })
    })

    test('replaces an object, and takes the same bytes twice', async () => {
      await store.put('twice', Buffer.from('a longer first version'), png)
      await store.put('twice', Buffer.from('second'), png)
      await store.put('twice', Buffer.from('second'), png)
      expect((await read(await store.get('twice'))).toString()).toBe('second')
      expect(await store.stat('twice')).toEqual({ sizeBytes: 6 })
    })

    test('streams 20 MB in and out unchanged', async () => {
      const chunk = Buffer.alloc(256 * 1024, 'gesso')
      const written = createHash('sha256')
      async function* source() {
        for (let i = 0; i < 80; i++) {
          chunk.writeUInt32BE(i)
          written.update(chunk)
          yield Buffer.from(chunk)
        }
      }
      await store.put('large.png', source(), png)
      const found = await store.get('large.png')
      expect(found?.sizeBytes).toBe(80 * 256 * 1024)
      const readBack = createHash('sha256')
      for await (const part of found?.stream ?? []) readBack.update(part)
      expect(readBack.digest('hex')).toBe(written.digest('hex'))
    })

    test('a source that fails leaves the old object and nothing else', async () => {
      async function* broken() {
        yield Buffer.from('half a pic')
        throw new Error('the sender went away')
      }
      await expect(store.put('broken', broken(), png)).rejects.toThrow('the sender went away')
      expect(await store.stat('broken')).toBeNull()
      await store.put('broken', Buffer.from('whole'), png)
      await expect(store.put('broken', broken(), png)).rejects.toThrow('the sender went away')
      expect((await read(await store.get('broken'))).toString()).toBe('whole')
      expect((await world.leftovers?.()) ?? []).toEqual([])
    })

    test('keeps bytes with the right digest and refuses others', async () => {
      const bytes = Buffer.from('picture')
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      expect(await store.put('digest', bytes, { ...png, sha256 })).toEqual({
        sha256,
        sizeBytes: bytes.length,
      })
      const damaged = store.put('digest', Buffer.from('pictura'), { ...png, sha256 })
      await expect(damaged).rejects.toMatchObject({ code: 'internal_error' })
      expect((await read(await store.get('digest'))).toString()).toBe('picture')
      expect((await world.leftovers?.()) ?? []).toEqual([])
    })

    test('concurrent puts of one key end with one of them whole, and readers never see a mixture', async () => {
      const sizeBytes = 300_000
      const versions = Array.from({ length: 8 }, (_, i) => Buffer.alloc(sizeBytes, 65 + i))
      await store.put('raced', Buffer.alloc(sizeBytes, 64), png)
      const writing = Promise.all(
        versions.map((bytes) => store.put('raced', streamed(bytes, sizeBytes / 10), png)),
      )
      for (let i = 0; i < 10; i++) {
        const seen = await read(await store.get('raced'))
        expect(seen.equals(Buffer.alloc(sizeBytes, seen[0]))).toBe(true)
      }
      await writing
      const last = await read(await store.get('raced'))
      expect(versions.some((bytes) => bytes.equals(last))).toBe(true)
      expect((await world.leftovers?.()) ?? []).toEqual([])
    })

    test.each(hostileKeys)('refuses the key %j at every door', async (key) => {
      const refused = { code: 'internal_error', attribution: 'platform' }
      await expect(store.put(key, Buffer.from('x'), png)).rejects.toMatchObject(refused)
      await expect(store.get(key)).rejects.toMatchObject(refused)
      await expect(store.stat(key)).rejects.toMatchObject(refused)
      await expect(store.delete(key)).rejects.toMatchObject(refused)
    })

    test('checks itself', async () => {
      await store.check()
      expect((await world.leftovers?.()) ?? []).toEqual([])
    })
  })
}

async function read(found: StoredObject | null): Promise<Buffer> {
  if (!found) throw new Error('the object is missing')
  return Buffer.concat(await found.stream.toArray())
}

async function* streamed(bytes: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}
