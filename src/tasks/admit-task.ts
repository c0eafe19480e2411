/**
 * Admission: the key, every limit, who pays, the reservation and the task row in one transaction, which is one round trip
 * and one commit. Either everything holds and the task exists, or nothing has changed. The decisions are made in the
 * database (`db/functions/admit-task.ts`).
 */
import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import type { Database } from '../db/schema.ts'
import type { CostSource } from './task.ts'

export interface NewTask {
  id: string
  requestId: string
  mode: 'generation' | 'edit'
  model: string
  provider: string
  upstreamModel: string
  /** The internal request, without bytes; plain JSON. */
  request: object
  /** The most pictures it can make. */
  images: number
  /** The most it can cost, in micro-USD; null where it has no price. */
  quotedMicros: number | null
}

/** By what a repetition of the request is known. */
export interface Repetition {
  /** What the caller calls the request; absent where only its own client's retries are recognised. */
  key?: string
  /** Of operation and body. */
  fingerprint: Buffer
  /** How often the caller's client has tried before, as it says. */
  retryCount: number
}

/** Where a key stands against its rate, after this request. */
export interface RateState {
  limit: number
  remaining: number
  /** Milliseconds until the whole limit is free again. */
  resetMs: number
}

/** The free pictures of an account, as they stood before the request. */
export interface QuotaState {
  limit: number
  /** Pictures that were finished in the last 24 hours. */
  used: number
  atWork: number
  /** When the oldest counted picture leaves the window. */
  nextAvailableAt: Date | null
  /** From when the request would be free, as things stand; null where that is not known. */
  freeAt: Date | null
}

export type Owner = 'key' | 'account'

export type Admission =
  | { outcome: 'admitted'; rate: RateState; source: CostSource; reservedMicros: number }
  /** The request has been made before: this is its task. */
  | { outcome: 'repeated'; rate: RateState; taskId: string }
  /** The idempotency key stands for another request. */
  | { outcome: 'key_reused'; rate: RateState; taskId: string }
  | { outcome: 'rate_limited'; rate: RateState; of: Owner; retryAfterMs: number }
  | {
      outcome: 'limit_reached'
      rate: RateState
      of: Owner
      /** Such as `images_per_day`; `unpriced` where money is limited and the model has no price. */
      limit: string
      most: number
      /** Of money: what is spent. */
      used?: number
      /** When there will be room, where that can be said. */
      freeAt: Date | null
    }
  | { outcome: 'free_quota_exceeded'; rate: RateState; quota: QuotaState }
  | { outcome: 'insufficient_credit'; rate: RateState; availableMicros: number; quotedMicros: number }
  | { outcome: 'unpriced'; rate: RateState }
  | { outcome: 'no_route'; rate: RateState }
  /** The account's own key is to be used, which goes another way than this. */
  | { outcome: 'use_own_key'; rate: RateState }
  | { outcome: 'model_not_allowed'; models: string[] }
  | { outcome: 'disabled'; of: Owner }
  | { outcome: 'key_gone' }
  | { outcome: 'scope_missing' }

export interface AdmissionTerms {
  keyId: string
  now: Date
  /** Of keys that have none of their own. */
  defaultRequestsPerMinute: number
  /** Free pictures in 24 hours of metered accounts that have no number of their own. */
  defaultFreeImages: number
  /** Can the server itself call the provider? Else only the account's own key for it can pay. */
  hasRoute: boolean
  /** The account keeps a key for another provider of the model. */
  hasOwnWay: boolean
}

/**
 * Admits a task that this node starts at once, as `IN_PROGRESS`. `joinWindowMs`: how long after its end a task can still
 * be joined by its client's retry; absent: never.
 */
export async function admitTask(
  db: Kysely<Database>,
  input: AdmissionTerms & {
    nodeId: string
    task: NewTask
    repetition?: Repetition
    joinWindowMs?: number
    idempotencyTtlMs?: number
  },
): Promise<Admission> {
  const { task, repetition } = input
  return decide(db, input, {
    task_id: task.id,
    request_id: task.requestId,
    mode: task.mode,
    model: task.model,
    provider: task.provider,
    upstream_model: task.upstreamModel,
    request: task.request,
    images: task.images,
    quoted_micros: task.quotedMicros,
    node_id: input.nodeId,
    idempotency_key: repetition?.key,
    fingerprint: repetition?.fingerprint.toString('hex'),
    retry_count: repetition?.retryCount,
    join_window_ms: input.joinWindowMs,
    idempotency_ttl_ms: input.idempotencyTtlMs ?? dayMs,
  })
}

const dayMs = 24 * 3_600_000

