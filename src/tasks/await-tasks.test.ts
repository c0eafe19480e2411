/** Waiting for tasks that others end, against a real database whose questions are counted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import { createTaskWaiter } from './await-tasks.ts'
import { finishTask } from './finish-task.ts'
import { admitSampleTask, createSampleKey } from './testing/sample-task.ts'

const nodeId = 'node_1'
const never = new AbortController().signal
let database: TestDatabase
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
  keyId = (await createSampleKey(database.db)).keyId
})
afterAll(() => database[Symbol.asyncDispose]())

let questions = 0
const counted = () =>
  database.db.withPlugin({
    transformQuery({ node }) {
      questions += 1
      return node
    },
    transformResult: async ({ result }) => result,
  })
beforeEach(() => {
  questions = 0
})

async function begin(): Promise<string> {
  const id = createId('image')
  await admitSampleTask(database.db, { keyId, nodeId, id })
  return id
}

function end(taskId: string): Promise<boolean> {
  const outcome = { status: 'FAILED', error: { code: 'outcome_unknown', message: 'x', param: null } } as const
  const now = new Date()
  return finishTask(database.db, { taskId, nodeId, outcome, completedAt: now, expiresAt: now })
}

test('waits as long as the task goes on, for everybody who waits, and only then', async () => {
  await using waiter = createTaskWaiter(database.db, { pollMs: 5 })
  const [first, second] = [await begin(), await begin()]
  const told: string[] = []
  const all = [first, first, second].map((id) => waiter.ended(id, never).then(() => told.push(id)))
  await sleep(30)
  expect(told).toEqual([])
  await end(second)
  await expect.poll(() => told).toEqual([second])
  await end(first)
  await Promise.all(all)
  expect(told).toEqual([second, first, first])
})

test('a task that has ended, or that is gone, is told at once', async () => {
  await using waiter = createTaskWaiter(database.db, { pollMs: 60_000 })
  const id = await begin()
  await end(id)
  await waiter.ended(id, never)
  await waiter.ended(createId('image'), never)
  // Whoever comes in the very moment in which the last one left is not forgotten.
  await waiter.ended(id, never).then(() => waiter.ended(id, never))
})

test('asks one question for all, and none while nobody waits', async () => {
  await using waiter = createTaskWaiter(counted(), { pollMs: 10 })
  const ids = await Promise.all(Array.from({ length: 50 }, begin))
  await sleep(30)
  expect(questions).toBe(0)
  const all = ids.map((id) => waiter.ended(id, never))
  await sleep(25)
  expect(questions).toBeGreaterThan(0)
  expect(questions).toBeLessThan(6)
  await Promise.all(ids.map(end))
  await Promise.all(all)
  const asked = questions
  await sleep(30)
  expect(questions).toBe(asked)
})

test('who gives up is let go, and the others are not', async () => {
  await using waiter = createTaskWaiter(counted(), { pollMs: 5 })
  const id = await begin()
  const leaving = new AbortController()
  const [patient, impatient] = [waiter.ended(id, never), waiter.ended(id, leaving.signal)]
  leaving.abort(new Error('the server stops'))
  await expect(impatient).rejects.toThrow('the server stops')
  await expect(waiter.ended(id, leaving.signal)).rejects.toThrow('the server stops')
  await end(id)
  await patient

  const alone = new AbortController()
  const last = waiter.ended(await begin(), alone.signal)
  alone.abort(new Error('nobody is left'))
  await expect(last).rejects.toThrow('nobody is left')
  await sleep(20)
  const asked = questions
  await sleep(20)
  expect(questions).toBe(asked)
})

test('a database that is away is waited for; a stop of the process is told', async () => {
  const id = await begin()
  await end(id)
  let isAway = true
  const db = database.db.withPlugin({
    transformQuery({ node }) {
      if (isAway) throw Object.assign(new Error('no server'), { code: 'ECONNREFUSED' })
      return node
    },
    transformResult: async ({ result }) => result,
  })
  const waiter = createTaskWaiter(db, { pollMs: 5 })
  let isTold = false
  const told = waiter.ended(id, never).then(() => {
    isTold = true
  })
  await sleep(40)
  expect(isTold).toBe(false)
  isAway = false
  await told
  isAway = true
  const refused = expect(waiter.ended(id, never)).rejects.toMatchObject({
    code: 'overloaded',
    retryable: true,
  })
  await waiter[Symbol.asyncDispose]()
  await refused
  await expect(waiter.ended(id, never)).rejects.toMatchObject({ code: 'overloaded' })
})
