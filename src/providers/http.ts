/**
 * HTTP towards the providers' own hosts: bounded in time and size, on connections of its own, deaf to
 * redirects, so that neither a key nor a prompt ever travels on. Foreign hosts (result URLs, input pictures,
 * webhooks) have their own guarded client elsewhere; this one must never be used for them.
 */
import { Agent } from 'undici'
import { excerpt } from './excerpt.ts'
import { encodeForm, type FormPart } from './form-body.ts'
import { createHttpConnector } from './http-connector.ts'
import { type AnswerHeaders, exchange, type Outgoing } from './http-exchange.ts'
import { redirected } from './http-failure.ts'
import { encodeJson } from './json-body.ts'
import type { ServerEvent } from './server-event.ts'
import type { StreamedBody } from './streamed-body.ts'

/** One call to a provider's own host. */
export interface ProviderHttpCall {
  /** The provider's name as people write it, for messages. */
  title: string
  url: string
  /** Credentials go here: values of headers like `authorization` or `x-api-key` never reach an excerpt. */
  headers?: Readonly<Record<string, string>>
  /** From the call to the last byte of the answer. */
  timeoutMs: number
  maxResponseBytes: number
  signal?: AbortSignal
  /** Other texts of the request that must not come back in an excerpt: the prompt and its like. Empty ones are none. */
  withhold?: readonly string[]
  /**
   * Makes it a call for an event stream: told of every event as it comes, and must not throw. An answer that is one has
   * no `json`, whatever it is called; a server that does not stream answers as ever.
   */
  onEvent?(event: ServerEvent): void
  /** Asked after each piece of a stream: where the events have said all that matters, nothing more is waited for. */
  hasAll?(): boolean
}

/** What the provider answered. */
export interface ProviderHttpAnswer {
  /** 200–299 or 400–599: a redirect is an error. */
  status: number
  /** Names match in any case. */
  headers: AnswerHeaders
  /** The body, long base64 values as `Buffer`s; `undefined` when it is not one complete JSON value. */
  json: unknown
  /**
   * Up to 300 characters of `text` (by default the start of the body) that may be logged and shown: without
   * keys, base64 and control characters, and only a remark where it repeats the key or a withheld text.
   * Everything quoted from a provider goes through it.
   */
  excerpt(text?: string): string
}

/**
 * All of them throw `ProviderError`. `dispatched` is `no` when the request was surely not written, `unknown`
 * when it was and no answer came, `yes` when a successful answer began and could not be taken. An abort by the
 * caller is told the same way (`outcome_unknown` once the request is written) and is never retryable.
 */
export interface ProviderHttp extends AsyncDisposable {
  /**
   * Sends `body` as JSON, once: a POST may cost money, so nothing here sends it again. A `PictureText` in it is encoded
   * while it is sent. Without a body nothing but the headers goes out.
   */
  postJson(call: ProviderHttpCall & { body: unknown }): Promise<ProviderHttpAnswer>
  /** The same with PUT. */
  putJson(call: ProviderHttpCall & { body: unknown }): Promise<ProviderHttpAnswer>
  /**
   * Sends `parts` as `multipart/form-data`, once. Files are streamed from their source with an exact length, and
   * closed when the call ends, however it ends. One that cannot be read is `internal_error` (`dispatched` `no`)
   * while nothing was written, `outcome_unknown` after that.
   */
  postForm(call: ProviderHttpCall & { parts: readonly FormPart[] }): Promise<ProviderHttpAnswer>
  /** Asks without a body. A call that fails on the way is always retryable: asking costs nothing. */
  getJson(call: ProviderHttpCall): Promise<ProviderHttpAnswer>
  /** Cuts what is under way and closes the connections. */
  close(): Promise<void>
}

/** Builds the client and its connection pool. `connectTimeoutMs` bounds DNS, TCP and TLS together. */
export function createProviderHttp(options: { connectTimeoutMs?: number } = {}): ProviderHttp {
  // HTTP/1.1 only: there "the request was written" is one clear moment, and money hangs on it. The timeouts
  // of undici are off because one deadline of ours covers the whole exchange.
  const agent = new Agent({
    allowH2: false,
    connect: createHttpConnector({ timeoutMs: options.connectTimeoutMs ?? 10_000 }),
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const close = () => agent.destroy()
  return {
    postJson: ({ body, ...call }) => send(agent, 'POST', call, jsonContent(body)),
    putJson: ({ body, ...call }) => send(agent, 'PUT', call, jsonContent(body)),
    postForm: async ({ parts, ...call }) => send(agent, 'POST', call, streamedContent(encodeForm(parts))),
    getJson: (call) => send(agent, 'GET', call, { body: undefined, headers: {} }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Content = Pick<Outgoing, 'body' | 'headers'>

function jsonContent(value: unknown): Content {
  if (value === undefined) return { body: undefined, headers: { 'content-length': '0' } }
  const body = encodeJson(value)
  return typeof body === 'string'
    ? { body, headers: { 'content-type': 'application/json' } }
    : streamedContent(body)
}

function streamedContent(body: StreamedBody): Content {
  return {
    body,
    headers: { 'content-type': body.contentType, 'content-length': String(body.sizeBytes) },
  }
}

async function send(
  agent: Agent,
  method: Outgoing['method'],
  call: ProviderHttpCall,
  content: Content,
): Promise<ProviderHttpAnswer> {
  const withheld = [...credentials(call.headers), ...(call.withhold ?? [])]
  const quote = (text: string) => excerpt(text, withheld)
  const headers = {
    accept: call.onEvent ? 'text/event-stream, application/json' : 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'gesso',
    ...call.headers,
    ...content.headers,
  }
  const received = await exchange(agent, { ...call, method, headers, body: content.body, quote })
  if (received.status >= 300 && received.status < 400) throw redirected(call.title, received.status, method)
  return { ...received, excerpt: (text = received.opening) => quote(text) }
}

/** The values that open doors: whole, and without a scheme such as `Bearer`. */
function credentials(headers: ProviderHttpCall['headers'] = {}): string[] {
  return Object.entries(headers)
    .filter(([name]) => /auth|key|token|secret/i.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\S+\s+/, '')])
}
