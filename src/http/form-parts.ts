/**
 * Cuts a `multipart/form-data` body into its parts while it arrives. The parser works on each chunk at once, so that
 * what it found is taken out before the next chunk is read: nothing runs beside the reading, and nothing piles up.
 */
import { Dicer } from '@fastify/busboy'
import { badRequest } from '../lib/errors.ts'
import { maxPartHeaderBytes, type RawPartHeaders, tooManyHeaders } from './part-headers.ts'

/** What was found, in order: where a part begins, its bytes, and where it ends. */
export type PartEvent = { begin: RawPartHeaders } | { bytes: Buffer } | 'end'

interface Part {
  stream: Dicer.PartStream
  headers: RawPartHeaders | undefined
  hasBegun: boolean
}

/** Nobody writes as much before the first part; it is the wrong boundary then. */
const maxPreambleBytes = 64 * 1024
/** RFC 2046, section 5.1.1: one to seventy characters. */
const boundaryParameter =
  /;\s*boundary\s*=\s*(?:"([\w'()+,./:=? -]{1,70})"|([\w'()+./:=?-]{1,70}))\s*(?:;|$)/i

/** The text between parts, as the Content-Type header says it. Throws a 400. */
export function boundaryOf(contentType: string): string {
  const [, quoted, token] = boundaryParameter.exec(contentType) ?? []
  const boundary = quoted ?? token
  if (boundary === undefined) {
    throw badRequest(
      'Content-Type',
      'The header Content-Type: multipart/form-data names no boundary, or none that is allowed; let your HTTP client set it.',
    )
  }
  return boundary
}

/** Reads to the end of the chunks. Throws a 400 where they are no whole form. */
export async function* formParts(chunks: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<PartEvent> {
  const config = { boundary, maxHeaderPairs: 100, maxHeaderSize: 2 * maxPartHeaderBytes, partHwm: 2 ** 30 }
  const dicer = new Dicer(config)
  const parts: Part[] = []
  let failure: Error | undefined
  const ended = new Promise<void>((resolve) => {
    dicer.on('finish', resolve)
    dicer.on('error', (error) => {
      failure = error
      resolve()
    })
  })
  dicer.on('part', (stream) => {
    const part: Part = { stream, headers: undefined, hasBegun: false }
    parts.push(part)
    stream.on('header', (headers) => {
      part.headers = headers as RawPartHeaders
    })
    // The parser says the same itself.
    stream.on('error', () => undefined)
  })

  let sizeBytes = 0
  let hasParts = false
  let headerBytes = 0
  for await (const chunk of chunks) {
    await write(dicer, chunk)
    sizeBytes += chunk.length
    hasParts ||= parts.length > 0
    if (!hasParts && sizeBytes > maxPreambleBytes) throw noParts()
    yield* found(parts, false)
    headerBytes = parts.length > 0 && !parts[0]?.hasBegun ? headerBytes + chunk.length : 0
    // One chunk may hold much else before the headers begin.
    if (headerBytes > chunk.length + maxPartHeaderBytes) throw tooManyHeaders()
  }
  dicer.end()
  await ended
  if (!hasParts) throw noParts()
  if (failure) {
    throw badRequest(null, 'The form ends early: the boundary that closes it is missing.')
  }
  yield* found(parts, true)
}

/** Takes out what the parser found. Only the last part may still go on. */
function* found(parts: Part[], isWhole: boolean): Generator<PartEvent> {
  for (let part = parts[0]; part; part = parts[0]) {
    const isComplete = isWhole || parts.length > 1
    if (!part.hasBegun && part.headers) {
      part.hasBegun = true
      yield { begin: part.headers }
    }
    for (let bytes = part.stream.read(); bytes !== null; bytes = part.stream.read()) yield { bytes }
    if (!isComplete) return
    if (!part.hasBegun) {
      throw badRequest(null, 'A part of the form has no empty line after its headers.')
    }
    parts.shift()
    yield 'end'
  }
}

function write(dicer: Dicer, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    dicer.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

function noParts() {
  return badRequest(
    null,
    'The form has no parts: none begins with the boundary that the Content-Type header names, after CRLF.',
  )
}
