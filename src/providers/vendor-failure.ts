/**
 * A vendor's failure in the words of the core: whose doing it was, whether money may be gone, whether to try again.
 * Statuses mean the same everywhere; where a vendor's own code says more, its adapter says so as `kind`.
 */
import type { GessoErrorOptions } from '../lib/errors.ts'
import type { ProviderHttpAnswer } from './http.ts'
import { type Dispatched, ProviderError } from './provider-error.ts'
import { retryAfterMs } from './retry-after.ts'

/** What a provider is called, for messages that say what to do. */
export interface ProviderNames {
  title: string
  /** The variable that holds the key. */
  apiKey: string
  /** The variable that moves the provider. */
  baseUrl: string
}

/** What a failure is about, where the vendor's words tell more than the status. */
export type FailureKind =
  | 'moderation'
  /** The account there has no money or quota left. */
  | 'unpaid'
  /** The request is at fault. */
  | 'request'
  | 'credentials'
  /** The model or the address is unknown. */
  | 'unknown model'
  | 'too large'
  | 'rate limit'
  | 'unavailable'
  /** The vendor gave up waiting for its own work. */
  | 'gave up'
  | 'failed'

/** What the vendor says of it. */
export interface VendorWords {
  /** Overrides what the status means. */
  kind?: FailureKind
  /** Quoted to the caller where it helps. */
  message?: string
  /** The vendor's code or type, for the log. */
  code?: string
  /** The caller's name of the field at fault. */
  param?: string
}

type Told = Omit<GessoErrorOptions, 'message'> & { dispatched: Dispatched; says: string; quoted?: boolean }

/** The error that an answer with a status of 400 or more tells to whoever asked for pictures. */
export function vendorFailure(
  answer: ProviderHttpAnswer,
  names: ProviderNames,
  words: VendorWords = {},
): ProviderError {
  const kind = words.kind ?? kindOf(answer.status)
  return toError(answer, names, words, tell(kind, answer, names, words))
}

/**
 * The error of work that was accepted and then failed, or of one picture of it. The work had begun, so nothing here
 * invites a repetition.
 */
export function workFailure(
  answer: ProviderHttpAnswer,
  names: ProviderNames,
  words: VendorWords = {},
): ProviderError {
  const { retryAfterMs: _, ...told } = tell(words.kind ?? 'failed', answer, names, words)
  const code = told.retryable ? 'upstream_failed' : told.code
  return toError(answer, names, words, { ...told, code, dispatched: 'yes', retryable: false })
}

/**
 * The error of an answer to a question about accepted work. A status that may pass is `retryable`: the work goes on, and
 * asking again costs nothing.
 */
export function checkFailure(
  answer: ProviderHttpAnswer,
  names: ProviderNames,
  words: VendorWords = {},
): ProviderError {
  const { status } = answer
  // Credentials and credit too: keys are changed and accounts filled while work is under way, and what is paid for waits
  // to be asked for.
  const passing = [401, 402, 403, 408, 429].includes(status) || status >= 500
  const mayPass = passing && [undefined, 'credentials', 'unpaid'].includes(words.kind)
  // Without words the status is about the question, and neither about the caller's request nor about the model.
  if (!mayPass) return workFailure(answer, names, { ...words, kind: words.kind ?? 'failed' })
  return toError(answer, names, words, {
    code: 'upstream_unavailable',
    attribution: 'upstream',
    dispatched: 'yes',
    retryable: true,
    retryAfterMs: retryAfterMs(answer.headers),
    says: `does not tell how the work is going (status ${status})`,
  })
}

/** A success without what it promised: maybe paid for, and nothing to deliver. `what` follows the title. */
export function noPicture(title: string, what: string, detail?: string): ProviderError {
  return new ProviderError({
    code: 'upstream_invalid_response',
    attribution: 'upstream',
    message: `${title} ${what}.`,
    detail,
    dispatched: 'yes',
  })
}

/** A provider that is on and has no key. */
export function missingKey({ title, apiKey }: ProviderNames): ProviderError {
  return new ProviderError({
    code: 'provider_not_configured',
    attribution: 'platform',
    message: `${title} has no key: set ${apiKey}.`,
    dispatched: 'no',
  })
}

function kindOf(status: number): FailureKind {
  if (status === 400 || status === 422) return 'request'
  if (status === 401 || status === 403) return 'credentials'
  if (status === 402) return 'unpaid'
  if (status === 404) return 'unknown model'
  if (status === 413) return 'too large'
  if (status === 429) return 'rate limit'
  if (status === 503) return 'unavailable'
  return status === 504 ? 'gave up' : 'failed'
}

function tell(
  kind: FailureKind,
  { status, headers }: ProviderHttpAnswer,
  names: ProviderNames,
  { param }: VendorWords,
): Told {
  const upstream = { code: 'upstream_failed', attribution: 'upstream' } as const
  const platform = { code: 'upstream_failed', attribution: 'platform', dispatched: 'no' } as const
  const client = { attribution: 'client', quoted: true } as const
  switch (kind) {
    case 'moderation':
      return { ...client, code: 'moderation_blocked', dispatched: 'yes', says: 'refused' }
    case 'unpaid':
      return { ...platform, says: 'declines: the account there has no credit or quota left' }
    case 'request': {
      const code = 'invalid_image_request'
      return { ...client, code, param: param ?? null, dispatched: 'no', says: 'did not accept this' }
    }
    case 'credentials':
      return {
        ...platform,
        says: `refused the credentials; check ${names.apiKey}, or the account's own key where it was used`,
      }
    case 'unknown model': {
      const says = `does not know this model, or ${names.baseUrl} leads nowhere`
      return { ...platform, says, quoted: true }
    }
    case 'too large': {
      const says = 'does not take a request as large as this'
      return { ...client, code: 'request_too_large', dispatched: 'no', says }
    }
    case 'rate limit': {
      const wait = { retryable: true, retryAfterMs: retryAfterMs(headers) ?? 1_000 }
      const says = "limits Gesso's calls right now"
      return { code: 'rate_limit_exceeded', attribution: 'capacity', dispatched: 'no', says, ...wait }
    }
    case 'unavailable': {
      const wait = { retryable: true, retryAfterMs: retryAfterMs(headers) }
      const says = 'is unavailable right now'
      return { code: 'upstream_unavailable', attribution: 'upstream', dispatched: 'no', says, ...wait }
    }
    case 'gave up': {
      const says = 'did not finish in time'
      return { code: 'outcome_unknown', attribution: 'upstream', dispatched: 'unknown', says }
    }
    default: {
      // Whoever answers 408 or 5xx may have worked before it failed; another 4xx is a call that was never taken up.
      const dispatched = status >= 400 && status < 500 && status !== 408 ? 'no' : 'yes'
      return { ...upstream, dispatched, says: status < 400 ? 'failed' : `failed with status ${status}` }
    }
  }
}

function toError(
  answer: ProviderHttpAnswer,
  { title }: ProviderNames,
  { message, code }: VendorWords,
  { says, quoted, ...told }: Told,
): ProviderError {
  const quotation = answer.excerpt(message ?? '')
  const kind = answer.excerpt(code ?? '')
  return new ProviderError({
    ...told,
    message: quoted && quotation ? `${title} ${says}: ${quotation}` : `${title} ${says}.`,
    detail: `status ${answer.status} ${kind}: ${quotation || answer.excerpt()}`,
  })
}
