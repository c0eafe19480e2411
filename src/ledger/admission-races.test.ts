import { type Insertable, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { type OpenDatabase, openDatabase } from '../db/open-database.ts'
import type { AccountsTable, KeysTable } from '../db/schema.ts'
import type { Admission } from '../tasks/admit-task.ts'
import { checkLedger } from './check-ledger.ts'
import { getBalance } from './get-balance.ts'
import { admitSample, createSampleAccount, createSampleKey, type SampleWork } from './testing/money-world.ts'
import { insertWhereSum, readThenUpdate, type WrongAdmission } from './testing/wrong-admissions.ts'

let database: TestDatabase
/** Four processes, as the database sees them, of five connections each. */
let processes: OpenDatabase[]

beforeAll(async () => {
  database = await createTestDatabase()
  processes = Array.from({ length: 4 }, () =>
    openDatabase({ connectionString: database.url }, { poolSize: 5 }),
  )
  // Connected before the race, so that all start at once.
  const connections = processes.flatMap((process) => Array.from({ length: 5 }, () => process))
  await Promise.all(connections.map(({ db }) => sql`select pg_sleep(0.02)`.execute(db)))
})
afterAll(async () => {
  await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()))
  await database[Symbol.asyncDispose]()
})

/** As many at once as there are connections, the rest behind them, spread over the processes. */
function race<Result>(count: number, run: (db: OpenDatabase['db'], index: number) => Promise<Result>) {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const process = processes[index % processes.length]
      if (!process) throw new Error('there is no process')
      return run(process.db, index)
    }),
  )
}

interface Scene {
  account?: Partial<Insertable<AccountsTable>> & { credit?: number }
  key?: Partial<Insertable<KeysTable>>
}

async function open({ account, key }: Scene): Promise<{ accountId: string; keyIds: string[] }> {
  const accountId = await createSampleAccount(database.db, account)
  // Admissions of one key stand in a row anyway: what an account has is shared by several.
  const keyIds = await Promise.all([1, 2, 3].map(() => createSampleKey(database.db, accountId, key)))
  return { accountId, keyIds }
}

/** So many admissions at once, by the keys in turn. */
function admitMany(count: number, keyIds: readonly string[], work: Partial<SampleWork> = {}) {
  return race(count, (db, index) =>
    admitSample(db, { price: 7, ...work, keyId: keyIds[index % keyIds.length] ?? '' }),
  )
}

function count(admissions: readonly Admission[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const admission of admissions) {
    const word = admission.outcome === 'limit_reached' ? admission.limit : admission.outcome
    counts[word] = (counts[word] ?? 0) + 1
  }
  return counts
}

describe('two hundred at once with credit for ten, where writing a row takes a while', () => {
  // The same for the wrong designs and the right one: what is decided before the row is written is old when it stands there.
  beforeAll(async () => {
    await sql`
      create function take_a_while() returns trigger language plpgsql as $$
      begin
        perform pg_sleep(0.02);
        return new;
      end $$`.execute(database.db)
    await sql`
      create trigger slow before insert on tasks for each row execute function take_a_while()`.execute(
      database.db,
    )
  })
  afterAll(async () => {
    await sql`drop trigger slow on tasks`.execute(database.db)
  })

  test.each([
    ['read, then update', readThenUpdate],
    ['insert where the sum allows it', insertWhereSum],
  ] as [string, WrongAdmission][])('the wrong design "%s" lets more than ten in', async (_name, admit) => {
    const { accountId, keyIds } = await open({ account: { credit: 70 } })
    const price = 7
    const letIn = await race(200, (db) => admit(db, { accountId, keyId: keyIds[0] ?? '', price }))
    expect(letIn.filter(Boolean).length).toBeGreaterThan(10)
    await undo(accountId)
  })

  test('exactly ten are admitted, and all of the credit is held', async () => {
    const { accountId, keyIds } = await open({ account: { credit: 70 } })
    expect(count(await admitMany(200, keyIds))).toEqual({ admitted: 10, insufficient_credit: 190 })
    expect(await getBalance(database.db, accountId)).toMatchObject({ reservedMicros: 70, availableMicros: 0 })
    expect(await checkLedger(database.db)).toEqual([])
  })

  test('of 76 with a price of 7, ten are admitted and 6 are left', async () => {
    const { accountId, keyIds } = await open({ account: { credit: 76 } })
    expect(count(await admitMany(200, keyIds))).toEqual({ admitted: 10, insufficient_credit: 190 })
    expect(await getBalance(database.db, accountId)).toMatchObject({ reservedMicros: 70, availableMicros: 6 })
  })

  test('of a thousand with credit for one, one is admitted', async () => {
    const { accountId, keyIds } = await open({ account: { credit: 7 } })
    expect(count(await admitMany(1_000, keyIds))).toEqual({ admitted: 1, insufficient_credit: 999 })
    expect(await getBalance(database.db, accountId)).toMatchObject({ availableMicros: 0 })
  })

  test('with three pictures each nobody is admitted in part', async () => {
    const { accountId, keyIds } = await open({ account: { credit: 76 } })
    const admitted = await admitMany(100, keyIds, { images: 3, price: 21 })
    expect(count(admitted)).toEqual({ admitted: 3, insufficient_credit: 97 })
    expect(await getBalance(database.db, accountId)).toMatchObject({
      reservedMicros: 63,
      availableMicros: 13,
    })
  })
})

