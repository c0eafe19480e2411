/**
 * fal on 127.0.0.1: the queue at the root, the synchronous host below `/run`, result files below `/files`, and the keys
 * that sign webhooks. Endpoints check their input when the work is done, as fal's do. The official clients are the
 * judges of its faithfulness, in `fal.test.ts`.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createFakeJobs, type FakeJob, type FakeJobs } from './fake-jobs.ts'
import { fakeEdit, fakePicture } from './fake-picture.ts'
import {
  type FakeAnswer,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type RecordedRequest,
  type StatusScenario,
  startFakeUpstream,
} from './fake-upstream.ts'
import { falRefusals, falWorkFailure } from './fal-failures.ts'
import { type FalInput, FalRefusal, knowsEndpoint, readFalInput } from './fal-rules.ts'

export interface FakeFalOptions extends FakeUpstreamOptions {
  /** How long work takes, from its acceptance. */
  jobMs?: number
  /** The one key that is taken. Default `fakeFalKey`. */
  apiKey?: string
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /** Draws this size, whatever is asked for. */
  otherSize?: { width: number; height: number }
  /** Where the addresses of a submission seem to lead, instead of the fake itself. */
  addressOrigin?: string
}

export interface FakeFal extends FakeUpstream {
  /** Below it, an endpoint answers at once. */
  readonly syncUrl: string
  readonly jwksUrl: string
  /** How often fal was asked to stop work. */
  cancellations(): number
  /** A message about the request as fal would send it now, or at another time; signed by a key that `jwksUrl` publishes. */
  webhook(requestId: string, atMs?: number): { headers: Record<string, string>; body: Buffer }
  /** From now on another key signs, and is published alone. */
  changeKey(): void
}

/** The key that the fake accepts unless told otherwise. */
export const fakeFalKey = '7d2f4c1e-90ab-4cde-8f01-23456789abcd:0123456789abcdef0123456789abcdef'

type Outcome = 'ok' | Exclude<StatusScenario, keyof typeof falRefusals>

interface Work {
  endpoint: string
  input: unknown
  outcome: Outcome
  questions: number
}

const requestPath = /^\/([^/]+\/[^/]+)\/requests\/([^/]+)(?:\/(status|cancel))?$/

/** Starts the fake. `url` is its queue. */
export async function startFakeFal(options: FakeFalOptions = {}): Promise<FakeFal> {
  const { apiKey = fakeFalKey, echo = false } = options
  const jobs = createFakeJobs<Work>({ durationMs: options.jobMs })
  const files = new Map<string, { bytes: Buffer; format: string }>()
  let pair = generateKeyPairSync('ed25519')

  const answer = async (request: RecordedRequest, outcome: Outcome, origin: string): Promise<FakeAnswer> => {
    const { pathname } = new URL(request.path, origin)
    const file = files.get(pathname)
    if (file) return { status: 200, headers: { 'content-type': `image/${file.format}` }, body: file.bytes }
    if (pathname.startsWith('/files/')) return { status: 404, body: { detail: 'Not Found' } }
    if (pathname === '/.well-known/jwks.json')
      return { status: 200, body: jwks(pair.publicKey.export({ format: 'jwk' })) }
    if (request.headers.authorization !== `Key ${apiKey}`) return falRefusals['401']
    const [, app = '', id = '', verb] = requestPath.exec(pathname) ?? []
    if (id) return answerAbout({ app, id, verb: verb ?? 'result', method: request.method }, origin)
    const isSync = pathname.startsWith('/run/')
    const endpoint = pathname.slice(isSync ? '/run/'.length : 1)
    if (request.method !== 'POST') return { status: 405, body: { detail: 'Method Not Allowed' } }
    if (!knowsEndpoint(endpoint)) return notFound(endpoint)
    const work = { endpoint, input: request.body, outcome, questions: 0 }
    if (isSync) return finish(work, origin)
    const job = jobs.accept(work, { held: outcome === 'pending' })
    return {
      status: 200,
      body: { ...said('IN_QUEUE', job, options.addressOrigin ?? origin), queue_position: 0 },
    }
  }

  const answerAbout = async (
    { app, id, verb, method }: { app: string; id: string; verb: string; method: string },
    origin: string,
  ): Promise<FakeAnswer> => {
    const job = jobs.get(id)
    if (method !== (verb === 'cancel' ? 'PUT' : 'GET'))
      return { status: 405, body: { detail: 'Method Not Allowed' } }
    if (!job || appOf(job.work.endpoint) !== app)
      return { status: 404, body: { detail: 'Request not found' } }
    if (verb === 'cancel') return cancel(job, jobs)
    if (verb === 'status') return status(job, options.addressOrigin ?? origin)
    if (job.state === 'under way') return { status: 400, body: { detail: 'Request is still in progress' } }
    if (job.state === 'canceled') return falWorkFailure('canceled', job.work.input, apiKey, echo)
    const told = await finish(job.work, origin)
    return { ...told, headers: { ...told.headers, 'x-fal-request-id': id } }
  }

  /** What the endpoint makes of its input. */
  const finish = async ({ endpoint, input, outcome }: Work, origin: string): Promise<FakeAnswer> => {
    if (outcome === 'moderation' || outcome === 'failed work')
      return falWorkFailure(outcome, input, apiKey, echo)
    try {
      const call = { ...readFalInput(endpoint, input), ...options.otherSize }
      const body = outcome === 'empty' ? result(call, [], []) : await draw(call, outcome, origin)
      return { status: 200, body }
    } catch (error) {
      if (!(error instanceof FalRefusal)) throw error
      return { status: 422, headers: { 'x-fal-retryable': 'false' }, body: { detail: [error.detail] } }
    }
  }

  const draw = async (call: FalInput, outcome: Outcome, origin: string): Promise<object> => {
    const flags = Array.from({ length: call.n }, (_, index) => outcome === 'partial' && index === call.n - 1)
    const pictures = await Promise.all(flags.map((_, index) => picture(call, index)))
    const images = pictures.map((bytes) => {
      const { width, height, format } = call
      const path = `/files/${randomBytes(6).toString('hex')}/${randomBytes(8).toString('hex')}.${format}`
      if (outcome !== 'expired') files.set(path, { bytes, format })
      const url = call.asDataUri
        ? `data:image/${format};base64,${bytes.toString('base64')}`
        : `${origin}${path}`
      return { url, width, height, content_type: `image/${format}` }
    })
    return result(call, images, flags)
  }

  const upstream = await startFakeUpstream(
    (origin) => ({
      isSubmission: ({ method }) => method === 'POST',
      isQuestion: ({ method, path }) => method === 'GET' && path.includes('/requests/'),
      release: jobs.release,
      answer: (request) => answer(request, 'ok', origin),
      fail: (scenario, request) =>
        isRefusal(scenario) ? refusal(scenario, request, echo) : answer(request, scenario, origin),
    }),
    { ...options, basePath: '' },
  )
  return {
    ...upstream,
    syncUrl: `${upstream.origin}/run`,
    jwksUrl: `${upstream.origin}/.well-known/jwks.json`,
    cancellations: jobs.cancellations,
    webhook(requestId, atMs = Date.now()) {
      const message = {
        request_id: requestId,
        gateway_request_id: requestId,
        status: 'OK',
        payload: { images: [] },
      }
      const body = Buffer.from(JSON.stringify(message))
      const timestamp = String(Math.floor(atMs / 1000))
      const sum = createHash('sha256').update(body).digest('hex')
      const signed = Buffer.from([requestId, 'user-1', timestamp, sum].join('\n'))
      const headers = {
        'x-fal-webhook-request-id': requestId,
        'x-fal-webhook-user-id': 'user-1',
        'x-fal-webhook-timestamp': timestamp,
        'x-fal-webhook-signature': sign(null, signed, pair.privateKey).toString('hex'),
      }
      return { headers, body }
    },
    changeKey() {
      pair = generateKeyPairSync('ed25519')
    },
  }
}

