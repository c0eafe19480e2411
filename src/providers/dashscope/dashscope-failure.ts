/**
 * DashScope's error codes in the words of the core (Model Studio's "Error codes", read 2026-11-20). The same codes stand
 * in errors of a call, in failed tasks and beside single pictures of a task that succeeded.
 */
import type { ProviderHttpAnswer } from '../http.ts'
import { ProviderError } from '../provider-error.ts'
import {
  checkFailure,
  type FailureKind,
  type ProviderNames,
  type VendorWords,
  vendorFailure,
  workFailure,
} from '../vendor-failure.ts'
import { wireAnswer } from './dashscope-schema.ts'

/** `code` and `message`, wherever they stand. */
interface Coded {
  code?: string
  message?: string
}

const kinds: readonly [RegExp, FailureKind][] = [
  // `InvalidParameter.DataInspection` is another matter: there an input could not be read.
  [/^(Data_?Inspection_?Failed|IPInfringementSuspect|FaqRuleBlocked|CustomRoleBlocked)/i, 'moderation'],
  [/^(Arrearage|AllocationQuota\.FreeTierOnly|\w*BillOverdue|CommodityNotPurchased)/i, 'unpaid'],
  [/^Throttling/i, 'rate limit'],
  [/^(InvalidApiKey|AccessDenied|Model\.AccessDenied|Workspace\.AccessDenied)/i, 'credentials'],
  [/^(ModelNotFound|WorkSpaceNotFound)/i, 'unknown model'],
  [/^Invalid_?(Parameter|URL)/i, 'request'],
]

/** The answer to a call for pictures, with a status of 400 or more. */
export function callFailure(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  return vendorFailure(answer, withRegion(names), wordsOf(readCoded(answer)))
}

/**
 * The answer to a question about a task, with a status of 400 or more. A bill that is due or too many questions are about
 * the asking, with whatever status: the task is paid for and goes on.
 */
export function questionFailure(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  const { status } = answer
  if (status === 404) return lostTask(names, answer.excerpt())
  const words = wordsOf(readCoded(answer))
  const mayPass = status === 408 || status === 429 || status >= 500
  if (!mayPass && (words.kind === 'unpaid' || words.kind === 'rate limit'))
    return unreadableState(names, answer.excerpt())
  return checkFailure(answer, withRegion(names), mayPass ? { ...words, kind: undefined } : words)
}

/** A task that failed, or one picture of a task. */
export function taskFailure(answer: ProviderHttpAnswer, names: ProviderNames, coded: Coded): ProviderError {
  return workFailure(answer, names, wordsOf(coded))
}

/** Someone stopped the task: this Gesso, or a person in the vendor's console. */
export function canceledTask({ title }: ProviderNames): ProviderError {
  return new ProviderError({
    code: 'upstream_failed',
    attribution: 'upstream',
    message: `${title} stopped the work because it was canceled.`,
    dispatched: 'yes',
  })
}

/** The vendor has no memory of the task, so nobody will ever know what became of it. */
export function lostTask({ title, baseUrl }: ProviderNames, detail?: string): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'upstream',
    message: `${title} no longer knows this work; it may be over for more than a day, or ${baseUrl} may have moved to another region.`,
    detail,
    dispatched: 'unknown',
  })
}

/** A success that is no answer to the question how the task is going. The task goes on, so asking again is right. */
export function unreadableState({ title }: ProviderNames, detail: string): ProviderError {
  return new ProviderError({
    code: 'upstream_unavailable',
    attribution: 'upstream',
    message: `${title} does not tell how the work is going.`,
    detail,
    dispatched: 'yes',
    retryable: true,
  })
}

function readCoded(answer: ProviderHttpAnswer): Coded {
  const read = wireAnswer.safeParse(answer.json)
  return read.success ? read.data : {}
}

/** What the vendor denies to a good key: a call at once where there are only tasks, or the other way round. */
const wrongProtocol = /\ba?synchronous calls?\b/i

function wordsOf({ code, message }: Coded): VendorWords {
  if (/^AccessDenied/i.test(code ?? '') && wrongProtocol.test(message ?? ''))
    return { kind: 'unknown model', code, message: `its dialect may be another one. ${message}` }
  const kind = code === undefined ? undefined : kinds.find(([pattern]) => pattern.test(code))?.[1]
  return { kind, code, message, ...(/^Invalid_?URL/i.test(code ?? '') ? { param: 'image' } : undefined) }
}

/** A good key of the wrong region looks like a bad key, so whoever is told to check the key is told that too. */
function withRegion(names: ProviderNames): ProviderNames {
  const advice = `which belongs to one region, and ${names.baseUrl}, which chooses the region`
  return { ...names, apiKey: `${names.apiKey}, ${advice}` }
}
