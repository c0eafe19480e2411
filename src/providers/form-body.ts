/** A form as `multipart/form-data` (RFC 7578), encoded while it is sent. */
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { type ReadFile, type StreamedBody, streamBody } from './streamed-body.ts'

/** A text field, or a file of exactly `sizeBytes` bytes that is opened when its turn comes, and once. */
export type FormPart =
  | { name: string; value: string }
  | { name: string; filename: string; contentType: string; sizeBytes: number; stream(): Readable }

const lineBreak = Buffer.from('\r\n')

/**
 * Encodes the parts in their order. Throws `TypeError` for a name, filename or media type that could end its
 * header: those are Gesso's own words, never a stranger's. Values may hold anything.
 */
export function encodeForm(parts: readonly FormPart[]): StreamedBody {
  // Unguessable, so that no prompt and no picture can hold it.
  const boundary = `gesso-${randomBytes(24).toString('hex')}`
  const pieces = parts.map((part) => ({ part, head: partHead(part, boundary) }))
  const closing = Buffer.from(`--${boundary}--\r\n`)
  const sizeBytes = pieces.reduce(
    (sum, { part, head }) => sum + head.length + contentBytes(part) + lineBreak.length,
    closing.length,
  )
  const contentType = `multipart/form-data; boundary=${boundary}`
  return streamBody({ contentType, sizeBytes }, async function* (read) {
    for (const { part, head } of pieces) {
      if ('value' in part) yield Buffer.concat([head, Buffer.from(part.value), lineBreak])
      else yield* filePart(part, head, read)
    }
    yield closing
  })
}

/** The file with its head, which goes out together with the first bytes and not before they are there. */
async function* filePart(
  part: Extract<FormPart, { filename: string }>,
  head: Buffer,
  read: ReadFile,
): AsyncGenerator<Buffer> {
  let opening = head
  for await (const chunk of read(part)) {
    if (opening.length > 0) yield opening
    opening = Buffer.alloc(0)
    yield chunk
  }
  yield Buffer.concat([opening, lineBreak])
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
