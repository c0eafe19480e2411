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

/** Opens a stream; it costs nothing until something is sent. */
export function openEventStream({ commentEveryMs, buffer, patienceMs }: EventStreamOptions): EventStream {
  const waiting: Waiting[] = []
  const begun = Promise.withResolvers<void>()
  let wake = Promise.withResolvers<void>()
  let comments = 0
  let ended = false
  let hasBegun = false
  let patience: NodeJS.Timeout | undefined

  const changed = () => {
    hasBegun = true
    begun.resolve()
    wake.resolve()
    wake = Promise.withResolvers<void>()
    ticker.refresh()
  }
  const drop = (index: number) => {
    const [gone] = waiting.splice(index, 1)
    if (gone?.isOptional) buffer.release(gone.sizeBytes)
  }
  const ticker = setInterval(() => {
    // One that was not read yet says all that another would say.
    if (ended || comments > 0 || waiting.length > 0) return
    comments += 1
    changed()
  }, commentEveryMs)

  async function* pieces(): AsyncGenerator<Buffer> {
    while (true) {
      const next = waiting[0]
      if (next) {
        drop(0)
        yield Buffer.from(`event: ${next.event}\ndata: `)
        yield* jsonPieces(next.json)
        yield Buffer.from('\n\n')
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
    while (waiting.length > 0) drop(0)
    wake.resolve()
  })

  return {
    begun: begun.promise,
    get hasBegun() {
      return hasBegun
    },
    stream,
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
        drop(oldest)
      }
      waiting.push({ event, json, sizeBytes, isOptional: true })
      changed()
    },
    end() {
      if (ended) return
      ended = true
      clearInterval(ticker)
      const bytes = waiting.reduce((sum, one) => sum + one.sizeBytes, 0)
      patience = setTimeout(() => stream.destroy(), patienceMs(bytes)).unref()
      changed()
    },
  }
}
