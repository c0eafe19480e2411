/**
 * Where the pictures in a JSON body go: decoded to the spool while the body arrives. The reader of JSON hands over
 * text without waiting, so that what it decoded waits here until `flush`, which waits for the disk; never more than
 * one chunk of the body.
 */
import type { Spool, SpooledFile, SpoolWriter } from '../inputs/spool.ts'
import type { Base64Sink } from '../lib/base64-arena.ts'
import { Base64Groups } from '../lib/base64-groups.ts'

/** A picture that is larger than one may be. */
export class ImageTooLargeError extends Error {
  override name = 'ImageTooLargeError'
}

/** The files are the `onFile` callback's; disposing removes those that were not finished. */
export class SpooledBase64 implements Base64Sink, AsyncDisposable {
  readonly #spool: Spool
  readonly #maxFileBytes: number
  readonly #onFile: (file: SpooledFile) => Promise<void>
  readonly #groups = new Base64Groups((digits, sizeBytes) => this.#decode(digits, sizeBytes))
  readonly #writers = new AsyncDisposableStack()
  readonly #files: SpooledFile[] = []
  #waiting: (() => Promise<void>)[] = []
  #writer: SpoolWriter | undefined
  #sizeBytes = 0

  constructor(spool: Spool, maxFileBytes: number, onFile: (file: SpooledFile) => Promise<void>) {
    this.#spool = spool
    this.#maxFileBytes = maxFileBytes
    this.#onFile = onFile
  }

  begin(): void {
    this.#groups.begin()
    this.#writer = this.#writers.use(this.#spool.open())
    this.#sizeBytes = 0
  }

  /** Throws `ImageTooLargeError`. */
  write(text: string): boolean {
    return this.#groups.write(text)
  }

  finish(): boolean {
    if (!this.#groups.end({ exactPadding: true })) return false
    const writer = this.#writer
    this.#waiting.push(async () => {
      const file = await writer?.finish()
      if (!file) return
      this.#files.push(file)
      await this.#onFile(file)
    })
    return true
  }

  skip(): void {
    throw new Error('a picture of a request is never skipped')
  }

  values(): readonly SpooledFile[] {
    return this.#files
  }

  discard(): void {
    this.#waiting = []
  }

  /** Writes what was decoded since the last time. Throws what the spool throws. */
  async flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (const step of waiting) await step()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.discard()
    await this.#writers[Symbol.asyncDispose]()
  }

  #decode(digits: string, sizeBytes: number): boolean {
    const bytes = Buffer.from(digits, 'base64')
    if (bytes.length !== sizeBytes) return false
    this.#sizeBytes += sizeBytes
    if (this.#sizeBytes > this.#maxFileBytes) throw new ImageTooLargeError()
    const writer = this.#writer
    this.#waiting.push(async () => writer?.write(bytes))
    return true
  }
}
