/**
 * Holds every account against its ledger, and every task against its entries. One statement, and so one moment: what is
 * moved meanwhile is seen whole or not at all. Reads everything that was ever written; changes nothing.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../db/schema.ts'

export interface Discrepancy {
  accountId: string
  taskId: string | null
  /** What does not agree, in words, without the account. */
  message: string
}

/** Where everything is wrong, the first so many say so. */
const mostTold = 1_000

type Words = (found: string, expected: string, taskId: string) => string

/** What may not agree, by the names that the statement gives. Amounts are micro-USD. */
const rules = {
  balance: (found, expected) => `the balance is ${found} micro-USD, but its entries come to ${expected}`,
  reserved: (found, expected) => `${found} micro-USD are held, but its entries come to ${expected}`,
  held: (found, expected) => `${found} micro-USD are held, but its tasks at work reserved ${expected}`,
  last_balance: (found, expected) => `the balance is ${found} micro-USD, but its last entry says ${expected}`,
  last_reserved: (found, expected) => `${found} micro-USD are held, but its last entry says ${expected}`,
  stranger: (found, _, taskId) => `task ${taskId} has entries of this account, but belongs to ${found}`,
  reservation: (found, expected, taskId) =>
    `task ${taskId} reserved ${expected} micro-USD, but its entries say ${found}`,
  resolutions: (found, expected, taskId) =>
    `task ${taskId} has ${found} settlements or releases, but should have ${expected}`,
  released: (found, expected, taskId) =>
    `task ${taskId} reserved ${expected} micro-USD, but ${found} were given free`,
  charge: (found, expected, taskId) =>
    `task ${taskId} was charged ${found} micro-USD, but its entries took ${expected}`,
  refund: (found, expected, taskId) =>
    `task ${taskId} was charged ${expected} micro-USD, but ${found} were given back`,
} satisfies Record<string, Words>

/** Every discrepancy there is, by account; none where all is well. */
export async function checkLedger(db: Kysely<Database>): Promise<Discrepancy[]> {
  const { rows } = await sql<{
    rule: keyof typeof rules
    account_id: string
    task_id: string | null
    found: string
    expected: string
  }>`
    with ${sumsByAccount}, ${reservedAtWork}, ${sumsByTask}, ${comparedTasks},
    told as (${accountsAgainstEntries} union all ${tasksAgainstEntries})
    select rule, account_id, task_id, found, expected from told where found <> expected
    order by account_id, task_id nulls first, rule limit ${mostTold}`.execute(db)
  return rows.map(({ rule, account_id, task_id, found, expected }) => ({
    accountId: account_id,
    taskId: task_id,
    message: rules[rule](found, expected, task_id ?? ''),
  }))
}

const sumsByAccount = sql`
  sums as (
    select account_id, sum(amount_micros) as balance, sum(reserved_micros) as reserved
    from ledger_entries group by account_id
  )`

const reservedAtWork = sql`
  at_work as (
    select account_id, sum(reserved_micros) as reserved from tasks
    where status in ('QUEUED', 'IN_PROGRESS') and source = 'credits' group by account_id
  )`

const sumsByTask = sql`
  by_task as (
    select task_id, account_id,
      coalesce(sum(reserved_micros) filter (where kind = 'reserve'), 0) as reserved,
      count(*) filter (where kind in ('settle', 'release')) as resolutions,
      coalesce(-sum(reserved_micros) filter (where kind in ('settle', 'release')), 0) as released,
      coalesce(-sum(amount_micros) filter (where kind in ('settle', 'release')), 0) as charged,
      coalesce(sum(amount_micros) filter (where kind = 'adjust'), 0) as refunded
    from ledger_entries where task_id is not null group by task_id, account_id
  )`

/**
 * Each task beside its entries, only where they differ at all: most do not, and saying why is dear. Tasks without a reservation
 * that have no entries either have nothing to be compared with.
 */
const comparedTasks = sql`
  compared as (
    select * from (
      select tasks.id, tasks.account_id as owner_id, tasks.reserved_micros, tasks.charged_micros,
        (tasks.reserved_micros > 0 and tasks.completed_at is not null)::int as due_resolutions,
        case when tasks.completed_at is not null then tasks.reserved_micros else 0 end as due_release,
        coalesce(by_task.account_id, tasks.account_id) as account_id,
        coalesce(by_task.reserved, 0) as reserved, coalesce(by_task.resolutions, 0) as resolutions,
        coalesce(by_task.released, 0) as released, coalesce(by_task.charged, 0) as charged,
        coalesce(by_task.refunded, 0) as refunded
      from tasks left join by_task on by_task.task_id = tasks.id
      where tasks.reserved_micros > 0 or tasks.charged_micros > 0 or by_task.task_id is not null
    ) as beside
    where owner_id <> account_id or reserved_micros <> reserved or due_resolutions <> resolutions
      or due_release <> released or charged_micros <> charged or refunded > charged_micros
  )`

/** Amounts are told as text: their sums may be of another type. */
const accountsAgainstEntries: RawBuilder<unknown> = sql`
  select told.rule, accounts.id as account_id, null as task_id, told.found::text as found,
    told.expected::text as expected
  from accounts
  left join sums on sums.account_id = accounts.id
  left join at_work on at_work.account_id = accounts.id
  left join lateral (
    select balance_after_micros, reserved_after_micros from ledger_entries
    where account_id = accounts.id order by id desc limit 1
  ) as last on true
  cross join lateral (values
    ('balance', accounts.balance_micros, coalesce(sums.balance, 0)),
    ('reserved', accounts.reserved_micros, coalesce(sums.reserved, 0)),
    ('held', accounts.reserved_micros, coalesce(at_work.reserved, 0)),
    ('last_balance', accounts.balance_micros, coalesce(last.balance_after_micros, 0)),
    ('last_reserved', accounts.reserved_micros, coalesce(last.reserved_after_micros, 0))
  ) as told (rule, found, expected)`

const tasksAgainstEntries: RawBuilder<unknown> = sql`
  select told.rule, compared.account_id, compared.id, told.found, told.expected
  from compared cross join lateral (values
    ('stranger', owner_id, account_id),
    ('reservation', reserved::text, reserved_micros::text),
    ('resolutions', resolutions::text, due_resolutions::text),
    ('released', released::text, due_release::text),
    ('charge', charged_micros::text, charged::text),
    ('refund', greatest(refunded, charged_micros)::text, charged_micros::text)
  ) as told (rule, found, expected)`
