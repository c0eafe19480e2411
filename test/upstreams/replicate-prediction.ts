/** What the fake Replicate says of a prediction, and when it refuses one. */
import type { FakeJob } from './fake-jobs.ts'
import type { FakeAnswer, RecordedRequest, StatusScenario } from './fake-upstream.ts'
import { RecordedFile } from './recorded-file.ts'

/** A prediction that was accepted. */
export interface Work {
  model: string
  input: Record<string, unknown>
  /** Addresses of the pictures it has made once it is done. */
  output: string[]
  isList: boolean
  seed: number
  fate: 'ok' | 'moderated' | 'none' | 'partial' | 'pending' | 'strange' | 'failed' | 'expired'
  /** How often somebody asked for it. */
  questions: number
}

const moderated =
  'The input or output was flagged as sensitive. Please try again with different inputs. (E005)'
const crashed = 'CUDA error: an illegal memory access was encountered'

/** The prediction as it stands. */
export function predictionBody({ id, work, state }: FakeJob<Work>, origin: string): Record<string, unknown> {
  const { model, input, fate } = work
  const isStrange = fate === 'strange' && work.questions < 2
  const isDone = state === 'done' && !isStrange
  const hasFailed = isDone && (fate === 'moderated' || fate === 'failed')
  const url = `${origin}/v1/predictions/${id}`
  return {
    id,
    model,
    version: 'hidden',
    input: Object.fromEntries(Object.entries(input).map(([name, value]) => [name, shown(value)])),
    logs: isDone ? logsOf(work) : '',
    output: isDone && !hasFailed ? outputOf(work) : null,
    data_removed: false,
    // Careless models put the prompt into their errors.
    error: hasFailed ? `${fate === 'failed' ? crashed : moderated} ${input.prompt}` : null,
    source: 'api',
    status: hasFailed ? 'failed' : isDone ? 'succeeded' : unfinished(state, work, isStrange),
    created_at: new Date().toISOString(),
    started_at: isDone ? new Date().toISOString() : null,
    completed_at: isDone ? new Date().toISOString() : null,
    urls: { get: url, cancel: `${url}/cancel`, stream: `${origin}/streams/${id}`, web: `${origin}/p/${id}` },
    metrics: isDone ? { predict_time: 0.9, total_time: 1.1 } : {},
  }
}

function unfinished(state: FakeJob<Work>['state'], { questions }: Work, isStrange: boolean): string {
  if (state === 'canceled') return 'canceled'
  if (isStrange) return 'booting'
  return questions > 0 ? 'processing' : 'starting'
}

function outputOf({ output, isList }: Work): unknown {
  return isList ? output : (output[0] ?? null)
}

function logsOf({ seed, fate, output, input }: Work): string {
  const withheld = fate === 'partial' ? `NSFW content detected in image ${output.length}\n` : ''
  return `Using seed: ${seed}\nPrompt: ${input.prompt}\n 50%|█████     | 2/4 [00:00<00:00,  4.62it/s]\n100%|██████████| 4/4 [00:00<00:00,  4.62it/s]\n${withheld}`
}

/** Pictures come back as addresses. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown)
  return value instanceof RecordedFile ? `https://replicate.delivery/pbxt/${value.sha256}/in` : value
}

const failures: Record<'401' | '402' | '429' | '500' | '503', { title: string; detail: string }> = {
  '401': { title: 'Unauthenticated', detail: 'You did not pass a valid authentication token' },
  '402': {
    title: 'Insufficient credit',
    detail: 'You have insufficient credit to run this model. Go to your account to purchase credit.',
  },
  '429': {
    title: 'Too many requests',
    detail: 'Request was throttled. Expected available in 1 second.',
  },
  '500': { title: 'Internal server error', detail: 'Something went wrong.' },
  '503': { title: 'Service unavailable', detail: 'The service is temporarily unavailable.' },
}

/** With `echo` it repeats what was sent, as careless servers do. */
export function failureAnswer(scenario: StatusScenario, request: RecordedRequest, echo: boolean): FakeAnswer {
  if (!isFailure(scenario)) throw new Error(`no failure: ${scenario}`)
  const { title, detail } = failures[scenario]
  const repeated = ` ${JSON.stringify(request.body)} ${request.headers.authorization} ${'iVBORw0KGgo'.repeat(30)}`
  const status = Number(scenario)
  return { status, body: { title, detail: echo ? detail + repeated : detail, status } }
}

function isFailure(scenario: StatusScenario): scenario is keyof typeof failures {
  return Object.hasOwn(failures, scenario)
}
