/**
 * Gemini's errors and refusals in the words of the core (Gemini API guide "Troubleshooting" and Google's
 * `google.rpc.Status`, read 2026-11-20).
 */
import type { ProviderHttpAnswer } from '../http.ts'
import { ProviderError } from '../provider-error.ts'
import {
  type FailureKind,
  noPicture,
  type ProviderNames,
  vendorFailure,
  workFailure,
} from '../vendor-failure.ts'
import { type WireError, type WireReply, wireFailure } from './gemini-schema.ts'

/** The error that an answer with a status of 400 or more tells. */
export function geminiFailure(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  const parsed = wireFailure.safeParse(answer.json)
  const error = parsed.success ? parsed.data.error : undefined
  if (!error) return vendorFailure(answer, names)
  const { message, status: code } = error
  // Said of the project's country or its billing: nothing that a caller could change.
  if (code === 'FAILED_PRECONDITION') return notServed(answer, names, message)
  const words = { kind: kindOf(answer.status, error), message, code, param: paramOf(error) }
  return vendorFailure(withDelay(answer, error), names, words)
}

function kindOf(status: number, error: WireError): FailureKind | undefined {
  const { message = '', status: code, details } = error
  // A wrong key is an INVALID_ARGUMENT here.
  if (details.some(({ reason = '' }) => reason.startsWith('API_KEY_'))) return 'credentials'
  if (status === 400 && /\bAPI key (not valid|expired|not found)/i.test(message)) return 'credentials'
  if (code === 'UNAUTHENTICATED' || code === 'PERMISSION_DENIED') return 'credentials'
  if (code === 'RESOURCE_EXHAUSTED' && isUnpaid(error)) return 'unpaid'
  if (status === 400 && /payload size exceeds/i.test(message)) return 'too large'
  // It was begun, and Google stopped waiting for it.
  return code === 'DEADLINE_EXCEEDED' || code === 'CANCELLED' ? 'gave up' : undefined
}

/**
 * Every exhausted quota is called the same. One of nothing at all, as image models have it without billing, or money
 * that is used up does not come back by waiting.
 */
function isUnpaid({ message = '', details }: WireError): boolean {
  if (details.some(({ violations }) => violations.some(({ quotaValue }) => quotaValue === '0'))) return true
  return /\blimit: 0\b|free quota tier|prepay\w* credits|spending cap/i.test(message)
}

/** The wait stands in the body, as `17s` or `17.25s`, and not in a header. */
function withDelay(answer: ProviderHttpAnswer, { details }: WireError): ProviderHttpAnswer {
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(details.find((one) => one.retryDelay)?.retryDelay ?? '') ?? []
  if (seconds === undefined || answer.headers.get('retry-after') !== undefined) return answer
  const { headers } = answer
  const get = (name: string) => (name.toLowerCase() === 'retry-after' ? seconds : headers.get(name))
  return { ...answer, headers: { get } }
}

/** Google's paths of fields, by the end of which the caller's name is known. */
const callersNames: readonly [RegExp, string][] = [
  [/aspect_?ratio$/i, 'aspect_ratio'],
  [/image_?size$/i, 'image_size'],
  [/\bseed$/i, 'seed'],
  [/inline_?data\b/i, 'image'],
]

function paramOf({ details }: WireError): string | undefined {
  const fields = details.flatMap(({ fieldViolations }) => fieldViolations.map(({ field = '' }) => field))
  return callersNames.find(([pattern]) => fields.some((field) => pattern.test(field)))?.[1]
}

function notServed(answer: ProviderHttpAnswer, { title }: ProviderNames, message = ''): ProviderError {
  const quotation = answer.excerpt(message)
  return new ProviderError({
    code: 'upstream_failed',
    attribution: 'platform',
    message: `${title} does not serve Gesso's account, for its billing or from where Gesso runs.`,
    detail: `status ${answer.status} FAILED_PRECONDITION: ${quotation}`,
    dispatched: 'no',
  })
}

/** Reasons to finish that are refusals; the others are failures of Gemini's own. */
const refusals = new Set([
  'SAFETY',
  'IMAGE_SAFETY',
  'PROHIBITED_CONTENT',
  'IMAGE_PROHIBITED_CONTENT',
  'RECITATION',
  'IMAGE_RECITATION',
  'BLOCKLIST',
  'SPII',
])

/** Why a success holds no picture. */
export function refusalOf(reply: WireReply, answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  const { promptFeedback, candidates } = reply
  const block = promptFeedback?.blockReason
  const refused = candidates.find(({ finishReason = '' }) => refusals.has(finishReason))
  // With a reason to block, whichever it is, the prompt was never drawn. What stands beside it then is a shell.
  const isBegun = candidates.some(({ finishReason }) => finishReason !== undefined)
  const isBlocked = !isBegun && block !== undefined && !block.endsWith('_UNSPECIFIED')
  const reason = refused?.finishReason ?? (isBlocked ? block : undefined)
  if (reason !== undefined) {
    const said = refused ? refused.finishMessage : promptFeedback?.blockReasonMessage
    const message = said === undefined ? reason : `${reason}: ${said}`
    return workFailure(answer, names, { kind: 'moderation', code: reason, message })
  }
  const [first] = candidates
  const text = first?.content?.parts.find((part) => part.text !== undefined && !part.thought)?.text ?? ''
  const excerpt = answer.excerpt([first?.finishMessage ?? '', text].join(' ').trim())
  const finished = first?.finishReason ?? block ?? 'without a reason'
  return noPicture(
    names.title,
    'answered without a picture',
    `finished ${answer.excerpt(finished)}: ${excerpt}`,
  )
}
