/**
 * Keeps objects as files in one directory, readable by this user only.
 *
 * An object is written beside its place, forced to the disk and renamed, so that a crash at any moment
 * leaves the old object, the new one or a temporary file, and never half a picture under a key.
 */
import { createHash, randomBytes } from 'node:crypto'
import { chmod, type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { GessoError } from '../lib/errors.ts'
import {
  assertObjectKey,
  checkByRoundTrip,
  clampRange,
  type KeptObject,
  type ObjectStore,
} from './object-store.ts'

export interface DiskStore extends ObjectStore {
  /**
   * Removes temporary files that a crash left and returns how many. Only those untouched for an hour unless
   * told otherwise, as another process on the same directory may be writing the younger ones.
   */
  sweepTemporary(options?: { olderThanMs?: number }): Promise<number>
}

/** No key begins with a dot, so nothing in here can be reached by one. */
const TEMPORARY_FOLDER = '.temporary'

const ONE_HOUR_MS = 3_600_000

/**
 * A store in this directory. It is made at the first `put`, mode 0700, as are the folders that the keys name;
 * files get 0600. A directory that exists keeps the mode its owner gave it.
 */
export function createDiskStore({ directory }: { directory: string }): DiskStore {
  const root = resolve(directory)
  const temporaryFolder = join(root, TEMPORARY_FOLDER)

  function fileOf(key: string): string {
    assertObjectKey(key)
    return join(root, ...key.split('/'))
  }

  const store: Omit<ObjectStore, 'check'> = {
    async put(key, bytes, { sha256 }) {
      const target = fileOf(key)
      const temporary = join(temporaryFolder, randomBytes(16).toString('hex'))
      try {
        const kept = await writeNewFile(temporary, bytes, sha256)
        await withParent(target, () => rename(temporary, target))
        await syncFolder(dirname(target))
        return kept
      } catch (error) {
        await orNull(unlink(temporary))
        throw isErrno(error, ...unwritable) ? cannotWrite(error) : error
      }
    },

    async get(key, range) {
      const handle = await orNull(open(fileOf(key), 'r'))
      if (!handle) return null
      try {
        const found = await handle.stat()
        if (found.isFile()) {
          const part = range && clampRange(range, found.size)
          return { stream: handle.createReadStream(part), sizeBytes: found.size }
        }
      } catch (error) {
        await handle.close()
        throw error
      }
      await handle.close()
      return null
    },

    async stat(key) {
      const found = await orNull(stat(fileOf(key)))
      return found?.isFile() ? { sizeBytes: found.size } : null
    },

    async delete(key) {
      await orNull(unlink(fileOf(key)))
    },
  }

  return {
    ...store,
    check: () => checkByRoundTrip(store),

    async sweepTemporary({ olderThanMs = ONE_HOUR_MS } = {}) {
      // The file system stamps files with the machine's time, so it is compared with the machine's time.
      const newest = Date.now() - olderThanMs
      let removed = 0
      for (const name of (await orNull(readdir(temporaryFolder))) ?? []) {
        const file = join(temporaryFolder, name)
        const found = await orNull(stat(file))
        if (!found || found.mtimeMs > newest) continue
        await orNull(unlink(file))
        removed += 1
      }
      return removed
    },
  }
}

/** Writes a file that is on the disk, not only in its cache, when this resolves. */
async function writeNewFile(
  file: string,
  bytes: Buffer | AsyncIterable<Buffer>,
  sha256: string | undefined,
): Promise<KeptObject> {
  const handle = await withParent(file, () => open(file, 'wx', 0o600))
  try {
    // A umask takes bits away from the mode given to `open`; this sets them.
    await handle.chmod(0o600)
    const kept = await writeAll(handle, bytes)
    if (sha256 !== undefined && kept.sha256 !== sha256) throw wrongDigest(sha256, kept.sha256)
    await handle.sync()
    return kept
  } finally {
    await handle.close()
  }
}

/** Writes every chunk in turn, hashing on the way. */
async function writeAll(handle: FileHandle, bytes: Buffer | AsyncIterable<Buffer>): Promise<KeptObject> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of Buffer.isBuffer(bytes) ? [bytes] : bytes) {
    hash.update(chunk)
    sizeBytes += chunk.length
    await handle.appendFile(chunk)
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}

/** Does the work; where the folder of the file is missing, makes it and does the work again. */
async function withParent<T>(file: string, work: () => Promise<T>): Promise<T> {
  const done = await orNull(work())
  if (done !== null) return done
  await makeFolder(dirname(file))
  return work()
}

/** Makes a folder and those above it, each mode 0700 whatever the umask, each durable in its parent. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, 0o700)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return
    if (!isErrno(error, 'ENOENT')) throw error
    await makeFolder(dirname(folder))
    return makeFolder(folder)
  }
  await chmod(folder, 0o700)
  await syncFolder(dirname(folder))
}

/** Makes the names in a folder survive a power cut: renaming alone does not. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The value, or null where the file or a folder on the way to it does not exist. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** Full, over quota, read-only, broken, or not ours. */
const unwritable = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM']

function cannotWrite(cause: unknown): GessoError {
  const isFull = isErrno(cause, 'ENOSPC', 'EDQUOT')
  return new GessoError({
    code: 'overloaded',
    attribution: isFull ? 'capacity' : 'platform',
    message: `The picture could not be kept: the storage ${isFull ? 'is full' : 'cannot be written'}.`,
    cause,
  })
}

function wrongDigest(expected: string, actual: string): GessoError {
  return new GessoError({
    code: 'internal_error',
    attribution: 'platform',
    message: 'A picture was damaged before it could be kept.',
    detail: `sha256 of the object is ${actual}, not ${expected}`,
  })
}
