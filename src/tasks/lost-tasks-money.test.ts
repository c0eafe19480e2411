/** Whose process is gone, or was thought to be: what was held for its tasks is settled once, by whoever may. */
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { checkLedger } from '../ledger/check-ledger.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  sampleBill,
  successOutcome,
} from '../ledger/testing/money-world.ts'
import { createId } from '../lib/ids.ts'
import { adoptOrphans } from './adopt-orphans.ts'
import { failLost, failOrphans } from './fail-orphans.ts'
import { forgetRepetitions } from './forget-repetitions.ts'
import { getUnfinished } from './get-unfinished.ts'
import { keepOperation } from './keep-operation.ts'
import { markDispatched } from './mark-dispatched.ts'
import { startNode } from './node.ts'
import { createOutcomeRecorder } from './record-outcome.ts'

let database: TestDatabase
let accountId: string
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  accountId = await createSampleAccount(database.db, { credit: 100 })
  keyId = await createSampleKey(database.db, accountId)
})

const repetition = { key: 'order-7', fingerprint: Buffer.alloc(32, 1), retryCount: 0 }
const lease = { deadAfterMs: 15_000, resultTtlMs: 60_000 }
const times = { completedAt: new Date(), expiresAt: new Date(Date.now() + 60_000) }

/** A task at work that may cost 30. */
async function admitted(nodeId: string, more: { repetition?: typeof repetition } = {}): Promise<string> {
  const id = createId('image')
  const admission = await admitSample(database.db, { keyId, price: 30, id, nodeId, ...more })
  expect(admission).toMatchObject({ outcome: 'admitted', reservedMicros: 30 })
  return id
}

const beats = (nodeId: string, secondsAgo: number) =>
  sql`insert into nodes (id, host, pid, heartbeat_at)
    values (${nodeId}, 'h', 1, now() - ${secondsAgo} * interval '1 second')
    on conflict (id) do update set heartbeat_at = excluded.heartbeat_at`.execute(database.db)

async function expectMoney(expected: { balance: number; reserved: number }): Promise<void> {
  const money = database.db
    .selectFrom('accounts')
    .select(['balance_micros as balance', 'reserved_micros as reserved'])
    .where('id', '=', accountId)
  expect(await money.executeTakeFirstOrThrow()).toEqual(expected)
  expect(await checkLedger(database.db)).toEqual([])
}

