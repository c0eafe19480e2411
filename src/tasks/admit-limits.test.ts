/** What admission decides beside the rate of requests: limits on pictures and money, who pays, and repetitions. */
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import type { Admission, NewTask } from './admit-task.ts'
import { finishTask } from './finish-task.ts'
import { admitSampleTask } from './testing/sample-task.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const nodeId = 'node_test'
const noon = new Date('2026-03-15T12:00:00Z')
const after = (seconds: number) => new Date(noon.getTime() + seconds * 1_000)
const minutes = 60
const hours = 3_600

type Columns = Record<string, string | number | string[] | null>

/** An account with a key, both with these columns. */
async function open(account: Columns = {}, key: Columns = {}) {
  const accountId = createId('acct')
  const { credit = 0, ...own } = account
  await database.db
    .insertInto('accounts')
    .values({ id: accountId, name: 'test', billing: 'metered', free_images: 0, ...own })
    .execute()
  if (credit) {
    await database.db
      .updateTable('accounts')
      .set({ balance_micros: Number(credit) })
      .where('id', '=', accountId)
      .execute()
  }
  const addKey = async (columns: Columns) => {
    const id = createId('key')
    const hash = Buffer.from(id.padEnd(32).slice(-32))
    const base = { id, account_id: accountId, name: 'test', hash, hint: 'gs_', scopes: ['images:write'] }
    await database.db
      .insertInto('keys')
      .values({
        ...base,
        origin: 'created',
        requests_per_minute: 10_000,
        expires_at: null,
        revoked_at: null,
        ...columns,
      })
      .execute()
    return id
  }
  return { accountId, keyId: await addKey(key), addKey }
}

interface Asking {
  keyId: string
  images?: number
  quoted?: number | null
  now?: Date
  task?: Partial<NewTask>
  terms?: Parameters<typeof admitSampleTask>[1]['terms']
  repetition?: Parameters<typeof admitSampleTask>[1]['repetition']
}

async function admit({ keyId, images = 1, quoted = 100, now = noon, task, ...rest }: Asking) {
  const id = createId('image')
  const admission = await admitSampleTask(database.db, {
    keyId,
    nodeId,
    id,
    now,
    task: { images, quotedMicros: quoted, ...task },
    ...rest,
  })
  return { ...admission, id }
}

async function end(
  id: string,
  how: { images?: number; charged?: number; spent?: number; at?: Date; code?: string } = {},
) {
  const { images = 1, charged = 0, spent = charged, at = noon } = how
  const picture = () => ({
    id: createId('img'),
    position: 0,
    format: 'png' as const,
    width: 8,
    height: 8,
    sizeBytes: 1,
    sha256: 'ab'.repeat(32),
    objectKey: createId('img'),
  })
  const outcome =
    images === 0
      ? {
          status: 'FAILED' as const,
          error: { code: how.code ?? 'upstream_failed', message: 'm', param: null },
        }
      : {
          status: 'SUCCEEDED' as const,
          images: Array.from({ length: images }, (_, position) => ({ ...picture(), position })),
          result: {
            size: '8x8',
            output_format: 'png',
            usage: { generated_images: images },
            cost: { micros: charged, currency: 'USD' as const, source: 'credits' as const },
            warnings: [],
          },
          bill: { listMicros: charged, providerMicros: null, chargedMicros: charged, spentMicros: spent },
        }
  return finishTask(database.db, { taskId: id, nodeId, outcome, completedAt: at, expiresAt: at })
}

const outcomes = (admissions: Admission[]) => admissions.map((one) => one.outcome)

async function moneyOf(accountId: string) {
  return database.db
    .selectFrom('accounts')
    .select(['balance_micros as balance', 'reserved_micros as reserved'])
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow()
}

test('credit is held while a task is at work, and what it did not cost comes back', async () => {
  const { accountId, keyId } = await open({ credit: 250 })
  const first = await admit({ keyId })
  expect(first).toMatchObject({ outcome: 'admitted', source: 'credits', reservedMicros: 100 })
  const second = await admit({ keyId })
  expect(await moneyOf(accountId)).toEqual({ balance: 250, reserved: 200 })
  expect(await admit({ keyId })).toMatchObject({
    outcome: 'insufficient_credit',
    availableMicros: 50,
    quotedMicros: 100,
  })
  expect(await end(first.id, { charged: 70 })).toBe(true)
  expect(await moneyOf(accountId)).toEqual({ balance: 180, reserved: 100 })
  await end(second.id, { images: 0 })
  expect(await moneyOf(accountId)).toEqual({ balance: 180, reserved: 0 })
  expect((await admit({ keyId })).outcome).toBe('admitted')
})

