/**
 * The API of Black Forest Labs on 127.0.0.1: one endpoint per model, work that is asked for until it is done, results
 * at signed addresses. Where the vendor is thinly documented it is as strict as can be, so that what would cost a user
 * a refusal costs us a test. The vendor's client of the AI SDK is the judge of its faithfulness, in `bfl.test.ts`.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { type BflCall, BflRefusal, readCall } from './bfl-rules.ts'
import { createFakeJobs, type FakeJob } from './fake-jobs.ts'
import { fakeEdit, fakePicture } from './fake-picture.ts'
import {
  type FakeAnswer,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type RecordedRequest,
  type StatusScenario,
  startFakeUpstream,
} from './fake-upstream.ts'

export type { FakeUpstream } from './fake-upstream.ts'

export interface FakeBflOptions extends FakeUpstreamOptions {
  /** The one key that is taken. Default `fakeBflKey`. */
  apiKey?: string
  /** How long work takes. */
  jobMs?: number
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /** Pictures as heavy as real ones. */
  noisy?: boolean
  /** Scheme and host of the polling addresses that are handed out. Default: the fake's own. */
  pollingOrigin?: string
}

/** The key that the fake accepts unless told otherwise. */
export const fakeBflKey = 'bfl-fake-0f1e2d3c4b5a69788796a5b4c3d2e1f0'

interface Work {
  call: BflCall
  fate: StatusScenario | 'ok'
  questions: number
  /** Drawn at the first question after the end. */
  path?: string
}

/** Starts the fake. `url` ends in `/v1`. */
export function startFakeBfl(options: FakeBflOptions = {}): Promise<FakeUpstream> {
  const { apiKey = fakeBflKey, echo = false } = options
  const jobs = createFakeJobs<Work>({ durationMs: options.jobMs })
  const files = new Map<string, { bytes: Buffer; format: string }>()
  let waiting: (() => void)[] = []

  const accept = async (
    request: RecordedRequest,
    origin: string,
    fate: Work['fate'],
  ): Promise<FakeAnswer> => {
    checkKey(request, apiKey)
    const call = await readCall(request)
    const held = fate === 'pending'
    const job = jobs.accept({ call, fate, questions: 0 }, { held })
    const finish = () => void notify(job, origin)
    if (held) waiting.push(finish)
    else if (call.webhook) setTimeout(finish, options.jobMs ?? 0).unref()
    const { cost, inputMegapixels: input_mp, outputMegapixels: output_mp, webhook } = call
    const about = { id: job.id, cost, input_mp, output_mp }
    // Whoever is told is not told where to ask.
    if (webhook) return ok({ ...about, status: 'Pending', webhook_url: webhook.url })
    return ok({ ...about, polling_url: `${options.pollingOrigin ?? origin}/v1/get_result?id=${job.id}` })
  }

  const tell = async (id: string, origin: string): Promise<FakeAnswer> => {
    const job = jobs.get(id)
    if (!job) return { status: 404, body: result(id, 'Task not found') }
    const { work } = job
    work.questions += 1
    if (work.fate === 'strange status' && work.questions < 3)
      return ok(result(id, 'Daydreaming', { progress: 0.4 }))
    if (job.state !== 'done') return ok(result(id, 'Pending', { progress: 0 }))
    return ok(await ending(job, origin))
  }

  const ending = async (job: FakeJob<Work>, origin: string): Promise<object> => {
    const { call, fate } = job.work
    const repeated = echo ? `${call.prompt} ${apiKey} ${Buffer.alloc(150, 7).toString('base64')}` : ''
    if (fate === 'moderation') {
      return result(job.id, 'Request Moderated', {
        details: { 'Moderation Reasons': [`Safety Filter ${repeated}`] },
      })
    }
    if (fate === 'failed work')
      return result(job.id, 'Error', { details: { error: `Out of memory ${repeated}` } })
    if (fate === 'empty') return result(job.id, 'Ready')
    const seed = call.seed ?? 4_277_067_122
    const sample =
      fate === 'expired' ? `${origin}/files/expired.${call.format}` : await host(job.work, origin)
    const times = { start_time: 1_795_168_800.1, end_time: 1_795_168_803.6, duration: 3.5 }
    return result(job.id, 'Ready', { result: { sample, prompt: call.prompt, seed, ...times } })
  }

  const host = async (work: Work, origin: string): Promise<string> => {
    const { width, height, format, images } = work.call
    const picture = { width, height, format, index: 0, noisy: options.noisy }
    const likeness = images[0]?.likeness()
    work.path ??= `/files/${randomBytes(6).toString('hex')}.${format}`
    files.set(work.path, {
      bytes: await (likeness ? fakeEdit(likeness, picture) : fakePicture(picture)),
      format,
    })
    return `${origin}${work.path}?se=2026-11-20T10%3A10%3A00Z&sig=${randomBytes(8).toString('hex')}`
  }

  const notify = async (job: FakeJob<Work>, origin: string): Promise<void> => {
    const { webhook } = job.work.call
    if (!webhook) return
    const body = JSON.stringify(await ending(job, origin))
    const signature = createHmac('sha256', webhook.secret).update(body).digest('hex')
    const headers = { 'content-type': 'application/json', 'x-bfl-signature': `sha256=${signature}` }
    // Whoever does not listen has to ask.
    await fetch(webhook.url, { method: 'POST', headers, body }).catch(() => undefined)
  }

  const answer = async (request: RecordedRequest, origin: string): Promise<FakeAnswer> => {
    const { pathname, searchParams } = new URL(request.path, origin)
    if (pathname.startsWith('/files/')) return fileAt(files.get(pathname))
    if (request.method === 'POST') return accept(request, origin, 'ok')
    checkKey(request, apiKey)
    if (pathname === '/v1/credits') return ok({ credits: 1_000 })
    if (pathname !== '/v1/get_result') throw new BflRefusal(404, 'Not Found')
    return tell(searchParams.get('id') ?? '', origin)
  }

  return startFakeUpstream(
    (origin) => ({
      isSubmission: ({ method }) => method === 'POST',
      isQuestion: ({ path }) => path.startsWith('/v1/get_result'),
      answer: (request) => refusable(() => answer(request, origin)),
      async fail(scenario, request) {
        const failure = failures[scenario]
        if (failure) return { status: failure.status, body: { detail: failure.detail + said(request, echo) } }
        return refusable(() => accept(request, origin, scenario))
      },
      release() {
        jobs.release()
        for (const finish of waiting) finish()
        waiting = []
      },
    }),
    { ...options, basePath: '/v1' },
  )
}

