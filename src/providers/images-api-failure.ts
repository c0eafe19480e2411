/**
 * Errors of the Images API in the words of the core. The status decides, except where one status means several things
 * and the error's own words tell them apart.
 */
import type { ProviderHttpAnswer } from './http.ts'
import { type WireError, wireReply } from './images-api-schema.ts'
import type { ProviderError } from './provider-error.ts'
import {
  type FailureKind,
  type ProviderNames,
  type VendorWords,
  vendorFailure,
  workFailure,
} from './vendor-failure.ts'

/**
 * The error that `answer` (or one entry or event of it) tells. Quotes upstream's message where it helps the caller.
 * Inside a successful answer the error may have come after the work, so there it never says that nothing was begun.
 */
export function imagesApiFailure(
  answer: ProviderHttpAnswer,
  names: ProviderNames,
  error: WireError | undefined = readError(answer),
): ProviderError {
  const { message, type, code, param = '' } = error ?? {}
  const words: VendorWords = {
    message,
    code: [type, code].filter(Boolean).join(' '),
    // A name that may not be quoted is none.
    ...(param !== '' && answer.excerpt(param) === param ? { param } : {}),
  }
  if (answer.status >= 400) {
    const kind = answer.status < 500 ? ownKind(error) : undefined
    return vendorFailure(answer, names, { ...words, kind })
  }
  return workFailure(answer, names, { ...words, kind: ownKind(error) ?? lateKind(error) })
}

function readError(answer: ProviderHttpAnswer): WireError | undefined {
  const reply = wireReply.safeParse(answer.json)
  return reply.success ? reply.data.error : undefined
}

/** What statuses do not tell. */
function ownKind(error: WireError | undefined): FailureKind | undefined {
  if (isModeration(error)) return 'moderation'
  // `insufficient_quota` comes with 429, `billing_hard_limit_reached` with 400: both need a person with a wallet.
  const isUnpaid = /insufficient_(quota|balance|credit|funds)|billing/i.test(`${error?.type} ${error?.code}`)
  return isUnpaid ? 'unpaid' : undefined
}

/**
 * `moderation_blocked`, `content_policy_violation`, `contentFilter` (Azure, which may hide
 * `ResponsibleAIPolicyViolation` behind another code), `OutputImageSensitiveContentDetected` (Ark) and their like.
 */
function isModeration(error: WireError | undefined): boolean {
  const codes = [error?.code, error?.inner_error?.code, error?.innererror?.code].join(' ')
  if (/moderation|content_?policy|content_?filter|safety|sensitive|responsibleai/i.test(codes)) return true
  return (
    error?.type === 'image_generation_user_error' &&
    /safety system|safety_violations/i.test(error.message ?? '')
  )
}

/** What an error inside a successful answer would have been: some servers say a status as its code. */
const lateKinds: readonly [RegExp, FailureKind][] = [
  [/\b402\b/, 'unpaid'],
  [/\b40[13]\b/, 'credentials'],
  [/\b4(00|22)\b/, 'request'],
  [/\b404\b/, 'unknown model'],
  [/\b413\b/, 'too large'],
  [/\b503\b/, 'unavailable'],
  [/\b504\b/, 'gave up'],
  [/\b429\b|rate_?limit/i, 'rate limit'],
  [/authentication|invalid_api_key|permission/i, 'credentials'],
  [/invalid_request|invalid_value|unknown_parameter/i, 'request'],
]

function lateKind(error: WireError | undefined): FailureKind | undefined {
  const words = `${error?.type} ${error?.code}`
  return lateKinds.find(([pattern]) => pattern.test(words))?.[1]
}