test('a charge is never more than was held, whatever is told at the end', async () => {
  const { accountId, keyId } = await open({ credit: 1_000 })
  const { id } = await admit({ keyId })
  await end(id, { charged: 5_000 })
  expect(await moneyOf(accountId)).toEqual({ balance: 900, reserved: 0 })
})

test('a task that has ended cannot be ended, and charged, again', async () => {
  const { accountId, keyId } = await open({ credit: 1_000 })
  const { id } = await admit({ keyId })
  expect(await end(id, { charged: 60 })).toBe(true)
  expect(await end(id, { charged: 60 })).toBe(false)
  expect(await end(id, { images: 0 })).toBe(false)
  expect(await moneyOf(accountId)).toEqual({ balance: 940, reserved: 0 })
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
  const { keyId } = await open({ credit: 100 })
  const { id } = await admit({ keyId })
  const update = sql`update ledger_entries set amount_micros = 5 where task_id = ${id}`
  await expect(update.execute(database.db)).rejects.toThrow('append-only')
  await expect(sql`delete from ledger_entries`.execute(database.db)).rejects.toThrow('append-only')
  await expect(sql`truncate ledger_entries`.execute(database.db)).rejects.toThrow('append-only')
})

test('the free quota goes first, then the own key, then credit; none is left is told apart', async () => {
  const { accountId, keyId } = await open({ free_images: 2, credit: 100 })
  const first = await admit({ keyId })
  expect(first).toMatchObject({ source: 'free', reservedMicros: 0 })
  // Three do not fit into what is left: the whole request is paid otherwise.
  expect(await admit({ keyId, images: 3, quoted: 100 })).toMatchObject({ source: 'credits' })
  expect(await admit({ keyId })).toMatchObject({ source: 'free' })
  expect(await admit({ keyId })).toMatchObject({ outcome: 'insufficient_credit' })
  expect(await admit({ keyId, terms: { hasOwnWay: true } })).toMatchObject({ outcome: 'use_own_key' })
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
  expect(await admit({ keyId })).toMatchObject({ outcome: 'admitted', source: 'user', reservedMicros: 0 })
  expect(await admit({ keyId, task: { provider: 'other' } })).toMatchObject({
    outcome: 'insufficient_credit',
  })
  expect(await admit({ keyId, task: { provider: 'other' }, terms: { hasRoute: false } })).toMatchObject({
    outcome: 'no_route',
  })
})

test('the free quota counts finished pictures for 24 hours to the second, and holds those at work', async () => {
  const { keyId } = await open({ free_images: 3 })
  const first = await admit({ keyId })
  await end(first.id, { at: after(10) })
  const failed = await admit({ keyId, now: after(20) })
  await end(failed.id, { images: 0, at: after(30) })
  const second = await admit({ keyId, images: 2, now: after(40) })
  const full = await admit({ keyId, now: after(50) })
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
  await end(second.id, { images: 2, at: after(60) })
  expect(await admit({ keyId, images: 2, now: after(70) })).toMatchObject({
    quota: { used: 3, atWork: 0, nextAvailableAt: after(10 + 24 * hours), freeAt: after(60 + 24 * hours) },
  })
  expect((await admit({ keyId, now: after(9.999 + 24 * hours) })).outcome).toBe('free_quota_exceeded')
  expect((await admit({ keyId, now: after(10 + 24 * hours) })).outcome).toBe('admitted')
})

test('without any free pictures an empty account is told of credit, and a price is needed', async () => {
  const { keyId } = await open()
  expect((await admit({ keyId })).outcome).toBe('insufficient_credit')
  expect((await admit({ keyId, quoted: null })).outcome).toBe('unpriced')
  expect(await admit({ keyId, quoted: 0 })).toMatchObject({ outcome: 'admitted', source: 'credits' })
  const unmetered = await open({ billing: 'unmetered' })
  expect(await admit({ keyId: unmetered.keyId, quoted: null })).toMatchObject({ source: 'unmetered' })
})