/** What admission would decide now. Writes nothing and uses nothing up. */
export async function previewAdmission(
  db: Kysely<Database>,
  input: AdmissionTerms & { task: Pick<NewTask, 'model' | 'provider' | 'images' | 'quotedMicros'> },
): Promise<Admission> {
  const { model, provider, images, quotedMicros } = input.task
  return decide(db, input, { dry: true, model, provider, images, quoted_micros: quotedMicros })
}

const epoch = z.coerce.number().nullish()

const decision = z.object({
  outcome: z.string(),
  of: z.enum(['key', 'account']).optional(),
  rate: z.object({ limit: z.number(), arrival: epoch }).optional(),
  quota: z
    .object({
      limit: z.number(),
      used: z.number(),
      at_work: z.number(),
      next_available_at: epoch,
      free_at: epoch,
    })
    .nullish(),
  source: z.enum(['free', 'credits', 'user', 'unmetered']).optional(),
  reserved_micros: z.number().optional(),
  task_id: z.string().optional(),
  limit: z.string().optional(),
  most: z.number().optional(),
  used: z.number().optional(),
  free_at: epoch,
  available_micros: z.number().optional(),
  quoted_micros: z.number().optional(),
  models: z.array(z.string()).optional(),
})

async function decide(db: Kysely<Database>, terms: AdmissionTerms, work: object): Promise<Admission> {
  const asked = JSON.stringify({
    key_id: terms.keyId,
    now: terms.now,
    default_requests_per_minute: terms.defaultRequestsPerMinute,
    default_free_images: terms.defaultFreeImages,
    has_route: terms.hasRoute,
    has_own_way: terms.hasOwnWay,
    ...work,
  })
  const { rows } = await sql<{ decision: unknown }>`
    select admit_task(${asked}::jsonb) as decision`.execute(db)
  return readDecision(decision.parse(rows[0]?.decision), terms.now)
}

function readDecision(decided: z.infer<typeof decision>, now: Date): Admission {
  const { outcome, of = 'key' } = decided
  switch (outcome) {
    case 'key_gone':
    case 'scope_missing':
      return { outcome }
    case 'disabled':
      return { outcome, of }
    case 'model_not_allowed':
      return { outcome, models: decided.models ?? [] }
  }
  const rate = rateState(decided.rate, now)
  switch (outcome) {
    case 'admitted':
      return {
        outcome,
        rate,
        source: decided.source ?? 'unmetered',
        reservedMicros: decided.reserved_micros ?? 0,
      }
    case 'repeated':
    case 'key_reused':
      return { outcome, rate, taskId: decided.task_id ?? '' }
    case 'rate_limited':
      return { outcome, rate: { ...rate, remaining: 0 }, of, retryAfterMs: retryAfter(rate) }
    case 'limit_reached':
      return {
        outcome,
        rate,
        of,
        limit: decided.limit ?? '',
        most: decided.most ?? 0,
        used: decided.used,
        freeAt: moment(decided.free_at),
      }
    case 'free_quota_exceeded': {
      const { limit = 0, used = 0, at_work: atWork = 0, next_available_at, free_at } = decided.quota ?? {}
      const quota = {
        limit,
        used,
        atWork,
        nextAvailableAt: moment(next_available_at),
        freeAt: moment(free_at),
      }
      return { outcome, rate, quota }
    }
    case 'insufficient_credit':
      return {
        outcome,
        rate,
        availableMicros: decided.available_micros ?? 0,
        quotedMicros: decided.quoted_micros ?? 0,
      }
    case 'unpriced':
    case 'no_route':
    case 'use_own_key':
      return { outcome, rate }
    default:
      throw new Error(`admission came to ${outcome}, which nobody here knows`)
  }
}

function moment(epochMs: number | null | undefined): Date | null {
  return epochMs === null || epochMs === undefined ? null : new Date(epochMs)
}

const windowMs = 60_000

/** GCRA with a burst of the whole minute: `arrival - now` is the part of the window already taken. */
function rateState(
  { limit, arrival }: { limit: number; arrival?: number | null } = { limit: 1 },
  now: Date,
): RateState {
  const takenMs = Math.max(0, (arrival ?? 0) - now.getTime())
  const intervalMs = windowMs / limit
  return {
    limit,
    remaining: Math.max(0, Math.floor((windowMs - takenMs) / intervalMs + 1e-6)),
    resetMs: takenMs,
  }
}

/** How long until one more request fits. */
function retryAfter({ limit, resetMs }: RateState): number {
  return Math.max(1, Math.ceil(resetMs + windowMs / limit - windowMs))
}
