import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import { type Adjustment, adjustBalance } from './adjust-balance.ts'
import { checkLedger } from './check-ledger.ts'
import { creditAccount } from './credit-account.ts'
import { getBalance } from './get-balance.ts'
import { listEntries } from './list-entries.ts'
import { maxAmountMicros } from './money-amount.ts'
import type { Movement } from './move-balance.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  sampleActor,
  sampleBill,
} from './testing/money-world.ts'

let database: TestDatabase
let accountId: string
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(async () => {
  expect(await checkLedger(database.db)).toEqual([])
  await database[Symbol.asyncDispose]()
})
beforeEach(async () => {
  accountId = await createSampleAccount(database.db)
})

const now = new Date()
const credit = (micros: number, more: Partial<Movement> = {}) =>
  creditAccount(database.db, { accountId, micros, actor: sampleActor, now, ...more })
const adjust = (micros: number, more: Partial<Adjustment> = {}) =>
  adjustBalance(database.db, { accountId, micros, note: 'a mistake', actor: sampleActor, now, ...more })
const entriesOf = async () => (await listEntries(database.db, { accountId, limit: 100 })).entries

/** A task that is at work, with so much held for it. */
async function atWork(price: number): Promise<string> {
  const id = createId('image')
  const keyId = await createSampleKey(database.db, accountId)
  expect(await admitSample(database.db, { keyId, price, id })).toMatchObject({ outcome: 'admitted' })
  return id
}

/** A task that cost so much. */
async function paid(micros: number): Promise<string> {
  const taskId = await atWork(micros)
  expect(await finishSample(database.db, { taskId, bill: sampleBill(micros) })).toBe(true)
  return taskId
}

