/**
 * What becomes of an answer's bytes while they arrive: pictures are decoded on the fly under a size limit;
 * error bodies are short, and their excess is not worth waiting for.
 */
import { Base64JsonReader } from '../lib/base64-json.ts'

export interface AnswerBody {
  /** Takes the next bytes. `enough` means that no further byte can change what is known. */
  write(chunk: Buffer): 'more' | 'enough' | 'too large'
  /** The parsed value, or `undefined` where the bytes are not one complete JSON value. */
  json(): unknown
  /** The first characters of the body. */
  opening(): string
}

const openingBytes = 2_000
const errorBodyBytes = 64 * 1024

/** A successful answer. `declaredBytes` is its Content-Length, 0 when it has none. */
export function createPictureBody(limits: { maxResponseBytes: number; declaredBytes: number }): AnswerBody {
  const reader = new Base64JsonReader({
    expectedBytes: Math.min(limits.declaredBytes, limits.maxResponseBytes),
  })
  let opening = Buffer.alloc(0)
  let received = 0
  let readable = true
  return {
    write(chunk) {
      received += chunk.length
      if (received > limits.maxResponseBytes) {
        readable = false
        reader.discard()
        return 'too large'
      }
      if (opening.length < openingBytes) opening = Buffer.concat([opening, chunk.subarray(0, openingBytes)])
      try {
        reader.write(chunk)
        return 'more'
      } catch {
        readable = false
        return 'enough'
      }
    },
    json() {
      try {
        return readable ? reader.end() : undefined
      } catch {
        return undefined
      }
    },
    opening: () => opening.toString('utf8', 0, openingBytes),
  }
}

/** The answer to a call that failed: at most 64 KiB of it are kept. */
export function createErrorBody(): AnswerBody {
  const chunks: Buffer[] = []
  let received = 0
  const text = () => Buffer.concat(chunks).toString('utf8', 0, errorBodyBytes)
  return {
    write(chunk) {
      chunks.push(chunk)
      received += chunk.length
      return received < errorBodyBytes ? 'more' : 'enough'
    },
    json() {
      try {
        return JSON.parse(text())
      } catch {
        return undefined
      }
    },
    opening: () => text().slice(0, openingBytes),
  }
}
