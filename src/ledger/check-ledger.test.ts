import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { examineLedger } from '../cli/doctor/examine-ledger.ts'
import { createId } from '../lib/ids.ts'
import { adjustBalance } from './adjust-balance.ts'
import { checkLedger, type Discrepancy } from './check-ledger.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  sampleActor,
  sampleBill,
} from './testing/money-world.ts'
import { watchLedger } from './watch-ledger.ts'

let database: TestDatabase
let accountId: string
/** At work, with 60 of 1,000 held for it. */
let working: string
/** Was charged 40 of the 50 that were held. */
let paid: string
/** Ended without a picture; 30 were held. */
let failed: string

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

beforeEach(async () => {
  const { db } = database
  accountId = await createSampleAccount(db, { credit: 1_000 })
  const keyId = await createSampleKey(db, accountId)
  const admit = async (price: number) => {
    const id = createId('image')
    expect(await admitSample(db, { keyId, price, id })).toMatchObject({ outcome: 'admitted' })
    return id
  }
  working = await admit(60)
  paid = await admit(50)
  failed = await admit(30)
  await finishSample(db, { taskId: paid, bill: sampleBill(40) })
  await finishSample(db, { taskId: failed })
  await adjustBalance(db, {
    accountId,
    micros: 5,
    note: 'sorry',
    taskId: paid,
    actor: sampleActor,
    now: new Date(),
  })
})

/** What is found after rows were changed behind the back of every rule, which are put back afterwards. */
async function afterBreaking(...statements: ReturnType<typeof sql>[]): Promise<Discrepancy[]> {
  let found: Discrepancy[] = []
  const undone = database.db.transaction().execute(async (transaction) => {
    await sql`set local session_replication_role = replica`.execute(transaction)
    for (const statement of statements) await statement.execute(transaction)
    found = await checkLedger(transaction)
    throw new Error('undone')
  })
  await expect(undone).rejects.toThrow('undone')
  return found
}

const told = (discrepancies: readonly Discrepancy[]) =>
  discrepancies.map((one) => {
    expect(one.accountId).toBe(accountId)
    return one.message
  })

test('an account on which much has happened agrees with its ledger', async () => {
  expect(await checkLedger(database.db)).toEqual([])
  expect(examineLedger(await checkLedger(database.db))).toMatchObject({ status: 'pass' })
})

test('one micro-USD too much on a balance is found, and the doctor names the account', async () => {
  await sql`update accounts set balance_micros = balance_micros + 1 where id = ${accountId}`.execute(
    database.db,
  )
  expect(told(await checkLedger(database.db))).toEqual([
    'the balance is 966 micro-USD, but its entries come to 965',
    'the balance is 966 micro-USD, but its last entry says 965',
  ])
  const finding = examineLedger(await checkLedger(database.db))
  expect(finding.status).toBe('fail')
  expect(finding.message).toContain(`account ${accountId}: the balance is 966 micro-USD`)
  await sql`update accounts set balance_micros = balance_micros - 1 where id = ${accountId}`.execute(
    database.db,
  )
})

