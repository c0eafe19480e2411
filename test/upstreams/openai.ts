/**
 * OpenAI's Images API on 127.0.0.1: strict where OpenAI is strict, so that a field that would cost a user a 400
 * costs us a test. With `dialect: 'openai-compatible'` it is one of the lenient servers that imitate it.
 * The official client is the judge of its faithfulness, in `openai.test.ts`.
 */
import { randomBytes } from 'node:crypto'
import {
  type FakeAnswer,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type RecordedRequest,
  startFakeUpstream,
} from './fake-upstream.ts'
import { drawPicture, officialReply, type StreamPlay, streamReply } from './openai-drawing.ts'
import { openaiFailureAnswer } from './openai-failures.ts'
import { OpenAiRefusal } from './openai-refusal.ts'
import { type RelayOptions, relayEvents } from './openai-relay.ts'
import { readCompatibleCall, readImageCall } from './openai-rules.ts'

export type { FakeUpstream } from './fake-upstream.ts'

export interface FakeOpenAiOptions extends FakeUpstreamOptions {
  dialect?: 'openai' | 'openai-compatible'
  /** The one key that is taken; `null` takes every call. Default `fakeOpenAiKey`, compatible servers `null`. */
  apiKey?: string | null
  /** Pictures as heavy as real ones. */
  noisy?: boolean
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /**
   * Where each picture stands, whatever is asked for; `empty-b64` is a URL beside an empty `b64_json`, `empty-url`
   * the other way round. Default: base64, compatible servers as `response_format` says, or else a URL.
   */
  answerAs?: 'b64' | 'url' | 'both' | 'empty-b64' | 'empty-url'
  /** Draws this size, whatever is asked for. */
  otherSize?: { width: number; height: number }
  /** Makes one picture per call, whatever `n` says. */
  onePerCall?: boolean
  /** How streams go; `never` answers in one piece, whatever is asked for. */
  streams?: 'never' | (StreamPlay & RelayOptions)
}

/** The key that the fake accepts unless told otherwise. */
export const fakeOpenAiKey = 'sk-proj-fake0123456789abcdefghijklmnop'

const models = ['gpt-image-2', 'gpt-image-2-2026-04-21', 'gpt-image-2.5-sunburst', 'gpt-image-1-mini']
const calls = ['/v1/images/generations', '/v1/images/edits']

/** Starts the fake. `url` ends in `/v1`. */
export async function startFakeOpenAi(options: FakeOpenAiOptions = {}): Promise<FakeUpstream> {
  const compatible = options.dialect === 'openai-compatible'
  const apiKey = options.apiKey === undefined ? (compatible ? null : fakeOpenAiKey) : options.apiKey
  const files = new Map<string, HostedFile>()

  const answer = async (request: RecordedRequest, origin: string): Promise<FakeAnswer> => {
    const file = files.get(request.path)
    if (file) return { status: 200, headers: { 'content-type': `image/${file.format}` }, body: file.bytes }
    checkKey(request, apiKey, options.echo)
    if (request.path === '/v1/models') return { status: 200, body: modelList() }
    if (!calls.includes(request.path) || request.method !== 'POST') {
      throw new OpenAiRefusal(404, `Invalid URL (${request.method} ${request.path})`)
    }
    const call = {
      ...(compatible ? readCompatibleCall(request) : readImageCall(request)),
      ...options.otherSize,
      ...(options.onePerCall ? { n: 1 } : {}),
    }
    const draw = (index: number) => drawPicture(call, index, options.noisy)
    if (call.stream && options.streams !== 'never') {
      const body = await streamReply(call, await draw(0), options.streams)
      return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body }
    }
    const pictures = await Promise.all(Array.from({ length: call.n }, (_, index) => draw(index)))
    const answerAs = options.answerAs ?? (compatible && call.asUrl ? 'url' : 'b64')
    const data = pictures.map((bytes, index) => ({
      ...present(bytes, answerAs, () => host({ bytes, format: call.format }, origin, files)),
      ...(compatible && call.seed !== undefined ? { seed: call.seed + index } : {}),
    }))
    return { status: 200, body: compatible ? { created: now(), data } : officialReply(call, data) }
  }

  const fake = await startFakeUpstream(
    (origin) => ({
      isSubmission: (request) => request.method === 'POST' && calls.includes(request.path),
      fail: (scenario, request) => openaiFailureAnswer(scenario, request, options.echo ?? false),
      async answer(request) {
        const headers = {
          'x-request-id': `req_${randomBytes(16).toString('hex')}`,
          'openai-version': '2020-10-01',
        }
        try {
          const told = await answer(request, origin)
          return { ...told, headers: { ...headers, ...told.headers } }
        } catch (error) {
          if (!(error instanceof OpenAiRefusal)) throw error
          return { status: error.status, headers, body: error.body() }
        }
      },
    }),
    { ...options, basePath: '/v1' },
  )
  const { eventDelayMs, cutAfterEvents } = options.streams === 'never' ? {} : (options.streams ?? {})
  const isRelayed = eventDelayMs !== undefined || cutAfterEvents !== undefined
  return isRelayed ? relayEvents(fake, { eventDelayMs, cutAfterEvents }) : fake
}

function checkKey(request: RecordedRequest, apiKey: string | null, echo = false): void {
  const given = request.headers.authorization?.replace(/^Bearer /, '')
  if (apiKey === null || given === apiKey) return
  const advice = 'You can find your API key at https://platform.openai.com/account/api-keys.'
  throw given === undefined
    ? new OpenAiRefusal(401, `You didn't provide an API key. ${advice}`)
    : new OpenAiRefusal(
        401,
        `Incorrect API key provided: ${echo ? given : `${given.slice(0, 8)}***`}. ${advice}`,
        {
          code: 'invalid_api_key',
        },
      )
}

function present(bytes: Buffer, answerAs: FakeOpenAiOptions['answerAs'], hosted: () => string): object {
  if (answerAs === 'url') return { url: hosted() }
  if (answerAs === 'empty-b64') return { url: hosted(), b64_json: '' }
  const b64_json = bytes.toString('base64')
  if (answerAs === 'both') return { url: hosted(), b64_json }
  return answerAs === 'empty-url' ? { url: '', b64_json } : { b64_json }
}

interface HostedFile {
  bytes: Buffer
  format: string
}

/** Keeps the picture under a path of this server, as local engines do. */
function host(file: HostedFile, origin: string, files: Map<string, HostedFile>): string {
  const path = `/files/${randomBytes(6).toString('hex')}.${file.format}`
  files.set(path, file)
  return `${origin}${path}`
}

function modelList() {
  return {
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 1_770_000_000, owned_by: 'openai' })),
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
