/**
 * The one place where an error becomes a status. Exhaustive over the closed list of codes; a failure that is not
 * a `GessoError` shows no inner text, only the request id.
 */
import type { ErrorCode } from '../lib/errors.ts'
import { GessoError } from '../lib/errors.ts'

interface Presentation {
  status: number
  type: string
}

const invalidRequest = 'invalid_request_error'

const presentations: Record<ErrorCode, Presentation> = {
  invalid_image_request: { status: 400, type: invalidRequest },
  unknown_parameter: { status: 400, type: invalidRequest },
  unsupported_parameter: { status: 400, type: invalidRequest },
  provider_not_configured: { status: 400, type: invalidRequest },
  unsupported_image: { status: 400, type: invalidRequest },
  moderation_blocked: { status: 400, type: invalidRequest },
  missing_api_key: { status: 401, type: 'authentication_error' },
  invalid_api_key: { status: 401, type: 'authentication_error' },
  insufficient_credit: { status: 402, type: 'billing_error' },
  spend_limit_reached: { status: 402, type: 'billing_error' },
  unpriced_model: { status: 402, type: 'billing_error' },
  missing_scope: { status: 403, type: 'permission_error' },
  model_not_allowed: { status: 403, type: 'permission_error' },
  key_disabled: { status: 403, type: 'permission_error' },
  signature_invalid: { status: 403, type: 'permission_error' },
  model_not_found: { status: 404, type: 'not_found_error' },
  task_not_found: { status: 404, type: 'not_found_error' },
  image_not_found: { status: 404, type: 'not_found_error' },
  bucket_not_found: { status: 404, type: 'not_found_error' },
  account_not_found: { status: 404, type: 'not_found_error' },
  key_not_found: { status: 404, type: 'not_found_error' },
  provider_key_not_found: { status: 404, type: 'not_found_error' },
  route_not_found: { status: 404, type: 'not_found_error' },
  request_timeout: { status: 408, type: invalidRequest },
  idempotency_in_progress: { status: 409, type: 'conflict_error' },
  idempotency_key_reused: { status: 409, type: 'conflict_error' },
  last_admin_key: { status: 409, type: 'conflict_error' },
  reference_reused: { status: 409, type: 'conflict_error' },
  request_too_large: { status: 413, type: invalidRequest },
  unsupported_media_type: { status: 415, type: invalidRequest },
  range_not_satisfiable: { status: 416, type: invalidRequest },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  free_quota_exceeded: { status: 429, type: 'rate_limit_error' },
  queue_full: { status: 429, type: 'rate_limit_error' },
  internal_error: { status: 500, type: 'internal_server_error' },
  upstream_failed: { status: 502, type: 'upstream_error' },
  upstream_invalid_response: { status: 502, type: 'upstream_error' },
  upstream_unavailable: { status: 503, type: 'upstream_error' },
  overloaded: { status: 503, type: 'upstream_error' },
  upstream_timeout: { status: 504, type: 'upstream_error' },
  outcome_unknown: { status: 504, type: 'upstream_error' },
}

/** Every code with its status and type, for the documentation. */
export function errorCatalogue(): { code: string; status: number; type: string }[] {
  return Object.entries(presentations).map(([code, presentation]) => ({ code, ...presentation }))
}

/** OpenAI's error object; all four keys are always there. */
export interface ErrorBody {
  error: { message: string; type: string; code: string; param: string | null }
}

export interface HttpError {
  status: number
  headers: Record<string, string>
  body: ErrorBody
}

const maxMessageCharacters = 1_900

/** Turns whatever was thrown into the answer the caller gets. */
export function toHttpError(error: unknown, requestId: string): HttpError {
  const known = error instanceof GessoError ? error : (fromFastify(error) ?? unknownFailure(requestId))
  const { status, type } = presentations[known.code]
  return {
    status,
    headers: {
      // Says plainly whether a client may send the same again; without it the SDKs repeat every 5xx.
      'x-should-retry': String(known.retryable),
      ...(status === 429 || (known.retryable && (status === 503 || status === 409))
        ? { 'retry-after': String(Math.max(1, Math.ceil((known.retryAfterMs ?? 1_000) / 1_000))) }
        : {}),
    },
    body: { error: { message: shorten(known.message), type, code: known.code, param: known.param } },
  }
}

/** A task's recorded error in the same shape. */
export function toErrorBody(error: {
  code: string
  message: string
  param: string | null
}): ErrorBody['error'] {
  const type = presentations[error.code as ErrorCode]?.type ?? 'internal_server_error'
  return { message: error.message, type, code: error.code, param: error.param }
}

function unknownFailure(requestId: string): GessoError {
  return new GessoError({
    code: 'internal_error',
    attribution: 'platform',
    message: `The server failed for a reason of its own. If it happens again, tell its operator the request id ${requestId}.`,
  })
}

/** The framework's own refusals, which happen before a route is reached. */
const fastifyErrors: Record<string, { code: ErrorCode; message: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'request_too_large',
    message: 'The request body is larger than this server takes.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    message:
      'This content type is not understood here; send JSON with the header "Content-Type: application/json".',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_image_request',
    message: 'The body does not have the length that the Content-Length header says.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'route_not_found',
    message: 'This address is longer than any that exists here.',
  },
  FST_ERR_BAD_URL: { code: 'route_not_found', message: 'This address is not well formed.' },
}

function fromFastify(error: unknown): GessoError | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = fastifyErrors[code]
  return known && new GessoError({ ...known, attribution: 'client', cause: error })
}

function shorten(message: string): string {
  return message.length > maxMessageCharacters
    ? `${message.slice(0, maxMessageCharacters).toWellFormed()}…`
    : message
}
