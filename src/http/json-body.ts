/**
 * Reads a JSON body while it arrives: long base64 goes to the spool and stands in the value as a spooled file, the
 * rest is held in memory within the bounds of `parse-json.ts`. Nothing is dropped silently: a long string that is not
 * what it began as is an error that names its field.
 */
import type { Spool } from '../inputs/spool.ts'
import { Base64JsonReader, BrokenBase64Error, BrokenJsonError } from '../lib/base64-json.ts'
import type { GessoError } from '../lib/errors.ts'
import type { BodyShare } from './body-budget.ts'
import { fieldAtEnd } from './json-field.ts'
import { excessOf, invalidJson, maxParsedBytes, parseJson } from './parse-json.ts'
import { brokenBase64, imageTooLarge } from './picture-refusals.ts'
import { ImageTooLargeError, SpooledBase64 } from './spooled-base64.ts'
import type { Uploads } from './uploads.ts'

/** Strings from this length on are decoded where they are base64; shorter ones stay text. */
const spooledFromBytes = 1024 * 1024

export interface JsonBodyOptions {
  spool: Spool
  maxImageBytes: number
  uploads: Uploads
  share: BodyShare
}

/** Reads to the end of the chunks and answers one JSON object. Throws 400, 413 and `queue_full`. */
export async function readJsonBody(chunks: AsyncIterable<Buffer>, options: JsonBodyOptions): Promise<object> {
  const { spool, maxImageBytes, uploads, share } = options
  await using sink = new SpooledBase64(spool, maxImageBytes, (file) => uploads.add(file))
  const newReader = () =>
    new Base64JsonReader({
      sink,
      thresholdBytes: spooledFromBytes,
      maxRestBytes: Number.POSITIVE_INFINITY,
      maxStringBytes: Number.POSITIVE_INFINITY,
      strict: true,
      parse: parseJson,
    })
  let reader = newReader()
  let excess: GessoError | undefined
  for await (const chunk of chunks) {
    // What is too much for the parser is only counted from there on: it may yet be too large altogether.
    if (excess) continue
    try {
      reader.write(chunk)
      await sink.flush()
    } catch (error) {
      throw inWords(error, fieldAtEnd(reader.rest), maxImageBytes)
    }
    share.hold(reader.rest.length)
    if (reader.rest.length <= maxParsedBytes) continue
    excess = excessOf(reader.rest) ?? invalidJson()
    reader = newReader()
    share.hold(0)
  }
  if (excess) throw excess
  try {
    return reader.end() as object
  } catch (error) {
    throw inWords(error, null, maxImageBytes)
  }
}

function inWords(error: unknown, field: string | null, maxImageBytes: number): unknown {
  if (error instanceof BrokenJsonError) return invalidJson()
  if (error instanceof BrokenBase64Error) return brokenBase64(field)
  if (error instanceof ImageTooLargeError) return imageTooLarge(field, maxImageBytes)
  return error
}