describe('a credit', () => {
  test('10 and then 5 are 15, and each is an entry', async () => {
    expect(await credit(10)).toMatchObject({ balanceMicros: 10, reservedMicros: 0, repeated: false })
    expect(await credit(5, { note: 'thanks' })).toMatchObject({ balanceMicros: 15 })
    expect(await getBalance(database.db, accountId)).toEqual({
      accountId,
      billing: 'metered',
      balanceMicros: 15,
      reservedMicros: 0,
      availableMicros: 15,
    })
    expect(await entriesOf()).toMatchObject([
      { kind: 'credit', amountMicros: 5, balanceAfterMicros: 15, note: 'thanks', createdAt: now },
      { kind: 'credit', amountMicros: 10, balanceAfterMicros: 10, note: null, taskId: null },
    ])
  })

  test.each([0.5, -1, 0, Number.NaN, Number.POSITIVE_INFINITY, 9_007_199_254_740_992, maxAmountMicros + 1])(
    'of %d is refused and leaves nothing behind',
    async (micros) => {
      await expect(credit(micros)).rejects.toMatchObject({ code: 'invalid_image_request', param: 'micros' })
      expect(await entriesOf()).toEqual([])
    },
  )

  test('cannot take a balance beyond what sums exactly', async () => {
    const rich = await createSampleAccount(database.db, { balance_micros: 9_000_000_000_000_000 - 5 })
    await expect(credit(6, { accountId: rich })).rejects.toMatchObject({ param: 'micros' })
    await database.db.deleteFrom('accounts').where('id', '=', rich).execute()
  })

  test('of an account that is not there is refused', async () => {
    for (const nobody of [createId('acct'), 'acct_nobody', '\0']) {
      await expect(credit(1, { accountId: nobody })).rejects.toMatchObject({ code: 'account_not_found' })
    }
  })

  test('twenty at once with one reference are one, and all are told of it', async () => {
    const first = await Promise.all(Array.from({ length: 20 }, () => credit(7, { reference: 'invoice 1' })))
    expect(first.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(new Set(first.map(({ entryId }) => entryId)).size).toBe(1)
    await credit(1)
    const later = await credit(7, { reference: 'invoice 1' })
    expect(later).toMatchObject({ repeated: true, balanceMicros: 7, entryId: first[0]?.entryId })
    expect(await getBalance(database.db, accountId)).toMatchObject({ balanceMicros: 8 })
  })

  test('with a reference that stands for something else is refused; another account has its own', async () => {
    await credit(7, { reference: 'r' })
    await expect(credit(8, { reference: 'r' })).rejects.toMatchObject({ code: 'reference_reused' })
    await expect(adjust(7, { reference: 'r' })).rejects.toMatchObject({ code: 'reference_reused' })
    const other = await createSampleAccount(database.db)
    expect(await credit(8, { reference: 'r', accountId: other })).toMatchObject({ repeated: false })
    expect(await entriesOf()).toHaveLength(1)
  })

  test('a hundred at once are all there', async () => {
    await Promise.all(Array.from({ length: 100 }, () => credit(3)))
    expect(await getBalance(database.db, accountId)).toMatchObject({ balanceMicros: 300 })
  })

  test('is told in the audit log with who made it; a repetition and a refusal are not', async () => {
    const actor = { name: 'key_admin', requestId: 'req_1' }
    const { entryId } = await credit(7, { actor, reference: 'r', note: 'n' })
    await credit(7, { actor, reference: 'r' })
    await credit(8, { actor, reference: 'r' }).catch(() => undefined)
    const rows = await database.db
      .selectFrom('audit_log')
      .selectAll()
      .where('target', '=', accountId)
      .execute()
    expect(rows).toMatchObject([
      {
        actor: 'key_admin',
        request_id: 'req_1',
        action: 'account.credited',
        account_id: accountId,
        before: { balance_micros: 0 },
        after: { balance_micros: 7, entry_id: entryId, note: 'n', reference: 'r' },
        at: now,
      },
    ])
  })
})

describe('an adjustment', () => {
  test('takes what is available, and not what is held', async () => {
    await credit(100)
    await atWork(60)
    await expect(adjust(-41)).rejects.toMatchObject({
      code: 'invalid_image_request',
      message:
        'micros is -41, but only 40 micro-USD are available: the balance is 100 micro-USD, of which 60 micro-USD are held for tasks at work.',
    })
    expect(await adjust(-40)).toMatchObject({ balanceMicros: 60, reservedMicros: 60 })
    await expect(adjust(-1)).rejects.toThrow('only 0 micro-USD')
    expect(await adjust(5)).toMatchObject({ balanceMicros: 65 })
  })

  test.each([
    [{ micros: 0 }, 'micros'],
    [{ micros: 0.5 }, 'micros'],
    [{ micros: -maxAmountMicros - 1 }, 'micros'],
    [{ micros: 1, note: ' ' }, 'note'],
  ])('of %j is refused', async (wish, param) => {
    await expect(adjust(wish.micros, wish)).rejects.toMatchObject({ code: 'invalid_image_request', param })
  })

  test('fifty at once never take more than there is', async () => {
    await credit(100)
    const taken = await Promise.allSettled(Array.from({ length: 50 }, () => adjust(-7)))
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(14)
    expect(await getBalance(database.db, accountId)).toMatchObject({ balanceMicros: 2 })
  })
})

describe('a refund', () => {
  test('gives back what a task cost, in parts, and never more, also at once', async () => {
    await credit(100)
    const taskId = await paid(40)
    expect(await adjust(15, { taskId })).toMatchObject({ balanceMicros: 75 })
    await expect(adjust(26, { taskId })).rejects.toThrow(
      'the task was charged 40 micro-USD, of which 15 micro-USD were given back before',
    )
    const rest = await Promise.allSettled(Array.from({ length: 10 }, () => adjust(10, { taskId })))
    expect(rest.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    expect(await getBalance(database.db, accountId)).toMatchObject({ balanceMicros: 95 })
  })

  test('is told under its task', async () => {
    await credit(100)
    const taskId = await paid(40)
    await adjust(40, { taskId, note: 'it was blurred', reference: 'refund' })
    expect(await adjust(40, { taskId, reference: 'refund' })).toMatchObject({ repeated: true })
    const { entries } = await listEntries(database.db, { taskId, limit: 100 })
    expect(entries.map(({ kind, amountMicros }) => [kind, amountMicros])).toEqual([
      ['adjust', 40],
      ['settle', -40],
      ['reserve', 0],
    ])
  })

  test('of a task at work, of one that failed, or below zero is refused', async () => {
    await credit(100)
    const working = await atWork(10)
    await expect(adjust(1, { taskId: working })).rejects.toThrow('the task was charged 0 micro-USD')
    await finishSample(database.db, { taskId: working })
    await expect(adjust(1, { taskId: working })).rejects.toThrow('the task was charged 0 micro-USD')
    const taskId = await paid(10)
    await expect(adjust(-1, { taskId })).rejects.toThrow('a refund of a task must be more than 0')
  })

  test("of another account's task, or of none, is refused", async () => {
    await credit(100)
    const taskId = await paid(10)
    const other = await createSampleAccount(database.db)
    await expect(adjust(1, { taskId, accountId: other })).rejects.toMatchObject({ code: 'task_not_found' })
    await expect(adjust(1, { taskId: createId('image') })).rejects.toMatchObject({ code: 'task_not_found' })
    await expect(adjust(1, { taskId: '\0' })).rejects.toMatchObject({ code: 'task_not_found' })
  })
})

test('pages of entries follow each other without a gap', async () => {
  for (const micros of [1, 2, 3, 4, 5]) await credit(micros)
  const first = await listEntries(database.db, { accountId, limit: 2 })
  const second = await listEntries(database.db, { accountId, limit: 3, olderThan: first.entries[1]?.id })
  expect([first.hasMore, second.hasMore]).toEqual([true, false])
  expect([...first.entries, ...second.entries].map(({ amountMicros }) => amountMicros)).toEqual([
    5, 4, 3, 2, 1,
  ])
  expect(await listEntries(database.db, { taskId: '\0', limit: 1 })).toEqual({ entries: [], hasMore: false })
  await expect(listEntries(database.db, { accountId: createId('acct'), limit: 1 })).rejects.toMatchObject({
    code: 'account_not_found',
  })
})
