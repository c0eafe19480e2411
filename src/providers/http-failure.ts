/**
 * How a call that brought no usable answer is told to the core: above all, whether the provider may have begun
 * to work for money. Causes are told as `detail` and not chained, because undici's errors carry pieces of the
 * answer.
 */
import { ProviderError } from './provider-error.ts'

/** How far a call got: the request was surely not written; it was; a successful answer has begun. */
export type Progress = 'unsent' | 'sent' | 'answered'

interface Broken {
  title: string
  progress: Progress
  /** For the log; already safe to print. */
  detail: string
}

/** The connection failed or broke. */
export function disconnected({ title, progress, detail }: Broken): ProviderError {
  if (progress === 'unsent') return unreachable({ title, detail, retryable: true })
  if (progress === 'answered') return unusable(title, 'broke off in the middle of its answer', detail)
  return unknown({ title, what: 'closed the connection without an answer', detail, dispatched: 'unknown' })
}

/** The deadline passed. */
export function timedOut({ title, progress, detail }: Broken): ProviderError {
  if (progress === 'unsent') return unreachable({ title, detail, retryable: true })
  const dispatched = progress === 'answered' ? 'yes' : 'unknown'
  return unknown({ title, what: 'did not answer in time', detail, dispatched })
}

/** The caller gave up. Never retryable, so that nobody starts again what was just stopped. */
export function abandoned({ title, progress, detail }: Broken): ProviderError {
  if (progress === 'unsent') return unreachable({ title, detail, retryable: false })
  const dispatched = progress === 'answered' ? 'yes' : 'unknown'
  return unknown({ title, what: 'was not waited for', detail, dispatched })
}

/** An input picture could not be read while it was sent. A request that breaks off is most likely not acted on. */
export function sourceFailed({ title, progress, detail }: Broken): ProviderError {
  if (progress === 'answered') return unusable(title, 'answered before it had an input picture whole', detail)
  const isBegun = progress === 'sent'
  const consequence = isBegun ? `while it was sent to ${title}. Gesso does not ask again` : `for ${title}`
  return new ProviderError({
    code: isBegun ? 'outcome_unknown' : 'internal_error',
    attribution: 'platform',
    message: `An input picture could not be read ${consequence}.`,
    detail,
    dispatched: isBegun ? 'unknown' : 'no',
  })
}

/** A success that cannot be taken: too large, encoded, cut. What it held is lost and maybe paid for. */
export function unusable(title: string, what: string, detail?: string): ProviderError {
  return new ProviderError({
    code: 'upstream_invalid_response',
    attribution: 'upstream',
    message: `${title} ${what}.`,
    detail,
    dispatched: 'yes',
  })
}

/** The provider pointed elsewhere. Following would hand the key and the prompt to another host. */
export function redirected(title: string, status: number, method: string): ProviderError {
  return new ProviderError({
    // Asking again costs nothing, and a host that moves for a moment must not cost accepted work.
    retryable: method === 'GET',
    code: 'upstream_failed',
    attribution: 'upstream',
    message: `${title} redirects (${status}), which Gesso does not follow. Its base URL may be wrong.`,
    dispatched: 'no',
  })
}

/** The request could not even be formed, for instance because a key holds a line break. */
export function unsendable(title: string, detail: string): ProviderError {
  return new ProviderError({
    code: 'upstream_failed',
    attribution: 'platform',
    message: `${title} could not be called: its base URL or key is malformed.`,
    detail,
    dispatched: 'no',
  })
}

function unreachable(options: { title: string; detail: string; retryable: boolean }): ProviderError {
  return new ProviderError({
    code: 'upstream_unavailable',
    attribution: 'upstream',
    message: `${options.title} could not be reached.`,
    detail: options.detail,
    retryable: options.retryable,
    dispatched: 'no',
  })
}

function unknown(options: {
  title: string
  what: string
  detail: string
  dispatched: 'yes' | 'unknown'
}): ProviderError {
  return new ProviderError({
    code: 'outcome_unknown',
    attribution: 'upstream',
    message: `${options.title} ${options.what}. The picture may have been made, so Gesso does not ask again.`,
    detail: options.detail,
    dispatched: options.dispatched,
  })
}