const taskOf = (id: string) =>
  database.db
    .selectFrom('tasks')
    .select(['status', 'node_id', 'images', 'charged_micros', 'spent_micros'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()

test('a node that comes back after it was judged dead records nothing and charges nothing', async () => {
  const { db } = database
  const nodeId = createId('node')
  await beats(nodeId, 16)
  const taskId = await admitted(nodeId, { repetition })
  expect(await markDispatched(db, { taskId, nodeId, now: new Date() })).toBe(true)
  await expectMoney({ balance: 100, reserved: 30 })
  expect(await failOrphans(db, lease)).toBe(1)
  await expectMoney({ balance: 100, reserved: 0 })

  await beats(nodeId, 0)
  const zombie = createOutcomeRecorder(db, nodeId)
  zombie.begin(taskId)
  expect(await zombie.record(taskId, successOutcome(sampleBill(30)), times)).toBe('refused')
  const call = { taskId, call: 0, operation: { id: 'job' }, acceptedAt: new Date(), work: {} }
  expect(await keepOperation(db, { ...call, nodeId })).toBe(false)
  expect(await markDispatched(db, { taskId, nodeId, now: new Date() })).toBe(false)
  expect(await taskOf(taskId)).toMatchObject({
    status: 'FAILED',
    images: 0,
    charged_micros: 0,
    spent_micros: 0,
  })
  await expectMoney({ balance: 100, reserved: 0 })
  // Whether a picture was made is not known: the same request is not made again.
  expect(await admitSample(db, { keyId, price: 30, repetition })).toMatchObject({
    outcome: 'repeated',
    taskId,
  })
  await forgetRepetitions(db, new Date())
  expect(await admitSample(db, { keyId, price: 30, repetition })).toMatchObject({
    outcome: 'repeated',
    taskId,
  })
})

test('what was admitted and never sent fails for sure: its key is free, and the same request is made', async () => {
  const { db } = database
  const nodeId = createId('node')
  await beats(nodeId, 16)
  const unsent = { ...repetition, key: 'never sent' }
  const taskId = await admitted(nodeId, { repetition: unsent })
  expect(await failOrphans(db, lease)).toBe(1)
  const { error } = await db
    .selectFrom('tasks')
    .select('error')
    .where('id', '=', taskId)
    .executeTakeFirstOrThrow()
  expect(error).toMatchObject({ code: 'overloaded', message: expect.stringContaining('Nothing was made') })
  await expectMoney({ balance: 100, reserved: 0 })
  const again = await admitted(nodeId, { repetition: unsent })
  expect(again).not.toBe(taskId)
  await beats(nodeId, 16)
  expect(await failOrphans(db, lease)).toBe(1)
})

test('who judges, who finds its own lost and who finishes, all at once: one of them ends each task', async () => {
  const { db } = database
  for (let round = 0; round < 5; round++) {
    const nodeId = createId('node')
    const taskIds = await Promise.all([1, 2, 3].map(() => admitted(nodeId)))
    await beats(nodeId, 16)
    const before = await db
      .selectFrom('accounts')
      .select('balance_micros')
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow()
    const [orphans, lost, ...finished] = await Promise.all([
      failOrphans(db, lease),
      failLost(db, { nodeId, running: () => [], resultTtlMs: 1 }),
      ...taskIds.map((taskId) => finishSample(db, { taskId, nodeId, bill: sampleBill(1) })),
    ])
    const made = finished.filter(Boolean).length
    expect(orphans + lost.ended + made).toBe(3)
    await expectMoney({ balance: before.balance_micros - made, reserved: 0 })
  }
})

test('accepted work is settled by the node that took it over, with what was held at the first', async () => {
  const { db } = database
  const [first, second] = [createId('node'), createId('node')]
  await beats(first, 0)
  const taskId = await admitted(first, { repetition })
  const call = { taskId, call: 0, operation: { id: 'job' }, acceptedAt: new Date(), work: {} }
  expect(await keepOperation(db, { ...call, nodeId: first })).toBe(true)
  await beats(first, 16)
  expect(await failOrphans(db, lease)).toBe(0)
  await beats(second, 0)
  const adoption = { providers: ['p'], ownKeyProviders: [], strangersAfterMs: 60_000 }
  expect(await adoptOrphans(db, { nodeId: second, adoption, deadAfterMs: 15_000 })).toEqual([taskId])
  const funding = { source: 'credits', reservedMicros: 30, quotedMicros: 30 }
  expect(await getUnfinished(db, { taskId, nodeId: second })).toMatchObject({ accountId, funding })
  expect(await finishSample(db, { taskId, nodeId: first, bill: sampleBill(30) })).toBe(false)
  await expectMoney({ balance: 100, reserved: 30 })
  expect(await finishSample(db, { taskId, nodeId: second, bill: sampleBill(20) })).toBe(true)
  expect(await finishSample(db, { taskId, nodeId: second, bill: sampleBill(20) })).toBe(false)
  await expectMoney({ balance: 80, reserved: 0 })
  expect(await admitSample(db, { keyId, price: 30, repetition })).toMatchObject({
    outcome: 'repeated',
    taskId,
  })
})

// A machine that stands still for a second in the wrong moment looks like a silent node.
test('a database that stood still for half a lease was deaf to all: nobody is judged for it', {
  retry: 2,
}, async () => {
  const { db } = database
  const options = { heartbeatEveryMs: 20, deadAfterMs: 2_000, resultTtlMs: 1 }
  const quiet = { onOrphans() {}, onAdopted() {}, onFailure() {} }
  await using _judge = await startNode(db, { ...options, ...quiet })
  // It has listened long enough to judge.
  const gone = await admitted(createId('node'))
  await expect.poll(async () => (await taskOf(gone)).status, { interval: 20 }).toBe('FAILED')
  const silent = createId('node')
  await beats(silent, 1)
  const taskId = await admitted(silent)
  await db.transaction().execute(async (transaction) => {
    await sql`lock table nodes in exclusive mode`.execute(transaction)
    await sql`select pg_sleep(1.3)`.execute(transaction)
  })
  // The beat of the other comes a moment after that of the judge.
  await new Promise((done) => setTimeout(done, 40))
  await beats(silent, -60)
  expect(await taskOf(taskId)).toMatchObject({ status: 'IN_PROGRESS' })
})
