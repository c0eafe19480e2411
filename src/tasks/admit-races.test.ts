/** Admission where keys of one account meet, and where clocks jump. */
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { checkLedger } from '../ledger/check-ledger.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  sampleBill,
} from '../ledger/testing/money-world.ts'
import { createId } from '../lib/ids.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const hourMs = 3_600_000
const noon = new Date('2026-03-15T12:00:00Z')
const later = (ms: number) => new Date(noon.getTime() + ms)
const twins = { key: 'order-7', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }

test.each([
  ['credit', { credit: 7 }, 7],
  ['one task at once', { billing: 'unmetered' as const, concurrency: 1 }, 7],
  ['a single picture a day', { billing: 'unmetered' as const, images_per_day: 1 }, 7],
  ['nothing that could run out', { billing: 'unmetered' as const }, 7],
])(
  'twins of two keys, with %s: one is made, the other is its repetition and not refused',
  async (_what, columns, price) => {
    const { db } = database
    const accountId = await createSampleAccount(db, columns)
    const keyIds = await Promise.all([1, 2].map(() => createSampleKey(db, accountId)))
    // The first is in the middle of its admission when the second comes.
    const [first, second] = await db.transaction().execute(async (transaction) => {
      const made = await admitSample(transaction, { keyId: keyIds[0] ?? '', price, repetition: twins })
      const waiting = admitSample(db, { keyId: keyIds[1] ?? '', price, repetition: twins })
      const blocked = () =>
        sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(
          db,
        )
      await expect.poll(async () => (await blocked()).rows.length, { interval: 5 }).toBe(1)
      return [made, { waiting }] as const
    })
    expect(first.outcome).toBe('admitted')
    expect(await second.waiting).toMatchObject({ outcome: 'repeated', taskId: expect.any(String) })
    const other = { ...twins, fingerprint: Buffer.alloc(32, 2) }
    expect(await admitSample(db, { keyId: keyIds[1] ?? '', price, repetition: other })).toMatchObject({
      outcome: 'key_reused',
    })
  },
)

test('a clock that once stood a day ahead does not lock a limit of a minute for that day', async () => {
  const { db } = database
  const accountId = await createSampleAccount(db, { billing: 'unmetered', images_per_minute: 2 })
  const keyId = await createSampleKey(db, accountId, { images_per_minute: 2 })
  const admit = (now: Date) => admitSample(db, { keyId, price: null, now })
  for (const now of [later(24 * hourMs), later(24 * hourMs)])
    expect((await admit(now)).outcome).toBe('admitted')
  expect(await admit(later(24 * hourMs))).toMatchObject({ limit: 'images_per_minute' })
  // It is put right. Two processes that are less than a minute apart still count together.
  const outcomes = [noon, later(30_000), noon].map(async (now) => (await admit(now)).outcome)
  expect((await Promise.all(outcomes)).toSorted()).toEqual(['admitted', 'admitted', 'limit_reached'])
})

test('a clock that jumps while tasks are at work makes and loses no money', async () => {
  const { db } = database
  const accountId = await createSampleAccount(db, { credit: 100, spend_per_day_micros: 30 })
  const keyId = await createSampleKey(db, accountId)
  const jumps = [0, -hourMs, 24 * hourMs, -25 * hourMs, 0]
  const ids = []
  for (const jump of jumps) {
    const id = createId('image')
    const admission = await admitSample(db, { keyId, price: 10, id, now: later(jump) })
    if (admission.outcome === 'admitted') ids.push(id)
    else expect(admission).toMatchObject({ limit: 'spend_per_day_micros' })
  }
  for (const [index, taskId] of ids.entries()) {
    const completedAt = later(jumps[(index + 2) % jumps.length] ?? 0)
    expect(await finishSample(db, { taskId, bill: sampleBill(10), completedAt })).toBe(true)
  }
  const { rows } = await sql<{ spent: number; balance: number; reserved: number }>`
    select (select sum(micros)::int from spend where owner_id = ${accountId}) as spent,
      balance_micros::int as balance, reserved_micros::int as reserved from accounts where id = ${accountId}`.execute(
    db,
  )
  expect(rows).toEqual([{ spent: 10 * ids.length, balance: 100 - 10 * ids.length, reserved: 0 }])
  expect(await checkLedger(db)).toEqual([])
})
