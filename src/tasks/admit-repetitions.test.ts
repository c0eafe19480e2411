/** What admission makes of a request that was made before: by its idempotency key, and by a client's own retries. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { after, createDesk, noon } from './testing/admission-desk.ts'

let database: TestDatabase
let desk: ReturnType<typeof createDesk>
beforeAll(async () => {
  database = await createTestDatabase()
  desk = createDesk(database.db)
})
afterAll(() => database[Symbol.asyncDispose]())

const hours = 3_600

test('a repetition is its task again, whichever key of the account sends it, and counts as a request only', async () => {
  const { accountId, keyId, addKey } = await desk.open({ credit: 1_000 }, { requests_per_minute: 3 })
  const repetition = { key: 'order-7', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }
  const first = await desk.admit({ keyId, repetition })
  const [again, elsewhere] = [
    await desk.admit({ keyId, repetition }),
    await desk.admit({ keyId: await addKey({}), repetition }),
  ]
  expect(again).toMatchObject({ outcome: 'repeated', taskId: first.id, rate: { remaining: 1 } })
  expect(elsewhere).toMatchObject({ outcome: 'repeated', taskId: first.id })
  const other = { ...repetition, fingerprint: Buffer.alloc(32, 2) }
  expect(await desk.admit({ keyId, repetition: other })).toMatchObject({
    outcome: 'key_reused',
    taskId: first.id,
  })
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 1_000, reserved: 100 })
  await desk.admit({ keyId, repetition })
  expect((await desk.admit({ keyId, repetition })).outcome).toBe('rate_limited')
  const stranger = await desk.open({ credit: 1_000 })
  expect((await desk.admit({ keyId: stranger.keyId, repetition })).outcome).toBe('admitted')
  // A day later the key is free.
  expect((await desk.admit({ keyId, repetition: other, now: after(24 * hours) })).outcome).toBe('admitted')
})

test('a failure that made nothing frees the key; one that may have made something does not', async () => {
  const { keyId } = await desk.open({ credit: 1_000 })
  const repetition = { key: 'k', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }
  const other = { key: 'k', fingerprint: Buffer.alloc(32, 2), retryCount: 0 }
  const first = await desk.admit({ keyId, repetition })
  await desk.end(first.id, { images: 0 })
  const second = await desk.admit({ keyId, repetition: other })
  expect(second.outcome).toBe('admitted')
  await desk.end(second.id, { images: 0, code: 'outcome_unknown' })
  expect(await desk.admit({ keyId, repetition: other })).toMatchObject({
    outcome: 'repeated',
    taskId: second.id,
  })
})

test('a hundred at once under one key are one task, through two keys of an account too', async () => {
  const { accountId, keyId, addKey } = await desk.open({ credit: 10_000 })
  const keys = [keyId, await addKey({})]
  const repetition = { key: 'k', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, n) => desk.admit({ keyId: keys[n % 2] ?? keyId, repetition })),
  )
  const admitted = all.filter((one) => one.outcome === 'admitted')
  expect(admitted).toHaveLength(1)
  const repeated = all.filter((one) => one.outcome === 'repeated')
  expect(repeated).toHaveLength(99)
  for (const one of repeated) expect(one).toMatchObject({ taskId: admitted[0]?.id })
  expect(await desk.moneyOf(accountId)).toEqual({ balance: 10_000, reserved: 100 })
})

test("a client's retry joins what is at work or was not answered, each original once per attempt", async () => {
  const { keyId, addKey } = await desk.open({ billing: 'unmetered' })
  const attempt = (retryCount: number) => ({ fingerprint: Buffer.alloc(32, 9), retryCount })
  const [one, two] = [
    await desk.admit({ keyId, repetition: attempt(0) }),
    await desk.admit({ keyId, repetition: attempt(0) }),
  ]
  expect([one.outcome, two.outcome]).toEqual(['admitted', 'admitted'])
  const joined = []
  for (const count of [1, 1, 2])
    joined.push(await desk.admit({ keyId, repetition: attempt(count), now: after(1) }))
  // Of two that began in the same moment either may be taken first.
  const [former, latter] = [one.id, two.id].sort()
  const taken = joined.map((admission) => ('taskId' in admission ? admission.taskId : ''))
  expect(taken).toEqual([former, latter, former])
  // Neither another key of the account, nor another body, nor a third client that tries again.
  expect((await desk.admit({ keyId: await addKey({}), repetition: attempt(1) })).outcome).toBe('admitted')
  expect((await desk.admit({ keyId, repetition: attempt(1) })).outcome).toBe('admitted')
})

test('a retry does not join what was answered, what surely failed, or what ended long ago', async () => {
  const { keyId } = await desk.open({ billing: 'unmetered' })
  const attempt = (mark: number, retryCount: number) => ({ fingerprint: Buffer.alloc(32, mark), retryCount })
  const answered = await desk.admit({ keyId, repetition: attempt(1, 0) })
  await desk.end(answered.id)
  await database.db.updateTable('tasks').set({ answered_at: noon }).where('id', '=', answered.id).execute()
  expect((await desk.admit({ keyId, repetition: attempt(1, 1) })).outcome).toBe('admitted')
  const failed = await desk.admit({ keyId, repetition: attempt(2, 0) })
  await desk.end(failed.id, { images: 0 })
  expect((await desk.admit({ keyId, repetition: attempt(2, 1) })).outcome).toBe('admitted')
  const long = await desk.admit({ keyId, repetition: attempt(3, 0) })
  await desk.end(long.id)
  expect(await desk.admit({ keyId, repetition: attempt(3, 1), now: after(599) })).toMatchObject({
    taskId: long.id,
  })
  expect((await desk.admit({ keyId, repetition: attempt(3, 2), now: after(601) })).outcome).toBe('admitted')
  const switchedOff = await desk.admit({ keyId, repetition: attempt(4, 0) })
  expect(switchedOff.outcome).toBe('admitted')
  const terms = { joinWindowMs: undefined } as object
  expect((await desk.admit({ keyId, repetition: attempt(4, 1), terms })).outcome).toBe('admitted')
})
