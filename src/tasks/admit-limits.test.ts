/** What admission decides beside the rate of requests: limits on pictures and money, and who pays. */
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import type { Admission } from './admit-task.ts'
import { after, createDesk, noon } from './testing/admission-desk.ts'

let database: TestDatabase
let desk: ReturnType<typeof createDesk>
beforeAll(async () => {
  database = await createTestDatabase()
  desk = createDesk(database.db)
})
afterAll(() => database[Symbol.asyncDispose]())

const minutes = 60
const hours = 3_600

const outcomes = (admissions: Admission[]) => admissions.map((one) => one.outcome)

test('credit is held while a task is at work, and what it did not cost comes back', async () => {
  const { accountId, keyId } = await desk.open({ credit: 250 })
  const first = await desk.admit({ keyId })
  expect(first).toMatchObject({ outcome: 'admitted', source: 'credits', reservedMicros: 100 })
  const second = await desk.admit({ keyId })
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 250, reserved: 200 })
  expect(await desk.admit({ keyId })).toMatchObject({
    outcome: 'insufficient_credit',
    availableMicros: 50,
    quotedMicros: 100,
  })
  expect(await desk.end(first.id, { charged: 70 })).toBe(true)
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 180, reserved: 100 })
  await desk.end(second.id, { images: 0 })
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 180, reserved: 0 })
  expect((await desk.admit({ keyId })).outcome).toBe('admitted')
})

test('a charge is never more than was held, whatever is told at the end', async () => {
  const { accountId, keyId } = await desk.open({ credit: 1_000 })
  const { id } = await desk.admit({ keyId })
  await desk.end(id, { charged: 5_000 })
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 900, reserved: 0 })
})

test('a task that has ended cannot be ended, and charged, again', async () => {
  const { accountId, keyId } = await desk.open({ credit: 1_000 })
  const { id } = await desk.admit({ keyId })
  expect(await desk.end(id, { charged: 60 })).toBe(true)
  expect(await desk.end(id, { charged: 60 })).toBe(false)
  expect(await desk.end(id, { images: 0 })).toBe(false)
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 940, reserved: 0 })
  const entries = await database.db
    .selectFrom('ledger_entries')
    .select(['kind', 'amount_micros', 'reserved_micros', 'balance_after_micros'])
    .where('task_id', '=', id)
    .orderBy('id')
    .execute()
  expect(entries.map((one) => Object.values(one))).toEqual([
    ['reserve', 0, 100, 1_000],
    ['settle', -60, -100, 940],
  ])
})

test('the ledger refuses to be changed', async () => {
  const { keyId } = await desk.open({ credit: 100 })
  const { id } = await desk.admit({ keyId })
  const update = sql`update ledger_entries set amount_micros = 5 where task_id = ${id}`
  await expect(update.execute(database.db)).rejects.toThrow('append-only')
  await expect(sql`delete from ledger_entries`.execute(database.db)).rejects.toThrow('append-only')
  await expect(sql`truncate ledger_entries`.execute(database.db)).rejects.toThrow('append-only')
})

test('the free quota goes first, then the own key, then credit; none is left is told apart', async () => {
  const { accountId, keyId } = await desk.open({ free_images: 2, credit: 100 })
  const first = await desk.admit({ keyId })
  expect(first).toMatchObject({ source: 'free', reservedMicros: 0 })
  // Three do not fit into what is left: the whole request is paid otherwise.
  expect(await desk.admit({ keyId, images: 3, quoted: 100 })).toMatchObject({ source: 'credits' })
  expect(await desk.admit({ keyId })).toMatchObject({ source: 'free' })
  expect(await desk.admit({ keyId })).toMatchObject({ outcome: 'insufficient_credit' })
  expect(await desk.admit({ keyId, terms: { hasOwnWay: true } })).toMatchObject({ outcome: 'use_own_key' })
  await database.db
    .insertInto('provider_keys')
    .values({
      account_id: accountId,
      provider: 'p',
      secret_id: 's',
      sealed: Buffer.alloc(1),
      hint: '',
      created_at: noon,
    })
    .execute()
  expect(await desk.admit({ keyId })).toMatchObject({
    outcome: 'admitted',
    source: 'user',
    reservedMicros: 0,
  })
  expect(await desk.admit({ keyId, task: { provider: 'other' } })).toMatchObject({
    outcome: 'insufficient_credit',
  })
  expect(await desk.admit({ keyId, task: { provider: 'other' }, terms: { hasRoute: false } })).toMatchObject({
    outcome: 'no_route',
  })
})

