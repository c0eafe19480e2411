/**
 * One request and its answer on a connection: the place that knows when a request was written, counts what
 * comes back and gives up in time. It works on undici's dispatch protocol, not on streams, because only there
 * "connecting" and "written" are told apart, and an answer of many megabytes goes to its reader uncopied.
 */
import type { Agent, Dispatcher } from 'undici'
import { type AnswerBody, createErrorBody, createPictureBody, createWatchedBody } from './http-body.ts'
import {
  abandoned,
  disconnected,
  type Progress,
  sourceFailed,
  timedOut,
  unsendable,
  unusable,
} from './http-failure.ts'
import type { ProviderError } from './provider-error.ts'
import type { ServerEvent } from './server-event.ts'
import { BodySourceError, type StreamedBody } from './streamed-body.ts'

export interface AnswerHeaders {
  get(name: string): string | undefined
}

export interface Outgoing {
  title: string
  method: 'GET' | 'POST' | 'PUT'
  url: string
  headers: Readonly<Record<string, string>>
  /** A streamed body is read from its beginning to where the exchange ends, and then closed in any case. */
  body: string | StreamedBody | undefined
  timeoutMs: number
  maxResponseBytes: number
  signal?: AbortSignal
  /** Takes the events of an answer that is an event stream, as they come. */
  onEvent?(event: ServerEvent): void
  /** Have the events said all that matters? */
  hasAll?(): boolean
  /** Makes a text of the other side safe for a log. */
  quote(text: string): string
}

export interface Received {
  status: number
  headers: AnswerHeaders
  json: unknown
  /** The first characters of the body, unsafe to show. */
  opening: string
}

/** How long an answer that has said everything may take to end by itself, so that its connection can be used again. */
const lingerMs = 1_000

/**
 * Sends once and waits for the whole answer. Throws `ProviderError`; a status of 300 or more is an answer,
 * even when its body is cut.
 */
export function exchange(agent: Agent, outgoing: Outgoing): Promise<Received> {
  return new Promise((resolve, reject) => {
    const { title, signal, timeoutMs } = outgoing
    const streamed = typeof outgoing.body === 'object' ? outgoing.body : undefined
    let controller: Dispatcher.DispatchController | undefined
    let answer: Answer | undefined
    let settled = false
    let linger: NodeJS.Timeout | undefined

    const settle = () => {
      settled = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      // Not at once: undici must first see by itself that it may not use the connection again.
      if (streamed) setImmediate(() => streamed.stream.destroy())
    }
    const progressSoFar = (): Progress => {
      // Asking (GET) costs nothing however far it got.
      if (outgoing.method === 'GET' || !controller) return 'unsent'
      if (answer) return 'answered'
      // The request line waits for the first bytes of the body.
      return streamed && !streamed.isBegun ? 'unsent' : 'sent'
    }
    const succeed = (whole: Answer) => {
      settle()
      resolve(whole.received())
    }
    /** An error status says all there is to say, so it stands even if its body is cut. */
    const fail = (failure: (progress: Progress) => ProviderError) => {
      if (settled) return
      if (answer && answer.status >= 300) succeed(answer)
      else {
        settle()
        reject(failure(progressSoFar()))
      }
      controller?.abort(new Error('given up'))
    }
    const giveUp = () => fail((progress) => abandoned({ title, progress, detail: 'aborted by the caller' }))
    const timer = setTimeout(
      () =>
        fail((progress) => timedOut({ title, progress, detail: `no complete answer after ${timeoutMs} ms` })),
      timeoutMs,
    )
    if (signal?.aborted) return giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })

    dispatch(agent, outgoing, {
      onRequestStart(started) {
        // Called just before the first byte is written: the last moment at which giving up is free.
        if (settled) started.abort(new Error('given up'))
        else controller = started
      },
      onResponseStart(_, status, headers) {
        if (settled || status < 200) return
        answer = openAnswer(outgoing, status, headers)
        if (answer.refusal) fail(() => answer?.refusal as ProviderError)
      },
      onResponseData(_, chunk) {
        if (settled || !answer) return
        const verdict = answer.body.write(chunk)
        if (verdict === 'too large') fail(() => unusable(title, 'sent an answer that is too large'))
        else if (verdict === 'enough') {
          succeed(answer)
          controller?.abort(new Error('given up'))
        } else if (verdict === 'complete') {
          succeed(answer)
          linger = setTimeout(() => controller?.abort(new Error('given up')), lingerMs).unref()
        }
      },
      onResponseEnd() {
        clearTimeout(linger)
        if (!settled && answer) succeed(answer)
      },
      onResponseError(_, error) {
        clearTimeout(linger)
        if (error instanceof BodySourceError) {
          return fail((progress) => sourceFailed({ title, progress, detail: error.message }))
        }
        const code = 'code' in error ? String(error.code) : error.name
        const detail = outgoing.quote(`${code}: ${error.message}`)
        fail((progress) =>
          code === 'UND_ERR_INVALID_ARG' && progress === 'unsent'
            ? unsendable(title, detail)
            : disconnected({ title, progress, detail }),
        )
      },
    })
  })
}

interface Answer {
  status: number
  body: AnswerBody
  /** Why the answer cannot be taken, known from its headers. */
  refusal: ProviderError | undefined
  received(): Received
}

function openAnswer(outgoing: Outgoing, status: number, raw: Dispatcher.ResponseData['headers']): Answer {
  const headers: AnswerHeaders = {
    get: (name) => {
      const value = raw[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    },
  }
  const { title, maxResponseBytes } = outgoing
  const declaredBytes = Number(headers.get('content-length') ?? 0)
  const { onEvent, hasAll } = outgoing
  let body = createErrorBody()
  if (status < 300 && onEvent) body = createWatchedBody({ maxResponseBytes, declaredBytes, onEvent, hasAll })
  else if (status < 300) body = createPictureBody({ maxResponseBytes, declaredBytes })
  const encoding = headers.get('content-encoding') ?? 'identity'
  let refusal: ProviderError | undefined
  if (status < 300 && encoding !== 'identity') refusal = unusable(title, 'sent a compressed answer, unasked')
  else if (status < 300 && declaredBytes > maxResponseBytes)
    refusal = unusable(title, 'sent an answer that is too large')
  return {
    status,
    body,
    refusal,
    received: () => ({ status, headers, json: body.json(), opening: body.opening() }),
  }
}

/** undici reports most bad arguments to the handler, and throws for some. */
function dispatch(
  agent: Agent,
  outgoing: Outgoing,
  handler: Required<Pick<Dispatcher.DispatchHandler, 'onResponseError'>> & Dispatcher.DispatchHandler,
) {
  try {
    const { origin, pathname, search } = new URL(outgoing.url)
    const { method, headers } = outgoing
    const body = typeof outgoing.body === 'object' ? outgoing.body.stream : outgoing.body
    agent.dispatch({ origin, path: `${pathname}${search}`, method, headers, body }, handler)
  } catch (error) {
    const failure = new Error(error instanceof Error ? error.name : 'unknown')
    handler.onResponseError(undefined as never, Object.assign(failure, { code: 'UND_ERR_INVALID_ARG' }))
  }
}
