/** Why admission refused, in words: which limit, of whom, how much it is, and when there will be room. */

import { missingScope } from '../keys/scopes.ts'
import { GessoError } from '../lib/errors.ts'
import type { Admission, Owner, QuotaState, RateState } from '../tasks/admit-task.ts'
import { modelNotAllowed } from './plan.ts'

/** A refusal of admission; carries where the caller stands, for the answer's headers. Nothing was written. */
export class AdmissionError extends GessoError {
  override name = 'AdmissionError'
  readonly rate: RateState | undefined
  readonly quota: QuotaState | undefined

  constructor(
    options: ConstructorParameters<typeof GessoError>[0],
    state: { rate?: RateState; quota?: QuotaState } = {},
  ) {
    super(options)
    this.rate = state.rate
    this.quota = state.quota
  }
}

/** An admission that led to no task. */
export type Refusal = Exclude<Admission, { outcome: 'admitted' } | { outcome: 'repeated' }>

/** What was asked for, as far as messages speak of it. */
interface Asked {
  model: string
  images: number
  now: Date
}

/** The error that the caller gets. */
export function refusal(refused: Refusal, asked: Asked): GessoError {
  switch (refused.outcome) {
    case 'scope_missing':
      return missingScope('images:write')
    case 'key_gone':
      return new GessoError({
        code: 'invalid_api_key',
        attribution: 'client',
        message: 'This API key has been revoked or has expired.',
      })
    case 'disabled':
      return new GessoError({
        code: 'key_disabled',
        attribution: 'client',
        message: `This ${refused.of === 'key' ? 'API key' : 'key’s account'} has been disabled by the operator.`,
      })
    case 'model_not_allowed':
      return modelNotAllowed(asked.model, refused.models)
    case 'rate_limited':
      return rateLimited(refused)
    case 'limit_reached':
      return limitReached(refused, asked)
    case 'free_quota_exceeded':
      return quotaExceeded(refused, asked)
    case 'insufficient_credit':
      return insufficientCredit(refused)
    case 'unpriced':
      return unpriced(refused.rate, asked.model)
    case 'no_route':
      return new GessoError({
        code: 'provider_not_configured',
        attribution: 'client',
        param: 'model',
        message: `${asked.model} has no configured provider on this server, and the account's own key for it is gone.`,
      })
    case 'use_own_key':
      throw new Error('the route of the account’s own key was not tried')
    case 'key_reused':
      return new AdmissionError(
        {
          code: 'idempotency_key_reused',
          attribution: 'client',
          param: 'Idempotency-Key',
          message: `This Idempotency-Key belongs to another request, whose task is ${refused.taskId}. The same key goes with the same operation and body; use a new one.`,
        },
        refused,
      )
  }
}

