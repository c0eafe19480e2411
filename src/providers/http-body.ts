/**
 * What becomes of an answer's bytes while they arrive: pictures are decoded on the fly under a size limit;
 * error bodies are short, and their excess is not worth waiting for.
 */
import { StringDecoder } from 'node:string_decoder'
import { createParser } from 'eventsource-parser'
import { Base64JsonReader } from '../lib/base64-json.ts'
import type { ServerEvent } from './server-event.ts'

export interface AnswerBody {
  /**
   * Takes the next bytes. `enough` means that no further byte can change what is known, `complete` that it is moreover
   * all that was hoped for, so that the answer is about to end by itself.
   */
  write(chunk: Buffer): 'more' | 'enough' | 'complete' | 'too large'
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

export interface EventBodyOptions {
  maxResponseBytes: number
  onEvent(event: ServerEvent): void
  /** Can no further event change anything? */
  hasAll?(): boolean
}

/** What is around the first character: white space, and the mark of byte order. */
const lead = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf])
const [brace, bracket] = [0x7b, 0x5b]

/**
 * A successful answer to a call that can take events. Servers give both kinds the other's content type, so the first
 * character decides which it is: no line of an event stream that means anything begins like JSON.
 */
export function createWatchedBody(options: EventBodyOptions & { declaredBytes: number }): AnswerBody {
  let body: AnswerBody | undefined
  return {
    write(chunk) {
      const first = chunk.find((byte) => !lead.has(byte))
      if (!body && first === undefined) return 'more'
      body ??= first === brace || first === bracket ? createPictureBody(options) : createEventBody(options)
      return body.write(chunk)
    },
    json: () => body?.json(),
    opening: () => body?.opening() ?? '',
  }
}

/** The stages of a picture and the picture itself: each may be as large as an answer in one piece. */
const mostRepetitions = 4

/** A successful answer that is an event stream: every event is handed on when it is whole, and none is kept. */
function createEventBody({ maxResponseBytes, onEvent, hasAll }: EventBodyOptions): AnswerBody {
  const decoder = new StringDecoder('utf8')
  let isDone = false
  let opening = ''
  let received = 0
  let receivedOfEvent = 0
  const parser = createParser({
    onEvent: ({ event = 'message', data }) => {
      receivedOfEvent = 0
      isDone ||= data.trim() === '[DONE]'
      onEvent({ event, json: readEventData(data) })
    },
  })
  return {
    write(chunk) {
      received += chunk.length
      receivedOfEvent += chunk.length
      const text = decoder.write(chunk)
      if (opening.length < openingBytes) opening = (opening + text).slice(0, openingBytes)
      parser.feed(text)
      if (isDone || hasAll?.()) return 'complete'
      const isTooLarge = receivedOfEvent > maxResponseBytes || received > mostRepetitions * maxResponseBytes
      return isTooLarge ? 'too large' : 'more'
    },
    json() {
      // The last event may lack the empty line behind it. Where it is not whole, it is no JSON.
      parser.feed(`${decoder.end()}\n\n`)
      return undefined
    },
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
    json: () => parsed(text()) ?? parsed(/^data: ?(\{.*)$/m.exec(text())?.[1]),
    opening: () => text().slice(0, openingBytes),
  }
}

/** Where a stream was asked for, an error may come as an event of one. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