/** What it says before it takes work; the other scenarios are about work that was taken. */
const failures: Partial<Record<StatusScenario, { status: number; detail: string }>> = {
  '401': { status: 403, detail: 'Not authenticated - Invalid Authentication' },
  '402': { status: 402, detail: 'Insufficient credits. Please visit https://dashboard.bfl.ai to buy more.' },
  '429': { status: 429, detail: 'Rate limit exceeded: you have 24 active tasks.' },
  '500': { status: 500, detail: 'Internal Server Error' },
  '503': { status: 503, detail: 'Service Unavailable' },
}

function said({ body, headers }: RecordedRequest, echo: boolean): string {
  return echo ? ` ${JSON.stringify(body)} ${headers['x-key']}` : ''
}

function checkKey({ headers }: RecordedRequest, apiKey: string): void {
  if (headers['x-key'] !== apiKey) throw new BflRefusal(403, 'Not authenticated')
}

async function refusable(answer: () => Promise<FakeAnswer>): Promise<FakeAnswer> {
  try {
    return await answer()
  } catch (error) {
    if (error instanceof BflRefusal) return { status: error.status, body: { detail: error.detail } }
    throw error
  }
}

function ok(body: object): FakeAnswer {
  return { status: 200, body }
}

function result(id: string, status: string, about: object = {}): object {
  return { id, status, result: null, progress: null, details: null, preview: null, ...about }
}

/** Signed addresses need no key, and answer like a blob store when they are over. */
function fileAt(file: { bytes: Buffer; format: string } | undefined): FakeAnswer {
  if (file) return { status: 200, headers: { 'content-type': `image/${file.format}` }, body: file.bytes }
  const body = Buffer.from('<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code></Error>')
  return { status: 403, headers: { 'content-type': 'application/xml' }, body }
}
