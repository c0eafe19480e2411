/**
 * Alibaba's DashScope on 127.0.0.1: calls that answer at once, calls that make tasks, the tasks, and the pictures, on
 * signed addresses as its object store has them. The vendor publishes no client for pictures; the examples of its API
 * references are the judge of its faithfulness, in `dashscope.test.ts`.
 */
import { randomUUID } from 'node:crypto'
import { DashScopeRefusal, echoOf, refusalOf } from './dashscope-failures.ts'
import { callPaths, checkMode, type DashScopeCall, readCall } from './dashscope-rules.ts'
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

export interface FakeDashScopeOptions extends FakeUpstreamOptions {
  /** How long a task takes. */
  jobMs?: number
  /** The one key that is taken. Default `fakeDashScopeKey`. */
  apiKey?: string
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /** Draws this size, whatever is asked for. */
  otherSize?: { width: number; height: number }
}

export interface FakeDashScope extends FakeUpstream {
  /** How often it was asked to cancel a task. */
  cancellations(): number
}

/** The key that the fake accepts unless told otherwise. */
export const fakeDashScopeKey = 'sk-dashscopefake0123456789abcdef'

/** How a piece of work turns out. */
type Fate =
  | 'ok'
  | 'empty'
  | 'partial'
  | 'pending'
  | 'strange status'
  | 'failed work'
  | 'expired'
  | 'moderation'

interface Work {
  call: DashScopeCall
  fate: Fate
  echo: string
  /** How often somebody has asked for it. */
  questions: number
  /** The answer of a task that has ended; drawn once. */
  outcome?: Promise<Record<string, unknown>>
}

const basePath = '/api/v1'

/** Starts the fake. `url` ends in `/api/v1`. */
export async function startFakeDashScope(options: FakeDashScopeOptions = {}): Promise<FakeDashScope> {
  const { apiKey = fakeDashScopeKey, jobMs, otherSize } = options
  const jobs = createFakeJobs<Work>({ durationMs: jobMs })
  const files = new Map<string, Buffer | 'expired'>()
  const pathOf = ({ path }: RecordedRequest) => path.slice(basePath.length)
  const isSubmission = (request: RecordedRequest) =>
    request.method === 'POST' && request.path.startsWith(basePath) && callPaths.includes(pathOf(request))

  const drawAll = async ({ call, fate }: Work, origin: string): Promise<string[]> => {
    const { width, height } = otherSize ?? call
    // A story of twelve pictures may be told in fewer.
    const count = call.isSeries ? Math.max(1, call.n - 1) : call.n
    const [likeness] = call.images.flatMap((image) =>
      typeof image === 'string' ? [] : (image.likeness() ?? []),
    )
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const picture = { width, height, format: 'png' as const, index }
        const bytes = likeness ? await fakeEdit(likeness, picture) : await fakePicture(picture)
        const path = `/files/${randomUUID()}.png`
        files.set(path, fate === 'expired' ? 'expired' : bytes)
        return `${origin}${path}?Expires=1795000000&OSSAccessKeyId=LTAIfake&Signature=c2lnbmVk`
      }),
    )
  }

  const finish = async (work: Work, origin: string): Promise<Record<string, unknown>> => {
    const { call, fate, echo } = work
    if (fate === 'failed work') {
      const message = `An internal error has occured, please try again later.${echo}`
      return { task_status: 'FAILED', code: 'InternalError', message }
    }
    if (fate === 'moderation') {
      const message = `Output data may contain inappropriate content.${echo}`
      return { task_status: 'FAILED', code: 'DataInspectionFailed', message }
    }
    const urls = fate === 'empty' ? [] : await drawAll(work, origin)
    const good = fate === 'partial' ? urls.slice(0, -1) : urls
    if (call.protocol === 'message') return { task_status: 'SUCCEEDED', ...choicesOf(good), finished: true }
    const results = good.map((url) => resultOf(call, url))
    const bad = urls.slice(good.length).map(() => {
      return { code: 'InternalError.Timeout', message: `An internal timeout error has occured${echo}` }
    })
    return {
      task_status: 'SUCCEEDED',
      results: [...results, ...bad],
      task_metrics: { TOTAL: urls.length, SUCCEEDED: good.length, FAILED: bad.length },
    }
  }

  const answerTask = async (id: string, origin: string): Promise<FakeAnswer> => {
    const told = async (state: Record<string, unknown>, usage?: object): Promise<FakeAnswer> => ({
      status: 200,
      body: { request_id: randomUUID(), output: { task_id: id, ...state }, ...(usage ? { usage } : {}) },
    })
    const job = jobs.get(id)
    if (!job) return told({ task_status: 'UNKNOWN' })
    const times = { submit_time: '2026-11-20 21:36:31.896', scheduled_time: '2026-11-20 21:36:39.009' }
    if (job.state === 'canceled') return told({ task_status: 'CANCELED', ...times })
    const { work } = job
    work.questions += 1
    if (work.fate === 'strange status' && work.questions <= 2)
      return told({ task_status: 'POST_PROCESSING', ...times })
    if (job.state === 'under way') return told({ task_status: waitingWord(job), ...times })
    work.outcome ??= finish(work, origin)
    const outcome = await work.outcome
    const made = outcome.task_status === 'SUCCEEDED' ? usageOf(work) : undefined
    return told({ ...outcome, ...times, end_time: '2026-11-20 21:36:45.913' }, made)
  }

  const cancelTask = (id: string): FakeAnswer => {
    const job = jobs.get(id)
    // Only what waits in the queue can be stopped.
    const isStopped = job && waitingWord(job) === 'PENDING' && jobs.cancel(id)
    if (isStopped) return { status: 200, body: { request_id: randomUUID() } }
    const message = 'Failed to cancel the task, please confirm if the task is in PENDING status.'
    throw new DashScopeRefusal(400, 'UnsupportedOperation', message)
  }

  const usageOf = ({ call }: Work) => {
    const { width, height } = otherSize ?? call
    return call.isAsync
      ? { image_count: call.n, size: `${width}*${height}` }
      : { image_count: call.n, width, height }
  }

  const submit = async (request: RecordedRequest, origin: string, fate: Fate): Promise<FakeAnswer> => {
    const call = readCall(request, pathOf(request))
    const work: Work = { call, fate, echo: options.echo ? echoOf(request) : '', questions: 0 }
    const request_id = randomUUID()
    if (call.isAsync) {
      const { id } = jobs.accept(work, { held: fate === 'pending' })
      return { status: 200, body: { output: { task_status: 'PENDING', task_id: id }, request_id } }
    }
    if (fate === 'moderation') throw refusalOf('moderation', work.echo)
    // Nothing is left unfinished in a call that answers at once.
    const { task_status: _, ...output } = await finish({ ...work, fate: instantly(fate) }, origin)
    return { status: 200, body: { output, usage: usageOf(work), request_id } }
  }

  const answer = async (request: RecordedRequest, origin: string, fate: Fate): Promise<FakeAnswer> => {
    const [address = ''] = request.path.split('?')
    if (address.startsWith('/files/')) return answerFile(request, files.get(address))
    checkKey(request, apiKey)
    if (isSubmission(request)) return submit(request, origin, fate)
    checkMode(request.headers['x-dashscope-async'], false)
    if (request.method === 'GET' && /^\/tasks\/?(\?.*)?$/.test(pathOf(request))) {
      const page = { total: 0, data: [], total_page: 1, page_no: 1, page_size: 1 }
      return { status: 200, body: { request_id: randomUUID(), ...page } }
    }
    const [, id, verb] = /^\/tasks\/([\w-]+)(\/cancel)?$/.exec(pathOf(request)) ?? []
    if (id && !verb && request.method === 'GET') return answerTask(id, origin)
    if (id && verb && request.method === 'POST') return cancelTask(id)
    throw new DashScopeRefusal(404, 'InvalidParameter', 'url error, please check url！')
  }

  const answerOrRefuse = async (
    request: RecordedRequest,
    origin: string,
    fate: Fate,
  ): Promise<FakeAnswer> => {
    try {
      return await answer(request, origin, fate)
    } catch (error) {
      if (error instanceof DashScopeRefusal) return error.answer()
      throw error
    }
  }

  const upstream = await startFakeUpstream(
    (origin) => ({
      isSubmission,
      isQuestion: (request) => request.method === 'GET' && request.path.startsWith(`${basePath}/tasks/`),
      release: jobs.release,
      answer: (request) => answerOrRefuse(request, origin, 'ok'),
      fail(scenario, request) {
        if (isFate(scenario)) return answerOrRefuse(request, origin, scenario)
        return refusalOf(scenario, options.echo ? echoOf(request) : '').answer()
      },
    }),
    { ...options, basePath },
  )
  return { ...upstream, cancellations: jobs.cancellations }
}

