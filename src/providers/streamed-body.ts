/**
 * A request body that is read from where its pictures lie while it is sent, one after the other, so that ten large
 * edits at once do not fill the memory. Its length is known beforehand, and a picture that turns out longer or shorter
 * breaks the request instead of becoming another one.
 */
import { Readable } from 'node:stream'

export interface StreamedBody {
  /** The value of `Content-Type`. */
  readonly contentType: string
  /** The value of `Content-Length`. */
  readonly sizeBytes: number
  /** The encoded bytes. Destroying it closes the file it is reading; it fails with a `BodySourceError` only. */
  readonly stream: Readable
  /** Has a byte left for the network? The first ones wait until the first file has given some. */
  readonly isBegun: boolean
}

/** A file that could not be read, or is not as long as it said. The message is safe for a log. */
export class BodySourceError extends Error {
  override name = 'BodySourceError'
}

/** A file of exactly `sizeBytes` bytes that is opened when its turn comes, and once. */
export interface BodyFile {
  /** For messages: the part's name, never a stranger's. */
  name: string
  sizeBytes: number
  stream(): Readable
}

/** Gives the bytes of a file, checked against its size. At most one is open at a time. */
export type ReadFile = (file: BodyFile) => AsyncGenerator<Buffer>

/** A body whose bytes `write` yields. */
export function streamBody(
  head: { contentType: string; sizeBytes: number },
  write: (read: ReadFile) => AsyncGenerator<Buffer>,
): StreamedBody {
  let isBegun = false
  let source: Readable | undefined
  const chunks = write((file) => {
    // Given up between two files: nobody would close this one.
    if (stream.destroyed) throw new BodySourceError('the body was given up')
    source = openFile(file)
    return fileBytes(file, source)
  })
  const stream = new Readable({
    read() {
      chunks.next().then(
        ({ value }) => {
          if (stream.destroyed) return
          isBegun = true
          stream.push(value ?? null)
        },
        (error: Error) => stream.destroy(error),
      )
    },
    destroy(error, callback) {
      source?.destroy()
      callback(error)
    },
  })
  // Whoever sends the body hears of its failure; nobody else has to, above all not the process.
  stream.on('error', () => {})
  return {
    ...head,
    stream,
    get isBegun() {
      return isBegun
    },
  }
}

function openFile(file: BodyFile): Readable {
  try {
    return file.stream()
  } catch (error) {
    throw unreadable(file, error)
  }
}

async function* fileBytes(file: BodyFile, source: Readable): AsyncGenerator<Buffer> {
  let readBytes = 0
  const chunks = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  while (true) {
    const next = await chunks.next().catch((error: unknown) => {
      throw unreadable(file, error)
    })
    if (next.done) break
    readBytes += next.value.length
    if (readBytes > file.sizeBytes) {
      source.destroy()
      throw new BodySourceError(`part "${file.name}" holds more than its ${file.sizeBytes} bytes`)
    }
    yield next.value
  }
  if (readBytes < file.sizeBytes) {
    throw new BodySourceError(`part "${file.name}" ended after ${readBytes} of its ${file.sizeBytes} bytes`)
  }
}

/** Only the code: messages of the file system hold paths. */
function unreadable(file: BodyFile, error: unknown): BodySourceError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  return new BodySourceError(`part "${file.name}" could not be read: ${code}`)
}
