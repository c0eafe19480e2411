/**
 * Replicate's API of predictions on 127.0.0.1: asynchronous, strict about every input of every model it knows, with its
 * result files at addresses that need no key. The official clients are the judges of its faithfulness, in
 * `replicate.test.ts`.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFakeJobs, type FakeJob } from './fake-jobs.ts'
import {
  type FakeAnswer,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type RecordedRequest,
  type StatusScenario,
  startFakeUpstream,
} from './fake-upstream.ts'
import { RecordedFile } from './recorded-file.ts'
import { type Drawn, drawPicture, picturesOf } from './replicate-drawing.ts'
import { failureAnswer, predictionBody, type Work } from './replicate-prediction.ts'
import { checkInput, modelRules, ReplicateRefusal } from './replicate-rules.ts'

export interface FakeReplicateOptions extends FakeUpstreamOptions {
  /** How long a prediction takes. */
  jobMs?: number
  /** The one key that is taken; `null` takes every call. */
  apiKey?: string | null
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /** Draws this size, whatever is asked for. */
  otherSize?: { width: number; height: number }
  /** Every upload is answered with this status. */
  uploadStatus?: number
  /** Calls the webhook of a prediction that has ended, signed with this secret. */
  webhookSecret?: string
}

export interface FakeReplicate extends FakeUpstream {
  /** How often a prediction was to be canceled. */
  cancellations(): number
  /** SHA-256 in hex of the pictures that reached the latest prediction, inline or uploaded. */
  lastPictures(): string[]
}

/** The key that the fake accepts unless told otherwise. */
export const fakeReplicateKey = 'r8_FakeFakeFakeFakeFakeFakeFakeFakeFake0'
/** The version under which `prunaai/z-image-turbo` is known. */
export const fakeReplicateVersion = '7ea16386290ff5977c7812e66e462d7ec3954d8e007a8cd18ded3e7d41f5d7cf'

const createPath = /^\/v1\/(?:predictions|models\/([\w.-]+\/[\w.-]+)\/predictions)$/
const onePath = /^\/v1\/predictions\/(\w+)(\/cancel)?$/
const topLevel = ['input', 'version', 'webhook', 'webhook_events_filter', 'stream']

/** Starts the fake. `url` ends in `/v1`. */
export async function startFakeReplicate(options: FakeReplicateOptions = {}): Promise<FakeReplicate> {
  const { apiKey = fakeReplicateKey, jobMs = 0 } = options
  const jobs = createFakeJobs<Work>({ durationMs: jobMs })
  const results = new Map<string, Drawn>()
  const uploads = new Map<string, RecordedFile>()
  const findUpload = (url: string) => uploads.get(url)
  let lastInput: Record<string, unknown> = {}

  const accept = async (request: RecordedRequest, origin: string, fate: Work['fate']) => {
    const { model, input, webhook } = readCreation(request)
    lastInput = input
    const rules = modelRules[model]
    if (!rules) throw new ReplicateRefusal(404, 'Not found', 'The requested resource could not be found.')
    checkInput(rules, input)
    const count = Number(rules.input.num_outputs === undefined ? 1 : (input.num_outputs ?? 1))
    const made = rules.output === 'one' ? 1 : count
    const drawn = fate === 'partial' ? made - 1 : fate === 'none' ? 0 : made
    const output = await Promise.all(
      Array.from({ length: drawn }, async (_, index) => {
        const one = await drawPicture(rules, input, { index, otherSize: options.otherSize, findUpload })
        const path = `/xezq/${randomBytes(12).toString('hex')}/out-${index}.${one.format}`
        if (fate !== 'expired') results.set(path, one)
        return `${origin}${path}`
      }),
    )
    const seed = Number(input.seed ?? randomBytes(2).readUInt16BE())
    const work: Work = { model, input, output, isList: rules.output === 'list', seed, fate, questions: 0 }
    const job = jobs.accept(work, { held: fate === 'pending', id: randomBytes(13).toString('hex') })
    if (webhook && options.webhookSecret) void sendWebhook(webhook, job, origin)
    return job
  }

  const sendWebhook = async (url: string, job: FakeJob<Work>, origin: string) => {
    await sleep(jobMs + 5)
    const current = jobs.get(job.id)
    if (current?.state !== 'done') return
    const body = JSON.stringify(predictionBody(current, origin))
    const headers = { 'content-type': 'application/json', ...signMessage(options.webhookSecret ?? '', body) }
    // Whoever does not listen is asked by nobody here to do so.
    await fetch(url, { method: 'POST', headers, body }).catch(() => undefined)
  }

  const create = async (
    request: RecordedRequest,
    origin: string,
    fate: Work['fate'],
  ): Promise<FakeAnswer> => {
    checkKey(request, apiKey)
    const job = await accept(request, origin, fate)
    const [, seconds] = /^wait(?:=(\d+))?$/.exec(String(request.headers.prefer ?? '')) ?? []
    const waits = request.headers.prefer !== undefined && fate !== 'pending'
    if (waits) await sleep(Math.min(jobMs, Number(seconds ?? 60) * 1000))
    return { status: 201, body: predictionBody(waits ? (jobs.get(job.id) ?? job) : job, origin) }
  }

  const answer = async (request: RecordedRequest, origin: string): Promise<FakeAnswer> => {
    const { method, path } = request
    const result = results.get(path)
    if (result) return { status: 200, headers: { 'content-type': mediaType(result) }, body: result.bytes }
    if (path.startsWith('/xezq/')) return { status: 404, body: { detail: 'Not found' } }
    if (method === 'POST' && createPath.test(path)) return create(request, origin, 'ok')
    checkKey(request, apiKey)
    if (method === 'POST' && path === '/v1/files') return upload(request, origin)
    if (method === 'GET' && path === '/v1/account') return { status: 200, body: account }
    const [, id = '', cancel] = onePath.exec(path) ?? []
    const job = jobs.get(id)
    if (!job || method !== (cancel ? 'POST' : 'GET')) {
      throw new ReplicateRefusal(404, 'Not found', 'The requested resource could not be found.')
    }
    if (cancel) jobs.cancel(id)
    else job.work.questions += 1
    return { status: 200, body: predictionBody(job, origin) }
  }

  const upload = (request: RecordedRequest, origin: string): FakeAnswer => {
    const { uploadStatus } = options
    if (uploadStatus)
      return { status: uploadStatus, body: { detail: 'No upload today', status: uploadStatus } }
    const { content } = (request.body ?? {}) as Record<string, unknown>
    if (!(content instanceof RecordedFile)) {
      throw new ReplicateRefusal(422, 'Unprocessable Entity', 'Missing content')
    }
    const id = randomBytes(16).toString('base64url')
    const get = `${origin}/v1/files/${id}`
    uploads.set(get, content)
    const { sizeBytes: size, mediaType: content_type, sha256, filename: name } = content
    const times = {
      created_at: new Date().toISOString(),
      expires_at: new Date(Date.now() + 864e5).toISOString(),
    }
    return {
      status: 201,
      body: { id, name, content_type, size, checksums: { sha256 }, metadata: {}, ...times, urls: { get } },
    }
  }

  const fates: Partial<Record<StatusScenario, Work['fate']>> = {
    moderation: 'moderated',
    empty: 'none',
    partial: 'partial',
    pending: 'pending',
    'strange status': 'strange',
    'failed work': 'failed',
    expired: 'expired',
  }
  const upstream = await startFakeUpstream(
    (origin) => ({
      isSubmission: ({ method, path }) => method === 'POST' && createPath.test(path),
      isQuestion: ({ method, path }) => method === 'GET' && onePath.test(path),
      release: jobs.release,
      answer: (request) => told(() => answer(request, origin)),
      fail(scenario, request) {
        const fate = fates[scenario]
        if (fate) return told(() => create(request, origin, fate))
        return failureAnswer(scenario, request, options.echo ?? false)
      },
    }),
    { ...options, basePath: '/v1' },
  )
  return {
    ...upstream,
    cancellations: jobs.cancellations,
    lastPictures: () => picturesOf(lastInput, findUpload).map(({ sha256 }) => sha256),
  }
}

