/** How DashScope says no: its statuses, and its flat `{code, message, request_id}`. */
import { randomUUID } from 'node:crypto'
import type { FakeAnswer, RecordedRequest } from './fake-upstream.ts'

/** A refusal in DashScope's format. */
export class DashScopeRefusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }

  answer(): FakeAnswer {
    const { status, code, message } = this
    return { status, body: { code, message, request_id: randomUUID() } }
  }
}

/** The usual refusal. */
export function refuse(message: string): never {
  throw new DashScopeRefusal(400, 'InvalidParameter', message)
}

/** What the vendor says in each status that can be played (Model Studio's "Error codes", read 2026-11-20). */
const said = {
  '401': [401, 'InvalidApiKey', 'Invalid API-key provided.'],
  // There is no 402: an account without money gets a 400.
  '402': [400, 'Arrearage', 'Access denied, please make sure your account is in good standing.'],
  '429': [429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.'],
  '500': [500, 'InternalError', 'An internal error has occured, please try again later.'],
  '503': [503, 'ModelUnavailable', 'Model is unavailable, please try again later.'],
  moderation: [400, 'DataInspectionFailed', 'Input data may contain inappropriate content.'],
} as const

type Refusable = keyof typeof said

/** The answer of a scenario. `echo` is repeated in the message, as careless servers do. */
export function refusalOf(scenario: Refusable, echo: string): DashScopeRefusal {
  const [status, code, message] = said[scenario]
  return new DashScopeRefusal(status, code, message + echo)
}

/** Everything of a request that an error should not repeat. */
export function echoOf(request: RecordedRequest): string {
  return ` ${JSON.stringify(request.body)} ${request.headers.authorization} ${'iVBORw0KGgo'.repeat(30)}`
}