test.each([
  ['images_per_minute', 60],
  ['images_per_day', 24 * hours],
] as const)(
  '%s counts the pictures of tasks that began in the window, and gives back failures',
  async (limit, span) => {
    const { keyId } = await open({ billing: 'unmetered' }, { [limit]: 4 })
    const first = await admit({ keyId, images: 2 })
    await admit({ keyId, images: 1, now: after(5) })
    expect(await admit({ keyId, images: 2, now: after(10) })).toMatchObject({
      outcome: 'limit_reached',
      limit,
      of: 'key',
      most: 4,
      freeAt: after(span),
    })
    const third = await admit({ keyId, images: 1, now: after(10) })
    expect((await admit({ keyId, now: after(11) })).outcome).toBe('limit_reached')
    await end(third.id, { images: 0, at: after(12) })
    expect((await admit({ keyId, now: after(13) })).outcome).toBe('admitted')
    expect(await admit({ keyId, images: 3, now: after(14) })).toMatchObject({ freeAt: after(5 + span) })
    // Two were asked for and one came.
    await end(first.id, { images: 1, at: after(15) })
    expect((await admit({ keyId, now: after(16) })).outcome).toBe('admitted')
    expect((await admit({ keyId, now: after(span - 0.001) })).outcome).toBe('limit_reached')
    expect((await admit({ keyId, now: after(span) })).outcome).toBe('admitted')
  },
)

test('concurrency counts tasks at work, of a key and of all keys of an account', async () => {
  const { keyId, addKey } = await open({ billing: 'unmetered', concurrency: 3 }, { concurrency: 2 })
  const other = await addKey({})
  const [first] = [await admit({ keyId }), await admit({ keyId })]
  expect(await admit({ keyId })).toMatchObject({ limit: 'concurrency', of: 'key', most: 2 })
  expect((await admit({ keyId: other })).outcome).toBe('admitted')
  expect(await admit({ keyId: other })).toMatchObject({ limit: 'concurrency', of: 'account', most: 3 })
  await end(first.id)
  expect((await admit({ keyId: other })).outcome).toBe('admitted')
})

test('a rate of the account holds over all its keys', async () => {
  const { keyId, addKey } = await open({ billing: 'unmetered', requests_per_minute: 3 })
  const other = await addKey({})
  const all = [keyId, other, keyId, other, keyId]
  const admissions = []
  for (const one of all) admissions.push(await admit({ keyId: one }))
  expect(outcomes(admissions)).toEqual(['admitted', 'admitted', 'admitted', 'rate_limited', 'rate_limited'])
  expect(admissions.at(-1)).toMatchObject({ of: 'account', rate: { limit: 3, remaining: 0 } })
})

test.each([
  ['spend_per_day_micros', '2026-03-16T00:00:00Z'],
  ['spend_per_month_micros', '2026-04-01T00:00:00Z'],
  ['spend_total_micros', undefined],
] as const)('%s holds what is spent and what may be, and begins anew in its time', async (limit, again) => {
  const { keyId } = await open({ billing: 'unmetered' }, { [limit]: 250 })
  const first = await admit({ keyId })
  await admit({ keyId })
  expect(await admit({ keyId })).toMatchObject({
    outcome: 'limit_reached',
    limit,
    used: 200,
    freeAt: again ? new Date(again) : null,
  })
  await end(first.id, { spent: 40 })
  expect((await admit({ keyId })).outcome).toBe('admitted')
  expect(await admit({ keyId, quoted: 11 })).toMatchObject({ used: 240 })
  expect(await admit({ keyId, quoted: null })).toMatchObject({ limit: 'unpriced' })
  const later = again ? new Date(again) : after(1_000 * hours)
  expect((await admit({ keyId, now: new Date(later.getTime() - 1) })).outcome).toBe('limit_reached')
  expect((await admit({ keyId, now: later })).outcome).toBe(again ? 'admitted' : 'limit_reached')
})

