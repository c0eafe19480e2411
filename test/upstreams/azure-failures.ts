/** What Azure OpenAI says when it will not or cannot. Its gateway says only a code and a message. */
import type { WorkScenario } from '../../src/providers/testing/conformance.ts'
import type { FakeAnswer, RecordedRequest, StatusScenario } from './fake-upstream.ts'

/** A refusal of the gateway before the models. */
export class AzureRefusal extends Error {
  readonly answer: FakeAnswer

  constructor(status: number, code: string, message: string) {
    super(message)
    this.answer = { status, body: { error: { code, message } } }
  }
}

export function refuseKey(): never {
  throw new AzureRefusal(401, '401', failures['401'].message)
}

export function refuseDeployment(): never {
  throw new AzureRefusal(
    404,
    'DeploymentNotFound',
    'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
  )
}

export function refuseAddress(): never {
  throw new AzureRefusal(404, '404', 'Resource not found')
}

/** What is asked of vendors that answer later means nothing here. */
type Failure = Exclude<StatusScenario, 'empty' | WorkScenario>

const failures: Record<
  Failure,
  { status: number; code: string; message: string; headers?: Record<string, string> }
> = {
  moderation: {
    status: 400,
    code: 'contentFilter',
    message: 'Your task failed as a result of our safety system.',
  },
  '401': {
    status: 401,
    code: '401',
    message:
      'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
  },
  // Azure has no 402: a resource without quota left answers 403.
  '402': {
    status: 403,
    code: '403',
    message: 'Out of call volume quota. Quota will be replenished in 11 days.',
  },
  '429': {
    status: 429,
    code: 'RateLimitReached',
    message:
      'Requests to the ImageGenerations_Create Operation have exceeded call rate limit of your current pricing tier. Please retry after 1 second.',
    headers: { 'retry-after': '1' },
  },
  '500': {
    status: 500,
    code: 'InternalServerError',
    message: 'The server had an error while processing your request. Sorry about that!',
  },
  '503': {
    status: 503,
    code: 'ServiceUnavailable',
    message: 'The server is currently overloaded. Please try again later.',
    headers: { 'retry-after': '2' },
  },
}

/** The answer of a scenario. With `echo` it repeats what was sent, as careless servers do. */
export function azureFailureAnswer(
  scenario: StatusScenario,
  request: RecordedRequest,
  echo: boolean,
): FakeAnswer {
  const created = Math.floor(Date.now() / 1_000)
  if (scenario === 'empty') return { status: 200, body: { created, data: [] } }
  if (!isFailure(scenario)) throw new Error(`Azure OpenAI answers at once and knows no "${scenario}"`)
  const { status, code, message, headers } = failures[scenario]
  const repeated = ` ${JSON.stringify(request.body)} ${request.headers['api-key']} ${'iVBORw0KGgo'.repeat(30)}`
  const error = { code, message: echo ? message + repeated : message }
  return { status, headers, body: scenario === 'moderation' ? { created, error } : { error } }
}

function isFailure(scenario: StatusScenario): scenario is Failure {
  return Object.hasOwn(failures, scenario)
}
