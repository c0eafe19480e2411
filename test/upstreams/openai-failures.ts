/** What OpenAI says when it will not or cannot, in its own statuses, types and codes. */
import type { WorkScenario } from '../../src/providers/testing/conformance.ts'
import type { FakeAnswer, RecordedRequest, StatusScenario } from './fake-upstream.ts'

interface Said {
  status: number
  message: string
  type: string
  code: string | null
  headers?: Record<string, string>
}

/** What is asked of vendors that answer later means nothing here. */
type Failure = Exclude<StatusScenario, 'empty' | WorkScenario>

const failures: Record<Failure, Said> = {
  moderation: {
    status: 400,
    message: 'Your request was rejected by the safety system. safety_violations=[violence].',
    type: 'image_generation_user_error',
    code: 'moderation_blocked',
  },
  '401': {
    status: 401,
    message: 'Incorrect API key provided: sk-proj-***. You can find your API key in your account.',
    type: 'invalid_request_error',
    code: 'invalid_api_key',
  },
  // OpenAI has no 402: an empty account answers 429.
  '402': {
    status: 429,
    message: 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  },
  '429': {
    status: 429,
    message: 'Rate limit reached for gpt-image-2 on input-images per min: Limit 5, Used 5, Requested 1.',
    type: 'input-images',
    code: 'rate_limit_exceeded',
    headers: { 'retry-after': '1', 'retry-after-ms': '250' },
  },
  '500': {
    status: 500,
    message: 'The server had an error while processing your request. Sorry about that!',
    type: 'server_error',
    code: null,
  },
  '503': {
    status: 503,
    message: 'The engine is currently overloaded, please try again later.',
    type: 'server_error',
    code: null,
    headers: { 'retry-after': '2' },
  },
}

/** The answer of a scenario. With `echo` it repeats what was sent, as careless servers do. */
export function openaiFailureAnswer(
  scenario: StatusScenario,
  request: RecordedRequest,
  echo: boolean,
): FakeAnswer {
  if (scenario === 'empty') return { status: 200, body: { created: 1_770_000_000, data: [] } }
  if (!isFailure(scenario)) throw new Error(`OpenAI answers at once and knows no "${scenario}"`)
  const { status, message, type, code, headers } = failures[scenario]
  const repeated = ` ${JSON.stringify(request.body)} ${request.headers.authorization} ${'iVBORw0KGgo'.repeat(30)}`
  return {
    status,
    headers,
    body: { error: { message: echo ? message + repeated : message, type, param: null, code } },
  }
}

function isFailure(scenario: StatusScenario): scenario is Failure {
  return Object.hasOwn(failures, scenario)
}