test.each([
  [
    'what is held',
    () => sql`update accounts set reserved_micros = 61 where id = ${accountId}`,
    () => [
      '61 micro-USD are held, but its tasks at work reserved 60',
      '61 micro-USD are held, but its last entry says 60',
      '61 micro-USD are held, but its entries come to 60',
    ],
  ],
  [
    'an amount of an entry',
    () => sql`update ledger_entries set amount_micros = -41 where task_id = ${paid} and kind = 'settle'`,
    () => [
      'the balance is 965 micro-USD, but its entries come to 964',
      `task ${paid} was charged 40 micro-USD, but its entries took 41`,
    ],
  ],
  [
    'an entry that is gone',
    () => sql`delete from ledger_entries where task_id = ${failed} and kind = 'release'`,
    () => [
      '60 micro-USD are held, but its entries come to 90',
      `task ${failed} reserved 30 micro-USD, but 0 were given free`,
      `task ${failed} has 0 settlements or releases, but should have 1`,
    ],
  ],
  [
    'a task that ended without its entry',
    () => sql`
    update tasks set status = 'FAILED', completed_at = now(), error = '{}' where id = ${working}`,
    () => [
      '60 micro-USD are held, but its tasks at work reserved 0',
      `task ${working} reserved 60 micro-USD, but 0 were given free`,
      `task ${working} has 0 settlements or releases, but should have 1`,
    ],
  ],
  [
    'a charge',
    () => sql`update tasks set charged_micros = 39 where id = ${paid}`,
    () => [`task ${paid} was charged 39 micro-USD, but its entries took 40`],
  ],
  [
    'a reservation that a task knows nothing of',
    () => sql`
    update tasks set reserved_micros = 0, charged_micros = 0 where id = ${paid}`,
    () => [
      `task ${paid} was charged 0 micro-USD, but its entries took 40`,
      `task ${paid} was charged 0 micro-USD, but 5 were given back`,
      `task ${paid} reserved 0 micro-USD, but 50 were given free`,
      `task ${paid} reserved 0 micro-USD, but its entries say 50`,
      `task ${paid} has 1 settlements or releases, but should have 0`,
    ],
  ],
  [
    'a second settlement',
    () => sql`
    with second as (select * from ledger_entries where task_id = ${paid} and kind = 'settle')
    insert into ledger_entries (account_id, kind, task_id, amount_micros, reserved_micros, balance_after_micros,
      reserved_after_micros, created_at)
    select account_id, kind, task_id, amount_micros, reserved_micros, 965, 60, created_at from second`,
    () => [
      '60 micro-USD are held, but its entries come to 10',
      'the balance is 965 micro-USD, but its entries come to 925',
      `task ${paid} was charged 40 micro-USD, but its entries took 80`,
      `task ${paid} reserved 50 micro-USD, but 100 were given free`,
      `task ${paid} has 2 settlements or releases, but should have 1`,
    ],
  ],
  [
    'a reservation of a task',
    () => sql`update tasks set reserved_micros = 59 where id = ${working}`,
    () => [
      '60 micro-USD are held, but its tasks at work reserved 59',
      `task ${working} reserved 59 micro-USD, but its entries say 60`,
    ],
  ],
] as const)('%s is found', async (_what, breakIt, wanted) => {
  const setup = sql`drop index if exists ledger_resolves_once`
  expect(told(await afterBreaking(setup, breakIt())).sort()).toEqual(wanted().sort())
})

test('entries of a task under another account are found', async () => {
  const other = await createSampleAccount(database.db)
  const found = await afterBreaking(sql`update tasks set account_id = ${other} where id = ${paid}`)
  expect(found.map(({ message }) => message)).toContain(
    `task ${paid} has entries of this account, but belongs to ${other}`,
  )
})

test('the watch tells of what it finds, every time, goes on after a failure, and stops', async () => {
  const found: string[] = []
  const failures: unknown[] = []
  const watch = watchLedger(database.db, {
    everyMs: 10,
    onDiscrepancies: (discrepancies) => found.push(...discrepancies.map((one) => one.accountId)),
    onFailure: (error) => failures.push(error),
  })
  await sql`alter table ledger_entries rename to elsewhere`.execute(database.db)
  await expect.poll(() => failures.length).toBeGreaterThan(0)
  await sql`alter table elsewhere rename to ledger_entries`.execute(database.db)
  expect(found).toEqual([])
  await sql`update accounts set balance_micros = balance_micros + 1 where id = ${accountId}`.execute(
    database.db,
  )
  await expect.poll(() => found.length).toBeGreaterThan(3)
  await watch[Symbol.asyncDispose]()
  const count = found.length
  await new Promise((done) => setTimeout(done, 40))
  expect(found).toHaveLength(count)
  expect(new Set(found)).toEqual(new Set([accountId]))
  await sql`update accounts set balance_micros = balance_micros - 1 where id = ${accountId}`.execute(
    database.db,
  )
})
