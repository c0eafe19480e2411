/** What Ark says when it will not or cannot, in its own statuses, types and codes ("Error codes", read 2026-11-20). */
import { requestId } from './ark-rules.ts'
import type { FakeAnswer, RecordedRequest } from './fake-upstream.ts'

export type ArkFailure = '401' | '402' | '429' | '500' | '503' | 'moderation'

interface Said {
  status: number
  type: string
  code: string
  message: string
}

const failures: Record<ArkFailure, Said> = {
  moderation: {
    status: 400,
    type: 'BadRequest',
    code: 'InputTextSensitiveContentDetected',
    message: 'The request failed because the input text may contain sensitive information.',
  },
  '401': {
    status: 401,
    type: 'Unauthorized',
    code: 'AuthenticationError',
    message: 'the API key or AK/SK in the request is missing or invalid.',
  },
  // Ark has no 402: an empty account answers 403.
  '402': {
    status: 403,
    type: 'Forbidden',
    code: 'AccountOverdueError',
    message: 'The request failed because your account has an overdue balance.',
  },
  '429': {
    status: 429,
    type: 'TooManyRequests',
    code: 'ModelAccountIpmRateLimitExceeded',
    message: 'The Images Per Minute (IPM) limit of your account for this model has been exceeded.',
  },
  '500': {
    status: 500,
    type: 'InternalServerError',
    code: 'InternalServiceError',
    message: 'The service encountered an unexpected internal error.',
  },
  '503': {
    status: 503,
    type: 'ServiceUnavailable',
    code: 'ServiceUnavailable',
    message: 'The service is temporarily unavailable. Please try again later.',
  },
}

/** The answer of a failure. With `echo` it repeats what was sent, as careless servers do. */
export function arkFailureAnswer(failure: ArkFailure, request: RecordedRequest, echo: boolean): FakeAnswer {
  const { status, ...error } = failures[failure]
  const repeated = ` ${JSON.stringify(request.body)} ${request.headers.authorization} ${'iVBORw0KGgo'.repeat(30)}`
  const message = `${error.message} Request id: ${requestId}${echo ? repeated : ''}`
  return { status, body: { error: { ...error, message, param: '' } } }
}