function isRefusal(scenario: StatusScenario): scenario is keyof typeof falRefusals {
  return Object.hasOwn(falRefusals, scenario)
}

function refusal(scenario: keyof typeof falRefusals, request: RecordedRequest, echo: boolean): FakeAnswer {
  const { body, ...rest } = falRefusals[scenario]
  const repeated = echo ? ` ${JSON.stringify(request.body)} ${request.headers.authorization}` : ''
  return { ...rest, body: { ...body, detail: `${body.detail}${repeated}` } }
}

function picture(call: FalInput, index: number): Promise<Buffer> {
  const { width, height, format } = call
  const likeness = call.images[0]?.likeness()
  return likeness
    ? fakeEdit(likeness, { width, height, format, index })
    : fakePicture({ width, height, format, index })
}

function result({ seed, prompt }: FalInput, images: object[], flags: boolean[]): object {
  return { images, timings: { inference: 0.31 }, seed, has_nsfw_concepts: flags, prompt }
}

/** A status changes its code with the work: 202 until it is done. */
function status(job: FakeJob<Work>, origin: string): FakeAnswer {
  job.work.questions += 1
  if (job.work.outcome === 'strange status' && job.work.questions === 1) {
    return { status: 202, body: said('WARMING_UP', job, origin) }
  }
  if (job.state === 'under way') {
    return { status: 202, body: { ...said('IN_PROGRESS', job, origin), logs: null } }
  }
  const canceled = { error: 'Request was cancelled', error_type: 'client_cancelled' }
  const failed = { error: 'Internal server error', error_type: 'internal_error' }
  const trouble = job.state === 'canceled' ? canceled : job.work.outcome === 'failed work' ? failed : {}
  const metrics = { inference_time: 0.31 }
  return { status: 200, body: { ...said('COMPLETED', job, origin), logs: null, metrics, ...trouble } }
}

function cancel(job: FakeJob<Work>, jobs: FakeJobs<Work>): FakeAnswer {
  return jobs.cancel(job.id)
    ? { status: 202, body: { status: 'CANCELLATION_REQUESTED' } }
    : { status: 400, body: { status: 'ALREADY_COMPLETED' } }
}

function said(word: string, { id, work }: FakeJob<Work>, origin: string): object {
  const address = `${origin}/${appOf(work.endpoint)}/requests/${id}`
  return {
    status: word,
    request_id: id,
    response_url: address,
    status_url: `${address}/status`,
    cancel_url: `${address}/cancel`,
  }
}

/** The app is the owner and the name. */
function appOf(endpoint: string): string {
  return endpoint.split('/').slice(0, 2).join('/')
}

function notFound(endpoint: string): FakeAnswer {
  return { status: 404, body: { detail: `Application '${appOf(endpoint).split('/')[1]}' not found` } }
}

function jwks(key: object): object {
  return { keys: [{ ...key, kid: 'fal-1', use: 'sig' }] }
}
