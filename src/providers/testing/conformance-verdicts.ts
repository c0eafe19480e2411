/** What each way to fail must be told as. */
import type { Attribution, ErrorCode } from '../../lib/errors.ts'
import type { Dispatched } from '../provider-error.ts'
import type { UpstreamScenario } from './conformance-world.ts'

export interface Verdict {
  code: ErrorCode
  attribution: Attribution
  dispatched: Dispatched
  retryable: boolean
}

const lost: Verdict = {
  code: 'upstream_invalid_response',
  attribution: 'upstream',
  dispatched: 'yes',
  retryable: false,
}
const declined: Verdict = {
  code: 'upstream_failed',
  attribution: 'platform',
  dispatched: 'no',
  retryable: false,
}

/** What each way to fail must be told as. */
export const verdicts: Record<Exclude<UpstreamScenario, 'ok'>, Verdict> = {
  moderation: { code: 'moderation_blocked', attribution: 'client', dispatched: 'yes', retryable: false },
  '401': declined,
  '402': declined,
  '429': { code: 'rate_limit_exceeded', attribution: 'capacity', dispatched: 'no', retryable: true },
  '500': { code: 'upstream_failed', attribution: 'upstream', dispatched: 'yes', retryable: false },
  '503': { code: 'upstream_unavailable', attribution: 'upstream', dispatched: 'no', retryable: true },
  empty: lost,
  garbage: lost,
  truncated: lost,
  oversize: lost,
  silent: { code: 'outcome_unknown', attribution: 'upstream', dispatched: 'unknown', retryable: false },
  redirect: { code: 'upstream_failed', attribution: 'upstream', dispatched: 'no', retryable: false },
  refused: { code: 'upstream_unavailable', attribution: 'upstream', dispatched: 'no', retryable: true },
}