describe('two hundred at once against a limit of ten', () => {
  const limits = ['images_per_minute', 'images_per_day', 'concurrency'] as const

  test.each(limits)('%s of the account, shared by its keys', async (limit) => {
    const { keyIds } = await open({ account: { billing: 'unmetered', [limit]: 10 } })
    expect(count(await admitMany(200, keyIds))).toEqual({ admitted: 10, [limit]: 190 })
  })

  test.each(limits)('%s of a key', async (limit) => {
    const { keyIds } = await open({ account: { billing: 'unmetered' }, key: { [limit]: 10 } })
    expect(count(await admitMany(200, keyIds.slice(0, 1)))).toEqual({ admitted: 10, [limit]: 190 })
  })

  test.each(['spend_per_day_micros', 'spend_per_month_micros', 'spend_total_micros'] as const)(
    '%s of the account',
    async (limit) => {
      const { keyIds } = await open({ account: { billing: 'unmetered', [limit]: 76 } })
      expect(count(await admitMany(100, keyIds))).toEqual({ admitted: 10, [limit]: 90 })
    },
  )

  test('the free quota', async () => {
    const { accountId, keyIds } = await open({ account: { free_images: 10 } })
    const admitted = await admitMany(200, keyIds)
    expect(count(admitted)).toEqual({ admitted: 10, free_quota_exceeded: 190 })
    expect(new Set(admitted.flatMap((one) => (one.outcome === 'admitted' ? [one.source] : [])))).toEqual(
      new Set(['free']),
    )
    expect(await getBalance(database.db, accountId)).toMatchObject({ balanceMicros: 0, reservedMicros: 0 })
  })

  test('the free quota and then credit for ten more', async () => {
    const { accountId, keyIds } = await open({ account: { free_images: 10, credit: 76 } })
    expect(count(await admitMany(200, keyIds))).toEqual({ admitted: 20, insufficient_credit: 180 })
    expect(await getBalance(database.db, accountId)).toMatchObject({ reservedMicros: 70 })
  })
})

test('who is refused by one limit uses up no other', async () => {
  // Time stands still, so that the counter of the rate shows each request that it took.
  const now = new Date()
  const account = { credit: 140, images_per_day: 10, requests_per_minute: 1_000 }
  const { accountId, keyIds } = await open({ account, key: { requests_per_minute: 1_000 } })
  const admitted = await admitMany(200, keyIds, { now })
  expect(count(admitted)).toEqual({ admitted: 10, images_per_day: 190 })

  expect(await getBalance(database.db, accountId)).toMatchObject({ reservedMicros: 70, availableMicros: 70 })
  const { db } = database
  const { rows } = await sql<{ images: number; entries: number; taken: number; taken_by_account: number }>`
    select
      (select sum(images) from tasks where account_id = ${accountId})::int as images,
      (select count(*) from ledger_entries where account_id = ${accountId} and kind = 'reserve')::int as entries,
      (select round(sum(extract(epoch from theoretical_arrival - ${now}) * 1000 / 60)) from rates
        where owner_id = any(${keyIds}) and theoretical_arrival > '-infinity')::int as taken,
      (select round(extract(epoch from theoretical_arrival - ${now}) * 1000 / 60) from rates
        where owner_id = ${accountId})::int as taken_by_account`.execute(db)
  expect(rows).toEqual([{ images: 10, entries: 10, taken: 10, taken_by_account: 10 }])
  expect(await checkLedger(db)).toEqual([])
})

/** What a wrong design left behind. */
async function undo(accountId: string): Promise<void> {
  await sql`delete from tasks where account_id = ${accountId}`.execute(database.db)
  await sql`update accounts set reserved_micros = 0 where id = ${accountId}`.execute(database.db)
}