test('what is free or paid by an own key does not count as spent', async () => {
  const { accountId, keyId } = await open({ free_images: 1, spend_total_micros: 0, credit: 1_000 })
  expect(await admit({ keyId })).toMatchObject({ source: 'free' })
  expect(await admit({ keyId })).toMatchObject({ limit: 'spend_total_micros', of: 'account' })
  expect(await moneyOf(accountId)).toEqual({ balance: 1_000, reserved: 0 })
})

test('who is refused uses up nothing: no request, no credit, no picture', async () => {
  const { accountId, keyId } = await open({ credit: 2_000 }, { images_per_day: 10, requests_per_minute: 25 })
  const admissions = await Promise.all(Array.from({ length: 60 }, () => admit({ keyId })))
  expect(admissions.filter((one) => one.outcome === 'admitted')).toHaveLength(10)
  expect(admissions.filter((one) => one.outcome === 'limit_reached')).toHaveLength(50)
  expect(await moneyOf(accountId)).toEqual({ balance: 2_000, reserved: 1_000 })
  expect(await admit({ keyId, now: after(2 * minutes) })).toMatchObject({ rate: { remaining: 24 } })
})

test('a key and its successor count together: a new secret is no new budget', async () => {
  const limits = { images_per_day: 3, spend_total_micros: 1_000, requests_per_minute: 4 }
  const { keyId, addKey } = await open({ billing: 'unmetered' }, limits)
  const successor = await addKey({ ...limits, root_id: keyId, replaces: keyId })
  const third = await addKey({ ...limits, root_id: keyId, replaces: successor })
  const first = await admit({ keyId, quoted: 100 })
  await end(first.id, { spent: 100 })
  expect((await admit({ keyId: successor, quoted: 100 })).outcome).toBe('admitted')
  expect(await admit({ keyId: third, quoted: 801 })).toMatchObject({ limit: 'spend_total_micros', used: 200 })
  expect((await admit({ keyId: third, quoted: 100 })).outcome).toBe('admitted')
  expect(await admit({ keyId, quoted: 1 })).toMatchObject({ limit: 'images_per_day' })
  await end(first.id)
  expect(await admit({ keyId: successor, now: after(24 * hours), quoted: 1, images: 1 })).toMatchObject({
    outcome: 'admitted',
    rate: { remaining: 3 },
  })
})

test('a key that is for other models, or switched off, or whose account is, admits nothing', async () => {
  const { accountId, keyId, addKey } = await open({ billing: 'unmetered' }, { models: ['a', 'b'] })
  expect(await admit({ keyId })).toMatchObject({ outcome: 'model_not_allowed', models: ['a', 'b'] })
  expect((await admit({ keyId, task: { model: 'b' } })).outcome).toBe('admitted')
  const off = await addKey({ disabled_at: noon.toISOString() })
  expect(await admit({ keyId: off })).toMatchObject({ outcome: 'disabled', of: 'key' })
  await database.db.updateTable('accounts').set({ disabled_at: noon }).where('id', '=', accountId).execute()
  expect(await admit({ keyId: await addKey({}) })).toMatchObject({ outcome: 'disabled', of: 'account' })
})

test('a repetition is its task again, whichever key of the account sends it, and counts as a request only', async () => {
  const { accountId, keyId, addKey } = await open({ credit: 1_000 }, { requests_per_minute: 3 })
  const repetition = { key: 'order-7', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }
  const first = await admit({ keyId, repetition })
  const [again, elsewhere] = [
    await admit({ keyId, repetition }),
    await admit({ keyId: await addKey({}), repetition }),
  ]
  expect(again).toMatchObject({ outcome: 'repeated', taskId: first.id, rate: { remaining: 1 } })
  expect(elsewhere).toMatchObject({ outcome: 'repeated', taskId: first.id })
  const other = { ...repetition, fingerprint: Buffer.alloc(32, 2) }
  expect(await admit({ keyId, repetition: other })).toMatchObject({ outcome: 'key_reused', taskId: first.id })
  expect(await moneyOf(accountId)).toEqual({ balance: 1_000, reserved: 100 })
  await admit({ keyId, repetition })
  expect((await admit({ keyId, repetition })).outcome).toBe('rate_limited')
  const stranger = await open({ credit: 1_000 })
  expect((await admit({ keyId: stranger.keyId, repetition })).outcome).toBe('admitted')
  // A day later the key is free.
  expect((await admit({ keyId, repetition: other, now: after(24 * hours) })).outcome).toBe('admitted')
})