function rateLimited({ rate, of, retryAfterMs }: Extract<Refusal, { outcome: 'rate_limited' }>): GessoError {
  return new AdmissionError(
    {
      code: 'rate_limit_exceeded',
      attribution: 'capacity',
      param: 'requests_per_minute',
      message: `${whose(of)} may make ${rate.limit} requests per minute, and they are used up. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
      retryable: true,
      retryAfterMs,
    },
    { rate },
  )
}

function limitReached(refused: Extract<Refusal, { outcome: 'limit_reached' }>, asked: Asked): GessoError {
  const { limit, of, most, rate } = refused
  if (limit === 'unpriced') return unpriced(rate, asked.model)
  if (limit.startsWith('spend_')) return spendLimitReached(refused)
  if (limit !== 'concurrency' && asked.images > most) {
    return new AdmissionError(
      {
        code: 'invalid_image_request',
        attribution: 'client',
        param: 'n',
        message: `n asks for ${asked.images} pictures, but ${whose(of).toLowerCase()} may make ${most} ${spans[limit]}.`,
      },
      { rate },
    )
  }
  const retryAfterMs = waitUntil(refused.freeAt, asked.now) ?? 1_000
  const message =
    limit === 'concurrency'
      ? `${whose(of)} may have ${most} ${most === 1 ? 'generation' : 'generations'} at work at once, and ${most === 1 ? 'it is' : 'they are'}. Try again when one has ended.`
      : `${whose(of)} may make ${most} ${most === 1 ? 'picture' : 'pictures'} ${spans[limit]}, those at work included, and ${asked.images} more would be too many. Try again ${inWords(retryAfterMs)}.`
  return new AdmissionError(
    {
      code: 'rate_limit_exceeded',
      attribution: 'capacity',
      param: limit,
      message,
      retryable: true,
      retryAfterMs,
    },
    { rate },
  )
}

const spans: Record<string, string> = { images_per_minute: 'in 60 seconds', images_per_day: 'in 24 hours' }

const spendSpans: Record<string, string> = {
  spend_per_day_micros: 'per day (UTC)',
  spend_per_month_micros: 'per month (UTC)',
  spend_total_micros: 'in all',
}

function spendLimitReached({
  limit,
  of,
  most,
  used = 0,
  rate,
  freeAt,
}: Extract<Refusal, { outcome: 'limit_reached' }>): GessoError {
  const until = freeAt ? ` It begins anew at ${freeAt.toISOString()}.` : ''
  return new AdmissionError(
    {
      code: 'spend_limit_reached',
      attribution: 'client',
      param: limit,
      message: `${whose(of)} may spend ${usd(most)} ${spendSpans[limit]}. ${usd(used)} of it are spent or held for work that goes on, and this request would go beyond.${until}`,
    },
    { rate },
  )
}

function quotaExceeded(
  { rate, quota }: Extract<Refusal, { outcome: 'free_quota_exceeded' }>,
  { now, images }: Asked,
): GessoError {
  const retryAfterMs = waitUntil(quota.freeAt ?? quota.nextAvailableAt, now) ?? 5_000
  const when =
    images > quota.limit
      ? `Ask for fewer pictures at once, or have credit added to the account.`
      : `Try again ${inWords(retryAfterMs)}, store an own provider key, or have credit added to the account.`
  return new AdmissionError(
    {
      code: 'free_quota_exceeded',
      attribution: 'capacity',
      message: `This account has ${quota.limit} free pictures in 24 hours; ${quota.used} are made${quota.atWork > 0 ? ` and ${quota.atWork} at work` : ''}. ${when}`,
      retryable: true,
      retryAfterMs,
    },
    { rate, quota },
  )
}

function insufficientCredit({
  rate,
  availableMicros,
  quotedMicros,
}: Extract<Refusal, { outcome: 'insufficient_credit' }>): GessoError {
  return new AdmissionError(
    {
      code: 'insufficient_credit',
      attribution: 'client',
      message: `This request may cost up to ${usd(quotedMicros)}, but the account has ${usd(availableMicros)} of free credit. The operator can add some.`,
    },
    { rate },
  )
}

function unpriced(rate: RateState, model: string): GessoError {
  return new AdmissionError(
    {
      code: 'unpriced_model',
      attribution: 'client',
      param: 'model',
      message: `${model} has no price on this server, so it cannot be paid for with credit or under a spend limit. The operator can set one under prices in gesso.yaml.`,
    },
    { rate },
  )
}

function whose(of: Owner): string {
  return of === 'key' ? 'This key' : 'This account'
}

/** Milliseconds from now. */
function waitUntil(moment: Date | null, now: Date): number | undefined {
  return moment ? Math.max(1, moment.getTime() - now.getTime()) : undefined
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds < 120) return `in ${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? `in ${minutes} minutes` : `in ${Math.ceil(minutes / 60)} hours`
}

/** Exact to the micro. */
function usd(micros: number): string {
  const [whole = '0', fraction = ''] = (micros / 1_000_000).toFixed(6).split('.')
  return `$${whole}.${fraction.replace(/0{1,4}$/, '')}`
}
