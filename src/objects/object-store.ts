/**
 * The seam to where pictures are kept: bytes under a key, nothing else.
 *
 * What a picture is, whose it is and when it goes are rows in the database; a store holds no such knowledge,
 * lists nothing and decides nothing. Every implementation must pass `testing/conformance.ts`.
 */
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { GessoError } from '../lib/errors.ts'

export interface PutOptions {
  /** The media type, for stores that keep one beside the bytes. */
  contentType: string
  /** Lowercase hex. If given, bytes with another digest are refused and nothing is kept. */
  sha256?: string
}

/** What was kept, as it was counted and hashed on its way in. */
export interface KeptObject {
  sizeBytes: number
  /** Lowercase hex. */
  sha256: string
}

/** Byte offsets of a part of an object, both included, as in HTTP. An `end` past the last byte is cut there. */
export interface ByteRange {
  start: number
  end: number
}

export interface StoredObject {
  /** The bytes asked for. Read it or destroy it: it holds a file or a connection. */
  stream: Readable
  /** Size of the whole object, also where only a range was asked for. */
  sizeBytes: number
}

/** A place for bytes. Keys are checked by `assertObjectKey`; every method rejects other keys. */
export interface ObjectStore {
  /**
   * Keeps the bytes, durably, before it resolves. Readers see the old object or the whole new one, never a
   * part; a source that fails leaves what was there before. Rejects with `overloaded` where there is no room.
   */
  put(key: string, bytes: Buffer | AsyncIterable<Buffer>, options: PutOptions): Promise<KeptObject>
  /** Opens an object, or null where there is none. Rejects with `range_not_satisfiable` past its end. */
  get(key: string, range?: ByteRange): Promise<StoredObject | null>
  /** What is known of an object without opening it, or null where there is none. */
  stat(key: string): Promise<{ sizeBytes: number } | null>
  /** Removes an object. Removing what is not there is no error. */
  delete(key: string): Promise<void>
  /** Rejects unless bytes can be written, read back and removed at this moment. */
  check(): Promise<void>
}

const KEY_MAX_LENGTH = 512
const KEY_SEGMENT = /^[a-z0-9_-][a-z0-9._-]{0,199}$/

/**
 * Throws unless the key is 1–512 characters of `a-z 0-9 . _ -` in folders parted by `/`, none of them empty,
 * beginning with a dot or holding `..`. A key cannot be the folder of another key.
 */
export function assertObjectKey(key: string): void {
  const valid =
    key.length <= KEY_MAX_LENGTH &&
    !key.includes('..') &&
    key.split('/').every((part) => KEY_SEGMENT.test(part))
  if (valid) return
  throw new GessoError({
    code: 'internal_error',
    attribution: 'platform',
    message: 'A picture could not be filed under its name.',
    detail: `invalid object key ${JSON.stringify(key.slice(0, 100))}`,
  })
}

/** The range cut to an object of this size. Throws `range_not_satisfiable` where nothing of it is left. */
export function clampRange(range: ByteRange, sizeBytes: number): ByteRange {
  const { start, end } = range
  if (Number.isSafeInteger(start) && start >= 0 && start < sizeBytes && end >= start) {
    return { start, end: Math.min(end, sizeBytes - 1) }
  }
  throw new GessoError({
    code: 'range_not_satisfiable',
    attribution: 'client',
    message: `The requested range does not lie inside the ${sizeBytes} bytes of this file.`,
  })
}

/** Writes, reads back and removes a few bytes: the `check` of any store. */
export async function checkByRoundTrip(store: Omit<ObjectStore, 'check'>): Promise<void> {
  const written = randomBytes(16)
  const key = `check/${randomBytes(12).toString('hex')}`
  await store.put(key, written, { contentType: 'application/octet-stream' })
  try {
    const read = await (await store.get(key))?.stream.toArray()
    if (!read || !Buffer.concat(read).equals(written)) {
      throw new GessoError({
        code: 'internal_error',
        attribution: 'platform',
        message: 'The object store does not return what was written to it.',
      })
    }
  } finally {
    await store.delete(key)
  }
}