function isFate(scenario: StatusScenario): scenario is Exclude<Fate, 'ok'> {
  return !/^\d/.test(scenario)
}

/** What is only for tasks means nothing to a call that answers at once. */
function instantly(fate: Fate): Fate {
  return fate === 'pending' || fate === 'strange status' || fate === 'failed work' ? 'ok' : fate
}

/** Held work waits in the queue, other work runs. */
function waitingWord({ work }: FakeJob<Work>): 'PENDING' | 'RUNNING' {
  return work.fate === 'pending' ? 'PENDING' : 'RUNNING'
}

/** Some answers have a choice for each picture, some have all in one; here the first of three or more is alone. */
function choicesOf(urls: readonly string[]) {
  const parts = urls.map((image) => ({ image, type: 'image' }))
  const split = parts.length > 2 ? [parts.slice(0, 1), parts.slice(1)] : [parts]
  const choices = split.map((content) => ({ finish_reason: 'stop', message: { role: 'assistant', content } }))
  return { choices }
}

function resultOf({ prompt, extendsPrompt }: DashScopeCall, url: string) {
  return { orig_prompt: prompt, ...(extendsPrompt ? { actual_prompt: `${prompt}, in detail` } : {}), url }
}

function checkKey(request: RecordedRequest, apiKey: string): void {
  const { authorization } = request.headers
  if (authorization === `Bearer ${apiKey}`) return
  const message = authorization === undefined ? 'No API-key provided.' : 'Invalid API-key provided.'
  throw new DashScopeRefusal(401, 'InvalidApiKey', message)
}

/** The object store takes the signature of the address or a header, and never both. */
function answerFile(request: RecordedRequest, file: Buffer | 'expired' | undefined): FakeAnswer {
  const headers = { 'content-type': 'application/xml' }
  if (request.headers.authorization !== undefined)
    return { status: 400, headers, body: Buffer.from('<Error><Code>InvalidArgument</Code></Error>') }
  if (file === undefined)
    return { status: 404, headers, body: Buffer.from('<Error><Code>NoSuchKey</Code></Error>') }
  if (file === 'expired')
    return { status: 403, headers, body: Buffer.from('<Error><Code>AccessDenied</Code></Error>') }
  return { status: 200, headers: { 'content-type': 'image/png' }, body: file }
}