test('the free quota counts finished pictures for 24 hours to the second, and holds those at work', async () => {
  const { keyId } = await desk.open({ free_images: 3 })
  const first = await desk.admit({ keyId })
  await desk.end(first.id, { at: after(10) })
  const failed = await desk.admit({ keyId, now: after(20) })
  await desk.end(failed.id, { images: 0, at: after(30) })
  const second = await desk.admit({ keyId, images: 2, now: after(40) })
  const full = await desk.admit({ keyId, now: after(50) })
  expect(full).toMatchObject({
    outcome: 'free_quota_exceeded',
    quota: {
      limit: 3,
      used: 1,
      atWork: 2,
      nextAvailableAt: after(10 + 24 * hours),
      freeAt: after(10 + 24 * hours),
    },
  })
  await desk.end(second.id, { images: 2, at: after(60) })
  expect(await desk.admit({ keyId, images: 2, now: after(70) })).toMatchObject({
    quota: { used: 3, atWork: 0, nextAvailableAt: after(10 + 24 * hours), freeAt: after(60 + 24 * hours) },
  })
  expect((await desk.admit({ keyId, now: after(9.999 + 24 * hours) })).outcome).toBe('free_quota_exceeded')
  expect((await desk.admit({ keyId, now: after(10 + 24 * hours) })).outcome).toBe('admitted')
})

test('without any free pictures an empty account is told of credit, and a price is needed', async () => {
  const { keyId } = await desk.open()
  expect((await desk.admit({ keyId })).outcome).toBe('insufficient_credit')
  expect((await desk.admit({ keyId, quoted: null })).outcome).toBe('unpriced')
  expect(await desk.admit({ keyId, quoted: 0 })).toMatchObject({ outcome: 'admitted', source: 'credits' })
  const unmetered = await desk.open({ billing: 'unmetered' })
  expect(await desk.admit({ keyId: unmetered.keyId, quoted: null })).toMatchObject({ source: 'unmetered' })
})

test.each([
  ['images_per_minute', 60],
  ['images_per_day', 24 * hours],
] as const)(
  '%s counts the pictures of tasks that began in the window, and gives back failures',
  async (limit, span) => {
    const { keyId } = await desk.open({ billing: 'unmetered' }, { [limit]: 4 })
    const first = await desk.admit({ keyId, images: 2 })
    await desk.admit({ keyId, images: 1, now: after(5) })
    expect(await desk.admit({ keyId, images: 2, now: after(10) })).toMatchObject({
      outcome: 'limit_reached',
      limit,
      of: 'key',
      most: 4,
      freeAt: after(span),
    })
    const third = await desk.admit({ keyId, images: 1, now: after(10) })
    expect((await desk.admit({ keyId, now: after(11) })).outcome).toBe('limit_reached')
    await desk.end(third.id, { images: 0, at: after(12) })
    expect((await desk.admit({ keyId, now: after(13) })).outcome).toBe('admitted')
    expect(await desk.admit({ keyId, images: 3, now: after(14) })).toMatchObject({ freeAt: after(5 + span) })
    // Two were asked for and one came.
    await desk.end(first.id, { images: 1, at: after(15) })
    expect((await desk.admit({ keyId, now: after(16) })).outcome).toBe('admitted')
    expect((await desk.admit({ keyId, now: after(span - 0.001) })).outcome).toBe('limit_reached')
    expect((await desk.admit({ keyId, now: after(span) })).outcome).toBe('admitted')
  },
)

test('concurrency counts tasks at work, of a key and of all keys of an account', async () => {
  const { keyId, addKey } = await desk.open({ billing: 'unmetered', concurrency: 3 }, { concurrency: 2 })
  const other = await addKey({})
  const [first] = [await desk.admit({ keyId }), await desk.admit({ keyId })]
  expect(await desk.admit({ keyId })).toMatchObject({ limit: 'concurrency', of: 'key', most: 2 })
  expect((await desk.admit({ keyId: other })).outcome).toBe('admitted')
  expect(await desk.admit({ keyId: other })).toMatchObject({ limit: 'concurrency', of: 'account', most: 3 })
  await desk.end(first.id)
  expect((await desk.admit({ keyId: other })).outcome).toBe('admitted')
})

test('a rate of the account holds over all its keys', async () => {
  const { keyId, addKey } = await desk.open({ billing: 'unmetered', requests_per_minute: 3 })
  const other = await addKey({})
  const all = [keyId, other, keyId, other, keyId]
  const admissions = []
  for (const one of all) admissions.push(await desk.admit({ keyId: one }))
  expect(outcomes(admissions)).toEqual(['admitted', 'admitted', 'admitted', 'rate_limited', 'rate_limited'])
  expect(admissions.at(-1)).toMatchObject({ of: 'account', rate: { limit: 3, remaining: 0 } })
})

