/**
 * Writes JSON that holds pictures as base64 without ever building that text: the bytes are encoded piece by piece
 * as the client reads, and the length is known beforehand.
 */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

/** Bytes that stand as a base64 string in the JSON. */
export class Base64 {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

/** A multiple of three, so that pieces join without padding between them. */
const pieceBytes = 48 * 1024

export interface JsonStream {
  stream: Readable
  contentLength: number
}

/** The JSON of a value as a stream; `Base64` leaves are encoded on the way out. */
export function streamJson(value: unknown): JsonStream {
  const { parts, blobs } = partJson(value)
  const contentLength =
    parts.reduce((sum, part) => sum + part.length, 0) +
    blobs.reduce((sum, blob) => sum + Math.ceil(blob.length / 3) * 4, 0)
  return { stream: Readable.from(pieces(parts, blobs), { objectMode: false }), contentLength }
}

/** The JSON of a value in pieces, one line; `Base64` leaves are encoded as they are taken. */
export function jsonPieces(value: unknown): Generator<Buffer> {
  const { parts, blobs } = partJson(value)
  return pieces(parts, blobs)
}

/** The text around the pictures, and the pictures. */
function partJson(value: unknown): { parts: Buffer[]; blobs: Buffer[] } {
  const blobs: Buffer[] = []
  const mark = randomBytes(16).toString('hex')
  const text = JSON.stringify(value, (_key, leaf) => {
    if (!(leaf instanceof Base64)) return leaf
    blobs.push(leaf.bytes)
    return mark
  })
  return { parts: text.split(mark).map((part) => Buffer.from(part)), blobs }
}

function* pieces(parts: readonly Buffer[], blobs: readonly Buffer[]): Generator<Buffer> {
  for (const [index, part] of parts.entries()) {
    yield part
    const blob = blobs[index]
    if (!blob) continue
    for (let at = 0; at < blob.length; at += pieceBytes) {
      yield Buffer.from(blob.subarray(at, at + pieceBytes).toString('base64'), 'latin1')
    }
  }
}
