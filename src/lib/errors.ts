/**
 * The one error type that crosses the walls of Gesso.
 *
 * It says what went wrong as a code from a closed list, whose doing it was, and a sentence that may be shown
 * to the caller. It knows nothing of HTTP: `http/errors.ts` alone maps a code to a status.
 */

/** Every way a request can end without a picture. A new code needs its row in `http/errors.ts`. */
export type ErrorCode =
  | 'invalid_image_request'
  | 'unknown_parameter'
  | 'unsupported_parameter'
  | 'provider_not_configured'
  | 'unsupported_image'
  | 'moderation_blocked'
  | 'missing_api_key'
  | 'invalid_api_key'
  | 'insufficient_credit'
  | 'spend_limit_reached'
  | 'unpriced_model'
  | 'missing_scope'
  | 'model_not_allowed'
  | 'key_disabled'
  | 'signature_invalid'
  | 'model_not_found'
  | 'task_not_found'
  | 'image_not_found'
  | 'bucket_not_found'
  | 'account_not_found'
  | 'key_not_found'
  | 'provider_key_not_found'
  | 'route_not_found'
  | 'idempotency_in_progress'
  | 'idempotency_key_reused'
  | 'last_admin_key'
  | 'reference_reused'
  | 'request_too_large'
  | 'unsupported_media_type'
  | 'range_not_satisfiable'
  | 'request_timeout'
  | 'rate_limit_exceeded'
  | 'free_quota_exceeded'
  | 'queue_full'
  | 'internal_error'
  | 'upstream_failed'
  | 'upstream_invalid_response'
  | 'upstream_unavailable'
  | 'overloaded'
  | 'upstream_timeout'
  | 'outcome_unknown'

/** Whose doing an error was: the caller's, the provider's, a limit of this machine, or Gesso's own. */
export type Attribution = 'client' | 'upstream' | 'capacity' | 'platform'

export interface GessoErrorOptions {
  code: ErrorCode
  attribution: Attribution
  /** A sentence for the caller. Names the field, the value and what is allowed; never a key, never a stack. */
  message: string
  /** The request field at fault, in the caller's spelling. */
  param?: string | null
  /** For the log only: never shown to the caller. Must not hold a prompt, a key or base64. */
  detail?: string
  /** True only where the same request may be sent again without paying twice. */
  retryable?: boolean
  /** How long the caller should wait before it tries again, in milliseconds. */
  retryAfterMs?: number
  cause?: unknown
}

/** An error with a code, an attribution and a public message. */
export class GessoError extends Error {
  override name = 'GessoError'
  readonly code: ErrorCode
  readonly attribution: Attribution
  readonly param: string | null
  readonly detail: string | undefined
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(options: GessoErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.attribution = options.attribution
    this.param = options.param ?? null
    this.detail = options.detail
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A caller's mistake in one field: 400 `invalid_image_request` unless another code fits better. */
export function badRequest(
  param: string | null,
  message: string,
  code: ErrorCode = 'invalid_image_request',
): GessoError {
  return new GessoError({ code, attribution: 'client', message, param })
}
