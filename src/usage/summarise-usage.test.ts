import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { getBalance } from '../ledger/get-balance.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  type SampleWork,
  sampleBill,
} from '../ledger/testing/money-world.ts'
import { createId } from '../lib/ids.ts'
import type { Bill } from '../tasks/finish-task.ts'
import { summariseUsage, type UsageGroup } from './summarise-usage.ts'

let database: TestDatabase
let accountId: string
let otherId: string
let keyIds: string[]

/** A day's last moment and the next one's first, in UTC. */
const before = new Date('2026-02-28T23:59:59.999Z')
const after = new Date('2026-03-01T00:00:00.000Z')

async function draw(work: Partial<SampleWork>, end?: { bill?: Bill; images?: number }): Promise<void> {
  const id = createId('image')
  const wished = { price: 100, keyId: keyIds[0] ?? '', now: before, ...work }
  const admission = await admitSample(database.db, { ...wished, id })
  expect(admission.outcome).toBe('admitted')
  if (end) expect(await finishSample(database.db, { taskId: id, completedAt: after, ...end })).toBe(true)
}

beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await createSampleAccount(database.db, { credit: 10_000, name: 'first' })
  otherId = await createSampleAccount(database.db, { name: 'second', billing: 'unmetered' })
  const key = (owner: string, name: string) => createSampleKey(database.db, owner, { name })
  keyIds = [await key(accountId, 'one'), await key(accountId, 'two'), await key(otherId, 'three')]

  await draw({ images: 3 }, { bill: { ...sampleBill(70), providerMicros: 50 }, images: 2 })
  await draw({ keyId: keyIds[1], request: { prompt: 'a fox', bucket: 'foxes' } }, { bill: sampleBill(100) })
  await draw({ now: after, model: 'n', provider: 'q' }, { bill: { ...sampleBill(30), providerMicros: null } })
  await draw({ now: after }, {})
  await draw({ now: after, images: 4 })
  const unpriced = { listMicros: null, providerMicros: 9, chargedMicros: 0, spentMicros: 0 }
  await draw({ keyId: keyIds[2], price: null, images: 5 }, { bill: unpriced, images: 5 })
})
afterAll(() => database[Symbol.asyncDispose]())

const days = { from: '2026-02-28', to: '2026-03-01' }
const summarise = (groupBy: UsageGroup[], more: { accountId?: string; from?: string; to?: string } = {}) =>
  summariseUsage(database.db, { ...days, groupBy, accountId, ...more })

const nothing = {
  requests: 0,
  succeeded: 0,
  failed: 0,
  images: 0,
  listMicros: 0,
  providerMicros: 0,
  chargedMicros: 0,
  unpricedImages: 0,
  notReported: 0,
}

test('a task counts on the UTC day on which it was made, the last moment of a day included', async () => {
  const february = {
    group: { day: '2026-02-28' },
    ...nothing,
    requests: 2,
    succeeded: 2,
    images: 3,
    listMicros: 170,
    providerMicros: 150,
    chargedMicros: 170,
  }
  // One that failed and one at work among them: neither made a picture.
  const march = {
    group: { day: '2026-03-01' },
    ...nothing,
    requests: 3,
    succeeded: 1,
    failed: 1,
    images: 1,
    listMicros: 30,
    chargedMicros: 30,
    notReported: 1,
  }
  expect(await summarise(['day'])).toEqual([february, march])
  expect(await summarise(['day'], { to: '2026-02-28' })).toEqual([february])
  expect(await summarise(['day'], { from: '2026-03-01' })).toEqual([march])
  expect(await summarise(['day'], { from: '2026-03-02', to: '2026-03-31' })).toEqual([])
})

test('the day is that of UTC, whatever the clock of the session says', async () => {
  const rows = await database.db.connection().execute(async (connection) => {
    await sql`set timezone to 'Pacific/Auckland'`.execute(connection)
    return summariseUsage(connection, { ...days, groupBy: ['day'], accountId })
  })
  expect(rows).toEqual(await summarise(['day']))
})

test.each<[UsageGroup, () => Record<string, string | null>[]]>([
  ['model', () => [{ model: 'm' }, { model: 'n' }]],
  ['provider', () => [{ provider: 'p' }, { provider: 'q' }]],
  ['source', () => [{ source: 'credits' }]],
  ['bucket', () => [{ bucket: 'foxes' }, { bucket: null }]],
  ['account', () => [{ account_id: accountId, account_name: 'first' }]],
])('by %s', async (group, wanted) => {
  expect((await summarise([group])).map((row) => row.group)).toEqual(wanted())
})

test('by several at once, keys with their names', async () => {
  const rows = await summarise(['key', 'day'])
  expect(rows.map(({ group }) => [group.key_name, group.day])).toEqual(
    expect.arrayContaining([
      ['one', '2026-02-28'],
      ['one', '2026-03-01'],
      ['two', '2026-02-28'],
    ]),
  )
  expect(rows.map(({ group }) => group.key_id)).toEqual(expect.arrayContaining(keyIds.slice(0, 2)))
  expect(rows).toHaveLength(3)
})

test('of all accounts, what has no price is told as such', async () => {
  const [, second] = (await summarise(['account'], { accountId: undefined })).sort((a, b) =>
    (a.group.account_name ?? '') < (b.group.account_name ?? '') ? -1 : 1,
  )
  expect(second).toEqual({
    group: { account_id: otherId, account_name: 'second' },
    ...nothing,
    requests: 1,
    succeeded: 1,
    images: 5,
    providerMicros: 9,
    unpricedImages: 5,
  })
})

test('what would be too many rows is refused rather than cut', async () => {
  const query = { ...days, groupBy: ['day'] as const, accountId }
  expect(await summariseUsage(database.db, query, 2)).toHaveLength(2)
  await expect(summariseUsage(database.db, query, 1)).rejects.toMatchObject({
    code: 'invalid_image_request',
    param: 'group_by',
    message: expect.stringContaining('more than 1 rows'),
  })
})

test('by nothing it is one row, and what it says was charged is what the balance lost', async () => {
  const [all] = await summarise([])
  const { balanceMicros } = await getBalance(database.db, accountId)
  expect(all).toMatchObject({ group: {}, requests: 5, chargedMicros: 10_000 - balanceMicros })
  expect(all?.chargedMicros).toBe(200)
})
