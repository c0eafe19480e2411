/**
 * OpenAI's errors in the words of the core: whose doing it was, whether money may be gone, whether to try
 * again. The status decides, except where one status means several things and `code` tells them apart.
 */
import type { GessoErrorOptions } from '../../lib/errors.ts'
import type { ProviderHttpAnswer } from '../http.ts'
import { type Dispatched, ProviderError } from '../provider-error.ts'
import { retryAfterMs } from '../retry-after.ts'
import { type WireError, wireReply } from './openai-schema.ts'

export interface ProviderNames {
  title: string
  /** The variable that holds the key. */
  apiKey: string
  /** The variable that moves the provider. */
  baseUrl: string
}

type Told = Omit<GessoErrorOptions, 'message'> & { dispatched: Dispatched; says: string; quoted?: boolean }

/**
 * The error that `answer` (or one entry of it) tells. Quotes upstream's message where it helps the caller. Inside
 * a successful answer the error may have come after the work, so there it never says that nothing was begun.
 */
export function openaiFailure(
  answer: ProviderHttpAnswer,
  names: ProviderNames,
  error: WireError | undefined = readError(answer),
): ProviderError {
  const { says, quoted, ...told } =
    answer.status >= 400 ? tell(answer, names, error) : tellLate(answer, names, error)
  const { title } = names
  const quotation = answer.excerpt(error?.message ?? '')
  const kind = answer.excerpt([error?.type, error?.code].join(' '))
  return new ProviderError({
    ...told,
    message: quoted && quotation ? `${title} ${says}: ${quotation}` : `${title} ${says}.`,
    detail: `status ${answer.status} ${kind}: ${quotation || answer.excerpt()}`,
  })
}

function tell(answer: ProviderHttpAnswer, names: ProviderNames, error: WireError | undefined): Told {
  const status = answer.status >= 400 ? answer.status : statusOf(error)
  const upstream = { code: 'upstream_failed', attribution: 'upstream' } as const
  const platform = { code: 'upstream_failed', attribution: 'platform' } as const
  if (answer.status < 500 && isModeration(error)) {
    return {
      code: 'moderation_blocked',
      attribution: 'client',
      dispatched: 'yes',
      says: 'refused',
      quoted: true,
    }
  }
  if (status === 402 || (answer.status < 500 && isUnpaid(error))) {
    return {
      ...platform,
      dispatched: 'no',
      says: "declines: Gesso's account there has no credit or quota left",
    }
  }
  if (status === 400 || status === 422) {
    const named = error?.param ?? ''
    const param = named !== '' && answer.excerpt(named) === named ? named : null
    const code = 'invalid_image_request'
    return { code, attribution: 'client', param, dispatched: 'no', says: 'did not accept this', quoted: true }
  }
  if (status === 401 || status === 403) {
    return { ...platform, dispatched: 'no', says: `refused Gesso's credentials; check ${names.apiKey}` }
  }
  if (status === 404) {
    const says = `does not know this model, or ${names.baseUrl} leads nowhere`
    return { ...platform, dispatched: 'no', says, quoted: true }
  }
  if (status === 413) {
    const says = 'does not take a request as large as this'
    return { code: 'request_too_large', attribution: 'client', dispatched: 'no', says, quoted: true }
  }
  if (status === 429) {
    const wait = { retryable: true, retryAfterMs: retryAfterMs(answer.headers) ?? 1_000 }
    const code = 'rate_limit_exceeded'
    return {
      code,
      attribution: 'capacity',
      dispatched: 'no',
      says: "limits Gesso's calls right now",
      ...wait,
    }
  }
  if (status === 503) {
    const wait = { retryable: true, retryAfterMs: retryAfterMs(answer.headers) }
    const code = 'upstream_unavailable'
    return { code, attribution: 'upstream', dispatched: 'no', says: 'is unavailable right now', ...wait }
  }
  if (status === 504) {
    const code = 'outcome_unknown'
    return { code, attribution: 'upstream', dispatched: 'unknown', says: 'did not finish in time' }
  }
  // Whoever answers 408 or 5xx may have worked before it failed; another 4xx is a call that was never taken up.
  const dispatched = status >= 500 || status === 408 ? 'yes' : 'no'
  return { ...upstream, dispatched, says: answer.status < 400 ? 'failed' : `failed with status ${status}` }
}

/** A success status with an error inside. Codes that invite a repetition would invite paying twice. */
function tellLate(answer: ProviderHttpAnswer, names: ProviderNames, error: WireError | undefined): Told {
  const { retryAfterMs: _, ...told } = tell(answer, names, error)
  const code = told.retryable ? 'upstream_failed' : told.code
  return { ...told, code, dispatched: 'yes', retryable: false }
}

function readError(answer: ProviderHttpAnswer): WireError | undefined {
  const reply = wireReply.safeParse(answer.json)
  return reply.success ? reply.data.error : undefined
}

/** The status that an error inside a successful answer would have had. */
function statusOf(error: WireError | undefined): number {
  const code = Number(error?.code)
  if (Number.isInteger(code) && code >= 400 && code < 600) return code
  const words = `${error?.type} ${error?.code}`
  if (/rate_?limit/i.test(words)) return 429
  if (/authentication|invalid_api_key|permission/i.test(words)) return 401
  return /invalid_request|invalid_value|unknown_parameter/i.test(words) ? 400 : 500
}

/**
 * `moderation_blocked`, `content_policy_violation`, `contentFilter` (Azure),
 * `OutputImageSensitiveContentDetected` (Ark) and their like.
 */
function isModeration(error: WireError | undefined): boolean {
  if (/moderation|content_?policy|content_?filter|safety|sensitive/i.test(error?.code ?? '')) return true
  return (
    error?.type === 'image_generation_user_error' &&
    /safety system|safety_violations/i.test(error.message ?? '')
  )
}

/** `insufficient_quota` comes with 429, `billing_hard_limit_reached` with 400: both need a person with a wallet. */
function isUnpaid(error: WireError | undefined): boolean {
  return /insufficient_(quota|balance|credit|funds)|billing/i.test(`${error?.type} ${error?.code}`)
}