test.each([
  ['spend_per_day_micros', '2026-03-16T00:00:00Z'],
  ['spend_per_month_micros', '2026-04-01T00:00:00Z'],
  ['spend_total_micros', undefined],
] as const)('%s holds what is spent and what may be, and begins anew in its time', async (limit, again) => {
  const { keyId } = await desk.open({ billing: 'unmetered' }, { [limit]: 250 })
  const first = await desk.admit({ keyId })
  await desk.admit({ keyId })
  expect(await desk.admit({ keyId })).toMatchObject({
    outcome: 'limit_reached',
    limit,
    used: 200,
    freeAt: again ? new Date(again) : null,
  })
  await desk.end(first.id, { spent: 40 })
  expect((await desk.admit({ keyId })).outcome).toBe('admitted')
  expect(await desk.admit({ keyId, quoted: 11 })).toMatchObject({ used: 240 })
  expect(await desk.admit({ keyId, quoted: null })).toMatchObject({ limit: 'unpriced' })
  const later = again ? new Date(again) : after(1_000 * hours)
  expect((await desk.admit({ keyId, now: new Date(later.getTime() - 1) })).outcome).toBe('limit_reached')
  expect((await desk.admit({ keyId, now: later })).outcome).toBe(again ? 'admitted' : 'limit_reached')
})

test('what is free or paid by an own key does not count as spent', async () => {
  const { accountId, keyId } = await desk.open({ free_images: 1, spend_total_micros: 0, credit: 1_000 })
  expect(await desk.admit({ keyId })).toMatchObject({ source: 'free' })
  expect(await desk.admit({ keyId })).toMatchObject({ limit: 'spend_total_micros', of: 'account' })
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 1_000, reserved: 0 })
})

test('who is refused uses up nothing: no request, no credit, no picture', async () => {
  const { accountId, keyId } = await desk.open(
    { credit: 2_000 },
    { images_per_day: 10, requests_per_minute: 25 },
  )
  const admissions = await Promise.all(Array.from({ length: 60 }, () => desk.admit({ keyId })))
  expect(admissions.filter((one) => one.outcome === 'admitted')).toHaveLength(10)
  expect(admissions.filter((one) => one.outcome === 'limit_reached')).toHaveLength(50)
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 2_000, reserved: 1_000 })
  expect(await desk.admit({ keyId, now: after(2 * minutes) })).toMatchObject({ rate: { remaining: 24 } })
})

test('a key and its successor count together: a new secret is no new budget', async () => {
  const limits = { images_per_day: 3, spend_total_micros: 1_000, requests_per_minute: 4 }
  const { keyId, addKey } = await desk.open({ billing: 'unmetered' }, limits)
  const successor = await addKey({ ...limits, root_id: keyId, replaces: keyId })
  const third = await addKey({ ...limits, root_id: keyId, replaces: successor })
  const first = await desk.admit({ keyId, quoted: 100 })
  await desk.end(first.id, { spent: 100 })
  expect((await desk.admit({ keyId: successor, quoted: 100 })).outcome).toBe('admitted')
  expect(await desk.admit({ keyId: third, quoted: 801 })).toMatchObject({
    limit: 'spend_total_micros',
    used: 200,
  })
  expect((await desk.admit({ keyId: third, quoted: 100 })).outcome).toBe('admitted')
  expect(await desk.admit({ keyId, quoted: 1 })).toMatchObject({ limit: 'images_per_day' })
  await desk.end(first.id)
  expect(await desk.admit({ keyId: successor, now: after(24 * hours), quoted: 1, images: 1 })).toMatchObject({
    outcome: 'admitted',
    rate: { remaining: 3 },
  })
})

test('a key that is for other models, or switched off, or whose account is, admits nothing', async () => {
  const { accountId, keyId, addKey } = await desk.open({ billing: 'unmetered' }, { models: ['a', 'b'] })
  expect(await desk.admit({ keyId })).toMatchObject({ outcome: 'model_not_allowed', models: ['a', 'b'] })
  expect((await desk.admit({ keyId, task: { model: 'b' } })).outcome).toBe('admitted')
  const off = await addKey({ disabled_at: noon.toISOString() })
  expect(await desk.admit({ keyId: off })).toMatchObject({ outcome: 'disabled', of: 'key' })
  await database.db.updateTable('accounts').set({ disabled_at: noon }).where('id', '=', accountId).execute()
  expect(await desk.admit({ keyId: await addKey({}) })).toMatchObject({ outcome: 'disabled', of: 'account' })
})
