/**
 * What becomes of an answer's bytes while they arrive: pictures are decoded on the fly under a size limit;
 * error bodies are short, and their excess is not worth waiting for.
 */
import { StringDecoder } from 'node:string_decoder'
import { createParser } from 'eventsource-parser'
import { Base64JsonReader } from '../lib/base64-json.ts'
import type { ServerEvent } from './server-event.ts'

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

/** A successful answer that is an event stream: every event is handed on when it is whole, and none is kept. */
export function createEventBody(options: {
  maxResponseBytes: number
  onEvent(event: ServerEvent): void
}): AnswerBody {
  const decoder = new StringDecoder('utf8')
  const parser = createParser({
    onEvent: ({ event = 'message', data }) => options.onEvent({ event, json: readEventData(data) }),
  })
  let opening = ''
  let received = 0
  return {
    write(chunk) {
      received += chunk.length
      if (received > options.maxResponseBytes) return 'too large'
      const text = decoder.write(chunk)
      if (opening.length < openingBytes) opening = (opening + text).slice(0, openingBytes)
      parser.feed(text)
      return 'more'
    },
    json: () => undefined,
    opening: () => opening,
  }
}

/** The JSON of an event with its pictures decoded; `undefined` for what is none, such as `[DONE]`. */
function readEventData(data: string): unknown {
  try {
    const reader = new Base64JsonReader({ expectedBytes: data.length })
    reader.write(Buffer.from(data))
    return reader.end()
  } catch {
    return undefined
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
