/**
 * Ark's image API on 127.0.0.1, as Volcengine and BytePlus have it: strict where Ark is strict, with pictures inside the
 * answer or under addresses of its own, in one piece or as a stream. Proved by the documented calls, in `ark.test.ts`.
 */
import { randomBytes } from 'node:crypto'
import { arkFailureAnswer } from './ark-failures.ts'
import { type ArkCall, ArkRefusal, type ArkSite, readArkCall, requestId } from './ark-rules.ts'
import { fakeEdit, fakePicture } from './fake-picture.ts'
import {
  type FakeAnswer,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type RecordedRequest,
  startFakeUpstream,
} from './fake-upstream.ts'

export interface FakeArkOptions extends FakeUpstreamOptions {
  /** Whose names the models have; default `volcengine`. */
  site?: ArkSite
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /** Draws this size, whatever is asked for. */
  otherSize?: { width: number; height: number }
}

/** The key that the fake accepts. */
export const fakeArkKey = '6f1c2d3e-fake-4b5a-9c8d-0123456789ab'

const basePath = '/api/v3'
const path = `${basePath}/images/generations`
/** Where videos are made; here only its list, of none. */
const tasksPath = `${basePath}/contents/generations/tasks?`

/** An entry of `data`, or an event without its frame. */
type Entry = Record<string, unknown>

/** Starts the fake. `url` ends in `/api/v3`. */
export function startFakeArk(options: FakeArkOptions = {}): Promise<FakeUpstream> {
  const { site = 'volcengine', echo = false, otherSize } = options
  const files = new Map<string, { bytes: Buffer; format: string }>()

  const draw = (call: ArkCall, index: number): Promise<Buffer> => {
    const { width, height, format, images } = { ...call, ...otherSize }
    const [first] = images
    const likeness = typeof first === 'object' ? first.likeness() : undefined
    const picture = { width, height, format, index }
    return likeness ? fakeEdit(likeness, picture) : fakePicture(picture)
  }

  const entryOf = async (call: ArkCall, index: number, origin: string, kept: boolean): Promise<Entry> => {
    const bytes = await draw(call, index)
    const { width, height, format, saysFormat } = { ...call, ...otherSize }
    const size = `${width}x${height}`
    const described = { size, ...(saysFormat && { output_format: format }) }
    if (!call.asUrl) return { b64_json: bytes.toString('base64'), ...described }
    const name = `/tos/${randomBytes(8).toString('hex')}_${index}.${format}`
    if (kept) files.set(name, { bytes, format })
    return { url: `${origin}${name}?X-Tos-Expires=86400&X-Tos-Signature=0123abcd`, ...described }
  }

  /** Answers a call; the last picture of several may fail, and addresses may lead nowhere. */
  const make = async (
    request: RecordedRequest,
    origin: string,
    { lastFails = false, kept = true } = {},
  ): Promise<FakeAnswer> => {
    const call = readArkCall(request, site)
    const wanted = Array.from({ length: call.count }, (_, index) => entryOf(call, index, origin, kept))
    const data = await Promise.all(wanted)
    if (lastFails && data.length > 1) data[data.length - 1] = { error: outputRefused(request, echo) }
    return call.isStreamed ? streamed(call, data) : { status: 200, body: whole(call, data) }
  }

  return startFakeUpstream(
    (origin) => ({
      isSubmission: (request) => request.method === 'POST' && request.path === path,
      async answer(request) {
        return refusing(async () => {
          const file = files.get(request.path.replace(/\?.*$/, ''))
          if (file) {
            return { status: 200, headers: { 'content-type': `image/${file.format}` }, body: file.bytes }
          }
          if (request.path.startsWith('/tos/')) return expired()
          checkKey(request)
          if (request.method === 'GET' && request.path.startsWith(tasksPath)) {
            return { status: 200, body: { total: 0, items: [] } }
          }
          if (request.method !== 'POST' || request.path !== path) {
            throw new ArkRefusal(404, 'The request path is not found.', {
              code: 'NotFound',
              type: 'NotFound',
            })
          }
          return make(request, origin)
        })
      },
      async fail(scenario, request) {
        switch (scenario) {
          case 'empty':
            return emptyAnswer(request)
          case 'partial':
            return refusing(() => make(request, origin, { lastFails: true }))
          case 'expired':
            return refusing(() => make(request, origin, { kept: false }))
          case 'failed work':
            return { status: 200, body: { data: [{ error: internalError }] } }
          case 'pending':
          case 'strange status':
            return refusing(() => make(request, origin))
          default:
            return arkFailureAnswer(scenario, request, echo)
        }
      },
    }),
    { ...options, basePath },
  )
}

