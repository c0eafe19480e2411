/**
 * OpenAI's Images API on 127.0.0.1: strict where OpenAI is strict, so that a field that would cost a user a 400
 * costs us a test. With `dialect: 'openai-compatible'` it is one of the lenient servers that imitate it.
 * The official client is the judge of its faithfulness, in `openai.test.ts`.
 */
import { randomBytes } from 'node:crypto'
import { fakePicture } from './fake-picture.ts'
import {
  type FakeAnswer,
  type FakeUpstream,
  type RecordedRequest,
  startFakeUpstream,
} from './fake-upstream.ts'
import { openaiFailureAnswer } from './openai-failures.ts'
import { type ImageCall, OpenAiRefusal, readCompatibleCall, readImageCall } from './openai-rules.ts'

export type { FakeUpstream } from './fake-upstream.ts'

export interface FakeOpenAiOptions {
  dialect?: 'openai' | 'openai-compatible'
  /** The one key that is taken; `null` takes every call. Default `fakeOpenAiKey`, compatible servers `null`. */
  apiKey?: string | null
  /** Passes before each answer to a generation or edit. */
  latencyMs?: number
  /** Pictures as heavy as real ones. */
  noisy?: boolean
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
}

/** The key that the fake accepts unless told otherwise. */
export const fakeOpenAiKey = 'sk-proj-fake0123456789abcdefghijklmnop'

const models = ['gpt-image-2', 'gpt-image-2-2026-04-21', 'gpt-image-2.5-sunburst', 'gpt-image-1-mini']
const calls = ['/v1/images/generations', '/v1/images/edits']

/** Starts the fake. `url` ends in `/v1`. */
export function startFakeOpenAi(options: FakeOpenAiOptions = {}): Promise<FakeUpstream> {
  const compatible = options.dialect === 'openai-compatible'
  const apiKey = options.apiKey === undefined ? (compatible ? null : fakeOpenAiKey) : options.apiKey
  const files = new Map<string, Buffer>()

  const answer = async (request: RecordedRequest, origin: string): Promise<FakeAnswer> => {
    const file = files.get(request.path)
    if (file) return { status: 200, headers: { 'content-type': 'image/png' }, body: file }
    checkKey(request, apiKey)
    if (request.path === '/v1/models') return { status: 200, body: modelList() }
    if (!calls.includes(request.path) || request.method !== 'POST') {
      throw new OpenAiRefusal(404, `Invalid URL (${request.method} ${request.path})`)
    }
    const call = compatible ? readCompatibleCall(request) : readImageCall(request)
    const pictures = await Promise.all(
      Array.from({ length: call.n }, (_, index) => fakePicture({ ...call, index, noisy: options.noisy })),
    )
    if (!compatible) return { status: 200, body: officialReply(call, pictures) }
    const data = pictures.map((bytes, index) => ({
      ...(call.asUrl ? { url: host(bytes, origin, files) } : { b64_json: bytes.toString('base64') }),
      ...(call.seed === undefined ? {} : { seed: call.seed + index }),
    }))
    return { status: 200, body: { created: now(), data } }
  }

  return startFakeUpstream(
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
    { basePath: '/v1', latencyMs: options.latencyMs },
  )
}

function checkKey(request: RecordedRequest, apiKey: string | null): void {
  const given = request.headers.authorization?.replace(/^Bearer /, '')
  if (apiKey === null || given === apiKey) return
  const advice = 'You can find your API key at https://platform.openai.com/account/api-keys.'
  throw given === undefined
    ? new OpenAiRefusal(401, `You didn't provide an API key. ${advice}`)
    : new OpenAiRefusal(401, `Incorrect API key provided: ${given.slice(0, 8)}***. ${advice}`, {
        code: 'invalid_api_key',
      })
}

function officialReply(call: ImageCall, pictures: Buffer[]) {
  const outputTokens = call.n * imageTokens(call)
  const textTokens = Math.ceil(call.prompt.length / 4)
  const imageInputTokens = call.inputImages * 256
  return {
    created: now(),
    background: call.background,
    data: pictures.map((bytes) => ({ b64_json: bytes.toString('base64') })),
    output_format: call.format,
    quality: call.quality,
    size: `${call.width}x${call.height}`,
    usage: {
      input_tokens: textTokens + imageInputTokens,
      input_tokens_details: { image_tokens: imageInputTokens, text_tokens: textTokens },
      output_tokens: outputTokens,
      output_tokens_details: { image_tokens: outputTokens, text_tokens: 0 },
      total_tokens: textTokens + imageInputTokens + outputTokens,
    },
  }
}

/** The public estimate for GPT Image 2, which gives the tokens of OpenAI's own price table. */
function imageTokens({ width, height, quality }: ImageCall): number {
  const long = Math.max(width, height)
  const short = Math.min(width, height)
  const factor = quality === 'low' ? 16 : quality === 'medium' ? 48 : 96
  const side = Math.floor((2 * factor * short + long) / (2 * long))
  return Math.ceil((factor * side * (2_000_000 + width * height)) / 4_000_000)
}

/** Keeps the picture under a path of this server, as local engines do. */
function host(bytes: Buffer, origin: string, files: Map<string, Buffer>): string {
  const path = `/files/${randomBytes(6).toString('hex')}.png`
  files.set(path, bytes)
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
