/**
 * Where the bytes of input pictures wait while a request is worked on: in memory while they are small and few, in
 * files of this process otherwise, so that many large uploads at once do not fill the memory. Nothing here outlives
 * the process: what a killed one left behind is removed at a later start.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { GessoError } from '../lib/errors.ts'
import { spoolFolderName } from './sweep-spool.ts'

/** Bytes that are kept until they are disposed. */
export interface SpooledFile extends AsyncDisposable {
  readonly sizeBytes: number
  /** Where they are: in memory, or in a file that nobody may change. */
  readonly source: Buffer | { readonly path: string }
  /** All of them. */
  read(): Promise<Buffer>
  /** From the beginning, anew at each call. */
  stream(): Readable
}

/** A file that is being received. Disposing one that was not finished removes what is there. */
export interface SpoolWriter extends AsyncDisposable {
  /**
   * Takes the next bytes; resolves when more may come, and the chunk may be used again. Throws `queue_full` where the
   * spool has no room.
   */
  write(chunk: Buffer): Promise<void>
  /** No more bytes come; the file is the caller's to dispose. */
  finish(): Promise<SpooledFile>
  readonly sizeBytes: number
}

export interface Spool extends AsyncDisposable {
  open(): SpoolWriter
  /** Keeps bytes that are in hand already. They must not change afterwards. */
  keep(bytes: Buffer): Promise<SpooledFile>
  /** A path of its own for a file that somebody else writes; hand it to `adopt` when it is there, or remove it. */
  newPath(): Promise<string>
  /** Takes a file at a path of `newPath` as spooled; one that there is no room for is removed. */
  adopt(path: string): Promise<SpooledFile>
  /** What all files that are not disposed count together. */
  readonly heldBytes: number
}

export interface SpoolOptions {
  /** The folder for all processes; each makes its own inside. */
  directory: string
  /** Files up to this size stay in memory. */
  memoryBytes: number
  /** The most bytes that all files of this process may have together. */
  budgetBytes: number
}

/** All small files together may take the memory of this many of the largest; further ones become files on the disk. */
const filesInMemory = 64

class OwnedFile implements SpooledFile {
  readonly sizeBytes: number
  readonly source: Buffer | { readonly path: string }
  readonly #dispose: () => Promise<void>
  #disposed: Promise<void> | undefined

  constructor(source: Buffer | { path: string }, sizeBytes: number, dispose: () => Promise<void>) {
    this.source = source
    this.sizeBytes = sizeBytes
    this.#dispose = dispose
  }

  async read(): Promise<Buffer> {
    return Buffer.isBuffer(this.source) ? this.source : readFile(this.source.path)
  }

  stream(): Readable {
    if (!Buffer.isBuffer(this.source)) return createReadStream(this.source.path)
    return Readable.from(this.source.length > 0 ? [this.source] : [], { objectMode: false })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }
}

/** Opens the spool of this process; its folder is made with the first large file. */
export function createSpool(options: SpoolOptions): Spool {
  const folder = join(options.directory, spoolFolderName())
  let heldBytes = 0
  /** Those of them that are in memory. */
  let memoryBytes = 0

  const take = (bytes: number) => {
    if (heldBytes + bytes > options.budgetBytes) throw spoolFull()
    heldBytes += bytes
  }
  const fitsInMemory = (sizeBytes: number, moreBytes: number) =>
    sizeBytes <= options.memoryBytes && memoryBytes + moreBytes <= filesInMemory * options.memoryBytes
  const newPath = async () => {
    // Each time: somebody may have tidied up an empty folder.
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return join(folder, randomUUID())
  }
  const inMemory = (bytes: Buffer) =>
    new OwnedFile(bytes, bytes.length, async () => {
      heldBytes -= bytes.length
      memoryBytes -= bytes.length
    })
  const onDisk = (path: string, sizeBytes: number) =>
    new OwnedFile({ path }, sizeBytes, async () => {
      await rm(path, { force: true })
      heldBytes -= sizeBytes
    })

  /** One call after the other; disposal may come at any time. */
  const openWriter = (): SpoolWriter => {
    let chunks: Buffer[] = []
    let file: { path: string; handle: FileHandle } | undefined
    let sizeBytes = 0
    let ownMemoryBytes = 0
    let state: 'open' | 'finished' | 'gone' = 'open'
    let underWay: Promise<unknown> = Promise.resolve()

    const moveToDisk = async () => {
      const path = await newPath()
      file = { path, handle: await open(path, 'wx', 0o600) }
      const waiting = chunks
      chunks = []
      for (const chunk of waiting) await file.handle.writeFile(chunk)
      memoryBytes -= ownMemoryBytes
      ownMemoryBytes = 0
      return file
    }
    const append = async (chunk: Buffer) => {
      if (!file && fitsInMemory(sizeBytes, chunk.length)) {
        memoryBytes += chunk.length
        ownMemoryBytes += chunk.length
        chunks.push(Buffer.from(chunk))
        return
      }
      const { handle } = file ?? (await moveToDisk())
      await handle.writeFile(chunk)
    }
    const close = async () => {
      if (!file) return inMemory(Buffer.concat(chunks, sizeBytes))
      await file.handle.close()
      return onDisk(file.path, sizeBytes)
    }
    const remove = async () => {
      chunks = []
      await file?.handle.close().catch(() => undefined)
      if (file) await rm(file.path, { force: true })
      memoryBytes -= ownMemoryBytes
      heldBytes -= sizeBytes
    }
    const run = <Result>(step: () => Promise<Result>): Promise<Result> => {
      if (state !== 'open') throw usedUp()
      const result = step().catch((error) => {
        throw isDiskFull(error) ? spoolFull(error) : error
      })
      underWay = result.catch(() => undefined)
      return result
    }
    return {
      get sizeBytes() {
        return sizeBytes
      },
      async write(chunk) {
        await run(async () => {
          take(chunk.length)
          sizeBytes += chunk.length
          await append(chunk)
        })
      },
      async finish() {
        return await run(async () => {
          const closed = await close()
          if (state === 'gone') throw usedUp()
          state = 'finished'
          return closed
        })
      },
      async [Symbol.asyncDispose]() {
        if (state !== 'open') return
        state = 'gone'
        await underWay
        await remove()
      },
    }
  }

  return {
    newPath,
    open: openWriter,

    get heldBytes() {
      return heldBytes
    },

    async keep(bytes) {
      if (fitsInMemory(bytes.length, bytes.length)) {
        take(bytes.length)
        memoryBytes += bytes.length
        return inMemory(bytes)
      }
      await using writer = openWriter()
      await writer.write(bytes)
      return await writer.finish()
    },

    async adopt(path) {
      const { size } = await stat(path)
      try {
        take(size)
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      return onDisk(path, size)
    },

    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

function usedUp(): Error {
  return new Error('this file was finished or disposed')
}

function spoolFull(cause?: unknown): GessoError {
  return new GessoError({
    code: 'queue_full',
    attribution: 'capacity',
    message: 'This server holds as many bytes of input pictures as it can at once. Try again shortly.',
    retryable: true,
    retryAfterMs: 1_000,
    cause,
  })
}