test('a failure that made nothing frees the key; one that may have made something does not', async () => {
  const { keyId } = await open({ credit: 1_000 })
  const repetition = { key: 'k', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }
  const other = { key: 'k', fingerprint: Buffer.alloc(32, 2), retryCount: 0 }
  const first = await admit({ keyId, repetition })
  await end(first.id, { images: 0 })
  const second = await admit({ keyId, repetition: other })
  expect(second.outcome).toBe('admitted')
  await end(second.id, { images: 0, code: 'outcome_unknown' })
  expect(await admit({ keyId, repetition: other })).toMatchObject({ outcome: 'repeated', taskId: second.id })
})

test('a hundred at once under one key are one task, through two keys of an account too', async () => {
  const { accountId, keyId, addKey } = await open({ credit: 10_000 })
  const keys = [keyId, await addKey({})]
  const repetition = { key: 'k', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, n) => admit({ keyId: keys[n % 2] ?? keyId, repetition })),
  )
  const admitted = all.filter((one) => one.outcome === 'admitted')
  expect(admitted).toHaveLength(1)
  const repeated = all.filter((one) => one.outcome === 'repeated')
  expect(repeated).toHaveLength(99)
  for (const one of repeated) expect(one).toMatchObject({ taskId: admitted[0]?.id })
  expect(await moneyOf(accountId)).toEqual({ balance: 10_000, reserved: 100 })
})

test("a client's retry joins what is at work or was not answered, each original once per attempt", async () => {
  const { keyId, addKey } = await open({ billing: 'unmetered' })
  const attempt = (retryCount: number) => ({ fingerprint: Buffer.alloc(32, 9), retryCount })
  const [one, two] = [
    await admit({ keyId, repetition: attempt(0) }),
    await admit({ keyId, repetition: attempt(0) }),
  ]
  expect([one.outcome, two.outcome]).toEqual(['admitted', 'admitted'])
  const joined = []
  for (const count of [1, 1, 2])
    joined.push(await admit({ keyId, repetition: attempt(count), now: after(1) }))
  // Of two that began in the same moment either may be taken first.
  const [former, latter] = [one.id, two.id].sort()
  const taken = joined.map((admission) => ('taskId' in admission ? admission.taskId : ''))
  expect(taken).toEqual([former, latter, former])
  // Neither another key of the account, nor another body, nor a third client that tries again.
  expect((await admit({ keyId: await addKey({}), repetition: attempt(1) })).outcome).toBe('admitted')
  expect((await admit({ keyId, repetition: attempt(1) })).outcome).toBe('admitted')
})

test('a retry does not join what was answered, what surely failed, or what ended long ago', async () => {
  const { keyId } = await open({ billing: 'unmetered' })
  const attempt = (mark: number, retryCount: number) => ({ fingerprint: Buffer.alloc(32, mark), retryCount })
  const answered = await admit({ keyId, repetition: attempt(1, 0) })
  await end(answered.id)
  await database.db.updateTable('tasks').set({ answered_at: noon }).where('id', '=', answered.id).execute()
  expect((await admit({ keyId, repetition: attempt(1, 1) })).outcome).toBe('admitted')
  const failed = await admit({ keyId, repetition: attempt(2, 0) })
  await end(failed.id, { images: 0 })
  expect((await admit({ keyId, repetition: attempt(2, 1) })).outcome).toBe('admitted')
  const long = await admit({ keyId, repetition: attempt(3, 0) })
  await end(long.id)
  expect(await admit({ keyId, repetition: attempt(3, 1), now: after(599) })).toMatchObject({
    taskId: long.id,
  })
  expect((await admit({ keyId, repetition: attempt(3, 2), now: after(601) })).outcome).toBe('admitted')
  const switchedOff = await admit({ keyId, repetition: attempt(4, 0) })
  expect(switchedOff.outcome).toBe('admitted')
  const terms = { joinWindowMs: undefined } as object
  expect((await admit({ keyId, repetition: attempt(4, 1), terms })).outcome).toBe('admitted')
})
