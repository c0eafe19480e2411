/**
 * What a fake vendor remembers of a picture that reached it: enough to prove which bytes arrived, and a small
 * likeness to draw from. The bytes themselves lie in a temporary file while they arrive, and nowhere after that.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'

/** What the sender said of the file. */
export interface SaidOfFile {
  filename?: string
  mediaType?: string
}

/** What its first bytes say; nothing where they are no picture. */
interface Sniffed {
  format?: string
  width?: number
  height?: number
  hasAlpha?: boolean
}

export class RecordedFile {
  readonly filename: string | undefined
  readonly mediaType: string | undefined
  readonly sizeBytes: number
  /** In hex. */
  readonly sha256: string
  /** `png`, `jpeg`, `webp`, `heif` (AVIF), …; `undefined` where it is no picture. */
  readonly format: string | undefined
  readonly width: number | undefined
  readonly height: number | undefined
  readonly hasAlpha: boolean | undefined
  readonly #likeness: Buffer | undefined

  constructor(
    known: SaidOfFile & Sniffed & { sizeBytes: number; sha256: string; likeness: Buffer | undefined },
  ) {
    this.filename = known.filename
    this.mediaType = known.mediaType
    this.sizeBytes = known.sizeBytes
    this.sha256 = known.sha256
    this.format = known.format
    this.width = known.width
    this.height = known.height
    this.hasAlpha = known.hasAlpha
    this.#likeness = known.likeness
  }

  /** The picture as a PNG of at most 256 pixels, if it could be read to its end. */
  likeness(): Buffer | undefined {
    return this.#likeness
  }
}

/** Takes the stream to its end. Rejects when it breaks or `signal` says that nobody waits any more. */
export async function recordFile(
  stream: Readable,
  said: SaidOfFile,
  signal?: AbortSignal,
): Promise<RecordedFile> {
  const path = join(tmpdir(), `gesso-fake-upstream-${randomUUID()}`)
  const hash = createHash('sha256')
  let sizeBytes = 0
  const measure = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      sizeBytes += chunk.length
      yield chunk
    }
  }
  try {
    await pipeline(stream, measure, createWriteStream(path), { signal })
    const picture = sharp(path, { sequentialRead: true })
    const { format, width, height, hasAlpha } = await picture.metadata().catch((): Sniffed => ({}))
    const small = { width: 256, height: 256, fit: 'inside', withoutEnlargement: true } as const
    const likeness = await picture
      .resize(small)
      .png()
      .toBuffer()
      .catch(() => undefined)
    const sha256 = hash.digest('hex')
    return new RecordedFile({ ...said, sizeBytes, sha256, format, width, height, hasAlpha, likeness })
  } finally {
    await rm(path, { force: true })
  }
}
