/**
 * A form as `multipart/form-data` (RFC 7578), encoded while it is sent: pictures are read from where they lie,
 * one after the other, so that ten large edits at once do not fill the memory. Its length is known beforehand,
 * and a picture that turns out longer or shorter breaks the request instead of becoming another one.
 */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

/** A text field, or a file of exactly `sizeBytes` bytes that is opened when its turn comes, and once. */
export type FormPart =
  | { name: string; value: string }
  | { name: string; filename: string; contentType: string; sizeBytes: number; stream(): Readable }

export interface FormBody {
  /** The value of `Content-Type`, boundary included. */
  readonly contentType: string
  /** The value of `Content-Length`. */
  readonly sizeBytes: number
  /** The encoded bytes. Destroying it closes the file it is reading; it fails with a `FormSourceError` only. */
  readonly stream: Readable
  /** Has a byte left for the network? The first ones wait until the first file has given some. */
  readonly isBegun: boolean
}

/** A file that could not be read, or is not as long as it said. The message is safe for a log. */
export class FormSourceError extends Error {
  override name = 'FormSourceError'
}

const lineBreak = Buffer.from('\r\n')

/**
 * Encodes the parts in their order. Throws `TypeError` for a name, filename or media type that could end its
 * header: those are Gesso's own words, never a stranger's. Values may hold anything.
 */
export function encodeForm(parts: readonly FormPart[]): FormBody {
  // Unguessable, so that no prompt and no picture can hold it.
  const boundary = `gesso-${randomBytes(24).toString('hex')}`
  const pieces = parts.map((part) => ({ part, head: partHead(part, boundary) }))
  const closing = Buffer.from(`--${boundary}--\r\n`)
  let isBegun = false
  let source: Readable | undefined

  async function* bytes(): AsyncGenerator<Buffer> {
    for (const { part, head } of pieces) {
      if ('value' in part) yield Buffer.concat([head, Buffer.from(part.value), lineBreak])
      else {
        source = openFile(part)
        yield* fileBytes(part, head, source)
      }
    }
    yield closing
  }

  const chunks = bytes()
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
  // Whoever sends the form hears of its failure; nobody else has to, above all not the process.
  stream.on('error', () => {})

  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    sizeBytes: pieces.reduce(
      (sum, { part, head }) => sum + head.length + contentBytes(part) + lineBreak.length,
      closing.length,
    ),
    stream,
    get isBegun() {
      return isBegun
    },
  }
}

type FilePart = Extract<FormPart, { filename: string }>

function openFile(part: FilePart): Readable {
  try {
    return part.stream()
  } catch (error) {
    throw unreadable(part, error)
  }
}

/** The file with its head, which goes out together with the first bytes and not before they are there. */
async function* fileBytes(part: FilePart, head: Buffer, source: Readable): AsyncGenerator<Buffer> {
  let opening = head
  let readBytes = 0
  const chunks = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  while (true) {
    const next = await chunks.next().catch((error: unknown) => {
      throw unreadable(part, error)
    })
    if (next.done) break
    readBytes += next.value.length
    if (readBytes > part.sizeBytes) {
      source.destroy()
      throw new FormSourceError(`part "${part.name}" holds more than its ${part.sizeBytes} bytes`)
    }
    if (opening.length > 0) yield opening
    opening = Buffer.alloc(0)
    yield next.value
  }
  if (readBytes < part.sizeBytes) {
    throw new FormSourceError(`part "${part.name}" ended after ${readBytes} of its ${part.sizeBytes} bytes`)
  }
  yield Buffer.concat([opening, lineBreak])
}

/** Only the code: messages of the file system hold paths. */
function unreadable(part: FormPart, error: unknown): FormSourceError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  return new FormSourceError(`part "${part.name}" could not be read: ${code}`)
}

function partHead(part: FormPart, boundary: string): Buffer {
  let disposition = `form-data; name="${checked(part.name, /^\w{1,100}(\[\])?$/)}"`
  let type = ''
  if ('filename' in part) {
    disposition += `; filename="${checked(part.filename, /^[\w-]{1,100}(\.\w{1,10})?$/)}"`
    type = `\r\nContent-Type: ${checked(part.contentType, /^[\w-]{1,50}\/[\w.+-]{1,50}$/)}`
  }
  return Buffer.from(`--${boundary}\r\nContent-Disposition: ${disposition}${type}\r\n\r\n`)
}

function checked(word: string, form: RegExp): string {
  if (!form.test(word)) throw new TypeError(`${JSON.stringify(word)} cannot stand in the header of a part`)
  return word
}

function contentBytes(part: FormPart): number {
  return 'value' in part ? Buffer.byteLength(part.value) : part.sizeBytes
}
