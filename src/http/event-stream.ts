/**
 * An answer as server-sent events (WHATWG HTML, "Server-sent events"): begun with its first event, kept alive by comments,
 * and read at the client's own pace. What may be left out is left out when the client is too slow for it; what must
 * arrive waits, and its pictures become text only while they are read.
 */
import { Readable } from 'node:stream'
import { jsonPieces } from './stream-json.ts'

export interface EventStreamOptions {
  /** How long nothing is sent before a comment shows that the work goes on. */
  commentEveryMs: number
  /** What all streams of this process may hold of events that can be left out. */
  buffer: EventBuffer
  /** How long the client may take for the rest once everything is said, from the bytes that wait. */
  patienceMs(waitingBytes: number): number
}

/** Bytes of events that can be left out, over all streams. */
export interface EventBuffer {
  /** Answers false where there is no room. */
  take(bytes: number): boolean
  release(bytes: number): void
}

export interface EventStream {
  /** Resolves with the first event or comment: from then on the answer is a stream. Never rejects. */
  readonly begun: Promise<void>
  readonly hasBegun: boolean
  /** The body of the answer. */
  readonly stream: Readable
  /** From now on comments are sent. Not before there is work of which they can say that it goes on. */
  keepAlive(): void
  /** Sends an event. `json` may hold `Base64`. After the client has left it does nothing. */
  send(event: string, json: object, sizeBytes: number): void
  /** The same for an event that may be left out: older ones of the same kind go first. */
  offer(event: string, json: object, sizeBytes: number): void
  /** Nothing more comes. */
  end(): void
}

interface Waiting {
  event: string
  json: object
  sizeBytes: number
  isOptional: boolean
}

/** A buffer of so many bytes. */
export function createEventBuffer(limitBytes: number): EventBuffer {
  let held = 0
  return {
    take(bytes) {
      if (held + bytes > limitBytes) return false
      held += bytes
      return true
    },
    release(bytes) {
      held -= bytes
    },
  }
}

/** Opens a stream; it costs nothing until it is kept alive or something is sent. */
export function openEventStream({ commentEveryMs, buffer, patienceMs }: EventStreamOptions): EventStream {
  const waiting: Waiting[] = []
  const begun = Promise.withResolvers<void>()
  let wake = Promise.withResolvers<void>()
  let comments = 0
  let ended = false
  let hasBegun = false
  let patience: NodeJS.Timeout | undefined
  let ticker: NodeJS.Timeout | undefined
  /** What is being read: not all of it has left yet. */
  let reading: Waiting | undefined

  const changed = () => {
    hasBegun = true
    begun.resolve()
    wake.resolve()
    wake = Promise.withResolvers<void>()
    ticker?.refresh()
  }
  const forget = (gone: Waiting | undefined) => {
    if (gone?.isOptional) buffer.release(gone.sizeBytes)
  }
  const comment = () => {
    // One that was not read yet says all that another would say.
    if (ended || comments > 0 || waiting.length > 0) return
    comments += 1
    changed()
  }

  async function* pieces(): AsyncGenerator<Buffer> {
    while (true) {
      reading = waiting.shift()
      if (reading) {
        yield Buffer.from(`event: ${reading.event}\ndata: `)
        yield* jsonPieces(reading.json)
        yield Buffer.from('\n\n')
        forget(reading)
      } else if (comments > 0) {
        comments = 0
        yield Buffer.from(': the work goes on\n\n')
      } else if (ended) return
      else await wake.promise
    }
  }
  const stream = Readable.from(pieces(), { objectMode: false, highWaterMark: 64 * 1024 })
  stream.once('close', () => {
    clearInterval(ticker)
    clearTimeout(patience)
    ended = true
    forget(reading)
    for (const one of waiting.splice(0)) forget(one)
    wake.resolve()
  })

  return {
    begun: begun.promise,
    get hasBegun() {
      return hasBegun
    },
    stream,
    keepAlive() {
      if (!ended) ticker ??= setInterval(comment, commentEveryMs)
    },
    send(event, json, sizeBytes) {
      if (ended) return
      waiting.push({ event, json, sizeBytes, isOptional: false })
      changed()
    },
    offer(event, json, sizeBytes) {
      if (ended) return
      while (!buffer.take(sizeBytes)) {
        const oldest = waiting.findIndex((one) => one.isOptional)
        if (oldest < 0) return
        forget(waiting.splice(oldest, 1)[0])
      }
      waiting.push({ event, json, sizeBytes, isOptional: true })
      changed()
    },
    end() {
      if (ended) return
      ended = true
      clearInterval(ticker)
      const unread = [...waiting, ...(reading ? [reading] : [])]
      const bytes = unread.reduce((sum, one) => sum + one.sizeBytes, 0)
      patience = setTimeout(() => stream.destroy(), patienceMs(bytes)).unref()
      changed()
    },
  }
}
