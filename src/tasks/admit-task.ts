/**
 * Admission: the key, its rate and the task row in one statement, which is one round trip and one transaction.
 * Either everything holds and the task exists, or nothing has changed. Reservation of credit belongs into the
 * same statement, between `rate` and `task`.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import { hasScope } from '../keys/scopes.ts'

export interface NewTask {
  id: string
  requestId: string
  mode: 'generation' | 'edit'
  model: string
  provider: string
  upstreamModel: string
  /** The internal request, without bytes; plain JSON. */
  request: object
}

/** Where a key stands against its rate, after this request. */
export interface RateState {
  limit: number
  remaining: number
  /** Milliseconds until the whole limit is free again. */
  resetMs: number
  /** Set where the request was refused: milliseconds until one will pass. */
  retryAfterMs?: number
}

export type Admission =
  | { outcome: 'admitted'; rate: RateState }
  | { outcome: 'rate_limited'; rate: RateState }
  | { outcome: 'key_gone' }
  | { outcome: 'scope_missing' }

const windowMs = 60_000

/** Admits a task that this node starts at once, as `IN_PROGRESS`. */
export async function admitTask(
  db: Kysely<Database>,
  input: { keyId: string; nodeId: string; now: Date; defaultRequestsPerMinute: number; task: NewTask },
): Promise<Admission> {
  const { task, now } = input
  // An arrival more than a window beyond what any request could have written comes from a clock that stood ahead;
  // it must not lock the key out until then.
  const taken = sql`case when r.theoretical_arrival > ${now}::timestamptz + interval '2 minutes' then ${now}::timestamptz
    else greatest(r.theoretical_arrival, ${now}::timestamptz) end`
  const { rows } = await sql<{
    scopes: string[]
    per_minute: number
    arrival: Date | null
    arrival_before: Date | null
  }>`
    with caller as (
      select id, account_id, scopes, coalesce(requests_per_minute, ${input.defaultRequestsPerMinute}::int) as per_minute
      from keys
      where id = ${input.keyId} and revoked_at is null and (expires_at is null or expires_at > ${now}::timestamptz)
    ), permitted as (
      select * from caller where scopes && array['images:write', 'admin']
    ), rate as (
      insert into request_rates as r (key_id, theoretical_arrival)
      select id, ${now}::timestamptz + interval '1 minute' / per_minute from permitted
      on conflict (key_id) do update
        set theoretical_arrival = ${taken} + interval '1 minute' / (select per_minute from permitted)
        where ${taken} + interval '1 minute' / (select per_minute from permitted)
          <= ${now}::timestamptz + interval '1 minute'
      returning theoretical_arrival
    ), task as (
      insert into tasks (id, account_id, key_id, request_id, status, mode, model, provider, upstream_model,
        request, node_id, created_at, started_at)
      select ${task.id}, permitted.account_id, permitted.id, ${task.requestId}, 'IN_PROGRESS', ${task.mode},
        ${task.model}, ${task.provider}, ${task.upstreamModel}, ${JSON.stringify(task.request)}::jsonb,
        ${input.nodeId}, ${now}::timestamptz, ${now}::timestamptz
      from permitted, rate
    )
    select scopes, per_minute, (select theoretical_arrival from rate) as arrival,
      (select theoretical_arrival from request_rates where key_id = caller.id) as arrival_before
    from caller`.execute(db)

  const row = rows[0]
  if (!row) return { outcome: 'key_gone' }
  if (!hasScope(row.scopes, 'images:write')) return { outcome: 'scope_missing' }
  const admitted = row.arrival !== null
  const rate = rateState(row.per_minute, row.arrival ?? row.arrival_before ?? now, now, admitted)
  return { outcome: admitted ? 'admitted' : 'rate_limited', rate }
}

/** GCRA with a burst of the whole minute: `arrival - now` is the part of the window already taken. */
function rateState(limit: number, arrival: Date, now: Date, admitted: boolean): RateState {
  const takenMs = Math.max(0, arrival.getTime() - now.getTime())
  const intervalMs = windowMs / limit
  return {
    limit,
    remaining: Math.max(0, Math.floor((windowMs - takenMs) / intervalMs + 1e-6)),
    resetMs: takenMs,
    ...(admitted ? {} : { retryAfterMs: Math.max(1, Math.ceil(takenMs + intervalMs - windowMs)) }),
  }
}
