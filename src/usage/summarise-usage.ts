/**
 * What was made and what it cost, summed up from the rows of tasks: there is no second set of books. A task counts on the UTC
 * day on which it was made.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { badRequest } from '../lib/errors.ts'

/** What usage can be summed up by. */
export const usageGroups = ['day', 'model', 'key', 'bucket', 'account', 'provider', 'source'] as const
export type UsageGroup = (typeof usageGroups)[number]

export interface UsageQuery {
  /** Absent: of all accounts. */
  accountId?: string
  /** The first day, as `YYYY-MM-DD` in UTC. */
  from: string
  /** The last day. */
  to: string
  /** One row for each of their combinations that occurs; none: one row of everything. */
  groupBy: readonly UsageGroup[]
}

/** One sum. Amounts are micro-USD. */
export interface UsageRow {
  /** Of what it is the sum: the columns of the groups, by name. `bucket` is null for pictures in none. */
  group: Record<string, string | null>
  /** Everything that was admitted, with what is still at work. */
  requests: number
  succeeded: number
  failed: number
  /** Pictures that were delivered. */
  images: number
  /** By the price list; pictures without a price are not in it. */
  listMicros: number
  /** What the providers asked, as far as it is known. */
  providerMicros: number
  /** What was taken from credit; what was given back later is in the ledger alone. */
  chargedMicros: number
  /** Pictures that were delivered without a price. */
  unpricedImages: number
  /** Requests with pictures of which nobody knows what the provider asked. */
  notReported: number
}

/** More rows than anybody reads; a sum that left some out would be wrong. */
const mostUsageRows = 20_000

/** The columns of a group: a name for a person beside each id. */
const columnsOf: Record<UsageGroup, Record<string, RawBuilder<unknown>>> = {
  day: { day: sql`to_char(tasks.created_at at time zone 'utc', 'YYYY-MM-DD')` },
  model: { model: sql`tasks.model` },
  key: { key_id: sql`tasks.key_id`, key_name: sql`keys.name` },
  bucket: { bucket: sql`tasks.request ->> 'bucket'` },
  account: { account_id: sql`tasks.account_id`, account_name: sql`accounts.name` },
  provider: { provider: sql`tasks.provider` },
  source: { source: sql`tasks.source` },
}

/** The names of the columns that the groups have, in their order. */
export function usageColumns(groupBy: readonly UsageGroup[]): string[] {
  return groupBy.flatMap((group) => Object.keys(columnsOf[group]))
}

/** The sums, in the order of their groups. Throws a 400 where there would be too many. */
export async function summariseUsage(
  db: Kysely<Database>,
  { accountId, from, to, groupBy }: UsageQuery,
  mostRows = mostUsageRows,
): Promise<UsageRow[]> {
  const columns = groupBy.flatMap((group) => Object.entries(columnsOf[group]))
  const places = sql.join(columns.map((_, index) => sql.lit(index + 1)))
  const { rows } = await sql<Record<string, string | null> & SumColumns>`
    select ${sql.join(columns.map(([name, value]) => sql`${value} as ${sql.ref(name)}`).concat(sums))}
    from tasks ${sql.join(groupBy.map(joinOf), sql` `)}
    where tasks.created_at >= ${from}::date::timestamp at time zone 'utc'
      and tasks.created_at < (${to}::date + 1)::timestamp at time zone 'utc'
      ${accountId === undefined ? sql`` : sql`and tasks.account_id = ${accountId}`}
    ${columns.length > 0 ? sql`group by ${places} order by ${places}` : sql``}
    limit ${mostRows + 1}`
    .execute(db)
    .catch((error: unknown) => {
      throw asDatabaseError(error)
    })
  if (rows.length > mostRows) {
    throw badRequest(
      'group_by',
      `That would be more than ${mostRows.toLocaleString('en-US')} rows. Ask for fewer days at once, or group by less.`,
    )
  }
  return rows.map((row) => ({
    group: Object.fromEntries(columns.map(([name]) => [name, row[name] ?? null])),
    requests: row.requests,
    succeeded: row.succeeded,
    failed: row.failed,
    images: row.images,
    listMicros: row.list_micros,
    providerMicros: row.provider_micros,
    chargedMicros: row.charged_micros,
    unpricedImages: row.unpriced_images,
    notReported: row.not_reported,
  }))
}

interface SumColumns {
  requests: number
  succeeded: number
  failed: number
  images: number
  list_micros: number
  provider_micros: number
  charged_micros: number
  unpriced_images: number
  not_reported: number
}

const delivered = sql`tasks.status = 'SUCCEEDED'`

/** While a task is at work `images` says how many it may make: only those of tasks that succeeded were made. */
const sums = [
  sql`count(*) as requests`,
  sql`count(*) filter (where ${delivered}) as succeeded`,
  sql`count(*) filter (where tasks.status = 'FAILED') as failed`,
  sql`coalesce(sum(tasks.images) filter (where ${delivered}), 0)::bigint as images`,
  sql`coalesce(sum(tasks.list_micros), 0)::bigint as list_micros`,
  sql`coalesce(sum(tasks.provider_micros), 0)::bigint as provider_micros`,
  sql`coalesce(sum(tasks.charged_micros), 0)::bigint as charged_micros`,
  sql`coalesce(sum(tasks.images) filter (where ${delivered} and tasks.list_micros is null), 0)::bigint
    as unpriced_images`,
  sql`count(*) filter (where ${delivered} and tasks.provider_micros is null) as not_reported`,
]

function joinOf(group: UsageGroup): RawBuilder<unknown> {
  if (group === 'key') return sql`join keys on keys.id = tasks.key_id`
  if (group === 'account') return sql`join accounts on accounts.id = tasks.account_id`
  return sql``
}