const account = { type: 'organization', username: 'acme', name: 'Acme Corp, Inc.', github_url: null }

/** The headers of a message as Replicate signs it. `atMs` is when. */
export function signMessage(
  secret: string,
  body: string | Buffer,
  { id = `msg_${randomBytes(12).toString('hex')}`, atMs = Date.now() } = {},
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000))
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

async function told(tell: () => Promise<FakeAnswer>): Promise<FakeAnswer> {
  try {
    return await tell()
  } catch (error) {
    if (error instanceof ReplicateRefusal) return { status: error.status, body: error.body }
    throw error
  }
}

function readCreation({ path, body, headers }: RecordedRequest) {
  if (!headers['content-type']?.startsWith('application/json')) refuse('- Expected application/json')
  const creation = (body ?? {}) as Record<string, unknown>
  const unknown = Object.keys(creation).find((name) => !topLevel.includes(name))
  if (unknown) refuse(`- ${unknown}: Additional property ${unknown} is not allowed`)
  const { input, version, webhook, webhook_events_filter: events = [] } = creation
  if (typeof input !== 'object' || input === null) refuse('- input is required')
  const known = ['start', 'output', 'logs', 'completed']
  if (![events].flat().every((event) => known.includes(String(event)))) {
    refuse('- webhook_events_filter: must be one of the following: "start", "output", "logs", "completed"')
  }
  if (webhook !== undefined && !URL.canParse(String(webhook)))
    refuse('- webhook: Does not match format "uri"')
  const [, named] = createPath.exec(path) ?? []
  if (named === undefined && version !== fakeReplicateVersion) refuse('- Invalid version or not permitted')
  return {
    model: named ?? 'prunaai/z-image-turbo',
    input: input as Record<string, unknown>,
    webhook: webhook === undefined ? undefined : String(webhook),
  }
}

function refuse(detail: string): never {
  throw new ReplicateRefusal(422, 'Input validation failed', `${detail}\n`)
}

function checkKey({ headers }: RecordedRequest, apiKey: string | null): void {
  if (apiKey === null || headers.authorization === `Bearer ${apiKey}`) return
  const detail = headers.authorization
    ? 'You did not pass a valid authentication token'
    : 'You did not pass an authentication token'
  throw new ReplicateRefusal(401, 'Unauthenticated', detail)
}

function mediaType({ format }: Drawn): string {
  return `image/${format === 'jpg' ? 'jpeg' : format}`
}
