/**
 * How a guarded fetch fails: inside as a reason, outside as an error that gives nothing away.
 *
 * Everything that was refused before a connection reads alike, a name that does not resolve included:
 * otherwise whoever may send a URL could map the network that Gesso stands in.
 */
import { type Attribution, type ErrorCode, GessoError } from '../lib/errors.ts'

/**
 * `url`, `address`: refused before any connection. `redirect`: too many, or without a target. `status`: not 200.
 * `encoding`: compressed although that was ruled out. `too_large`, `timeout`, `connection`: as they say.
 */
export type FetchFailureReason =
  | 'url'
  | 'address'
  | 'redirect'
  | 'status'
  | 'encoding'
  | 'too_large'
  | 'timeout'
  | 'connection'

/** A failure on its way out of this folder, which only `GuardedFetchError` leaves. */
export class FetchFailure extends Error {
  override name = 'FetchFailure'
  readonly reason: FetchFailureReason
  readonly status: number | undefined

  /** `detail` is for the log; `status` is the HTTP status of the foreign server. */
  constructor(reason: FetchFailureReason, detail: string, more: { status?: number; cause?: unknown } = {}) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause })
    this.reason = reason
    this.status = more.status
  }
}

/** Who is to blame for a URL that cannot be fetched. */
export interface FetchBlame {
  code: ErrorCode
  attribution: Attribution
  /** The request field that held the URL. */
  param?: string
}

/** A URL could not be fetched. `reason`, `status` and `detail` are for the log and for decisions, not for the caller. */
export class GuardedFetchError extends GessoError {
  override name = 'GuardedFetchError'
  readonly reason: FetchFailureReason
  readonly status: number | undefined

  constructor(failure: FetchFailure, blame: FetchBlame, message: string) {
    super({ ...blame, message, detail: `${failure.reason}: ${failure.message}`, cause: failure.cause })
    this.reason = failure.reason
    this.status = failure.status
  }
}

/** What the caller may know of the fetch that failed. */
export interface FailedFetch {
  url: string
  maxBytes: number
  maxUrlLength: number
}

/** The public sentence: the URL that was given, never one it redirected to, and never a byte of an answer. */
export function describeFailure(failure: FetchFailure, fetch: FailedFetch): string {
  const where = withoutSecrets(fetch.url)
  switch (failure.reason) {
    case 'url':
    case 'address':
      return (
        'The URL cannot be fetched. It must be http or https, name a public host that resolves, hold no ' +
        `credentials, use port 80, 443 or one above 1023, and have at most ${fetch.maxUrlLength} characters; ` +
        'the same holds for what it redirects to.'
      )
    case 'redirect':
      return `${where} redirects too often, or nowhere.`
    case 'status':
      return `${where} answered with status ${failure.status} instead of a file.`
    case 'encoding':
      return `${where} answered with compressed data although none was accepted.`
    case 'too_large':
      return `The file at ${where} is larger than ${fetch.maxBytes} bytes.`
    case 'timeout':
      return `${where} did not answer in time.`
    case 'connection':
      return `${where} could not be reached, or broke off its answer.`
  }
}

/** Scheme, host and path only: signatures are kept in queries, and passwords before hosts. */
function withoutSecrets(text: string): string {
  const url = URL.parse(text)
  return url ? `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200) : 'The URL'
}