/** The answer of `work`, or the refusal that it throws, with the headers that Ark always sends. */
async function refusing(work: () => Promise<FakeAnswer>): Promise<FakeAnswer> {
  const headers = { 'x-request-id': requestId }
  try {
    const told = await work()
    return { ...told, headers: { ...headers, ...told.headers } }
  } catch (error) {
    if (!(error instanceof ArkRefusal)) throw error
    return { status: error.status, headers, body: error.body() }
  }
}

function checkKey(request: RecordedRequest): void {
  if (request.headers.authorization === `Bearer ${fakeArkKey}`) return
  const message = 'the API key or AK/SK in the request is missing or invalid.'
  throw new ArkRefusal(401, message, { code: 'AuthenticationError', type: 'Unauthorized' })
}

const created = 1_757_388_756

function whole(call: ArkCall, data: readonly Entry[]) {
  return { model: call.model, created, data, usage: usageOf(call, data) }
}

/** What is paid for: a token is 256 pixels. */
function usageOf({ width, height, images }: ArkCall, data: readonly Entry[]) {
  const made = data.filter((entry) => entry.error === undefined).length
  const tokens = made * Math.floor((width * height) / 256)
  return {
    ...(images.length > 0 && { input_images: images.length }),
    generated_images: made,
    output_tokens: tokens,
    total_tokens: tokens,
  }
}

/** The same answer as events, which are named by their `type`. */
function streamed(call: ArkCall, data: readonly Entry[]): FakeAnswer {
  const common = { model: call.model, created }
  const events = data.map((entry, image_index) => ({
    type: `image_generation.partial_${entry.error === undefined ? 'succeeded' : 'failed'}`,
    ...common,
    image_index,
    ...entry,
  }))
  const end = { type: 'image_generation.completed', ...common, usage: usageOf(call, data) }
  return eventStream([...events, end])
}

function eventStream(events: readonly ({ type: string } & Entry)[]): FakeAnswer {
  const frames = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  const body = Buffer.from(`${frames.join('')}data: [DONE]\n\n`)
  return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body }
}

function emptyAnswer({ body }: RecordedRequest): FakeAnswer {
  const usage = { generated_images: 0, output_tokens: 0, total_tokens: 0 }
  const isStreamed = typeof body === 'object' && body !== null && 'stream' in body && body.stream === true
  if (isStreamed) return eventStream([{ type: 'image_generation.completed', created, usage }])
  return { status: 200, body: { created, data: [], usage } }
}

function outputRefused(request: RecordedRequest, echo: boolean) {
  const repeated = echo ? ` ${JSON.stringify(request.body)} ${request.headers.authorization}` : ''
  return {
    code: 'OutputImageSensitiveContentDetected',
    message: `The request failed because the output image may contain sensitive information.${repeated}`,
  }
}

const internalError = {
  code: 'InternalServiceError',
  message: `The service encountered an unexpected internal error. Request id: ${requestId}`,
}

/** The object store's own words. */
function expired(): FakeAnswer {
  const body = Buffer.from('{"Code":"AccessDenied","Message":"Request has expired","EC":"0003-00000015"}')
  return { status: 403, body }
}
