/** What repetitions of a request are told, against a real database and a store that counts its readers. */
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { createTaskWaiter } from '../tasks/await-tasks.ts'
import { finishTask, type TaskOutcome } from '../tasks/finish-task.ts'
import { admitSampleTask, createSampleKey } from '../tasks/testing/sample-task.ts'
import { replay } from './replay.ts'

const nodeId = 'node_1'
const never = new AbortController().signal
let database: TestDatabase
let accountId: string
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
  ;({ accountId, keyId } = await createSampleKey(database.db))
})
afterAll(() => database[Symbol.asyncDispose]())

/** Holds every picture, or none. */
function storeOf(bytes: Buffer | undefined) {
  let reads = 0
  const get = async () => {
    reads += 1
    return bytes ? { stream: Readable.from([bytes]), sizeBytes: bytes.length } : null
  }
  return { objects: { get } as unknown as ObjectStore, reads: () => reads }
}

async function begin(): Promise<string> {
  const id = createId('image')
  await admitSampleTask(database.db, { keyId, nodeId, id })
  return id
}

async function end(taskId: string, outcome: TaskOutcome): Promise<void> {
  const now = new Date()
  expect(await finishTask(database.db, { taskId, nodeId, outcome, completedAt: now, expiresAt: now })).toBe(
    true,
  )
}

function made(images: number): TaskOutcome {
  return {
    status: 'SUCCEEDED',
    result: {
      size: '1x1',
      output_format: 'png',
      usage: { generated_images: images },
      cost: { micros: 0, currency: 'USD', source: 'unmetered' },
      warnings: [],
    },
    images: Array.from({ length: images }, (_, position) => {
      const id = createId('img')
      const picture = { format: 'png', width: 1, height: 1, sizeBytes: 3, sha256: 'ab'.repeat(32) } as const
      return { id, position, objectKey: `images/${id}.png`, ...picture }
    }),
  }
}

/** How many have begun to wait. */
let waiters = 0

/** Somebody who repeats the request of a task. */
function repeater(objects: ObjectStore, waiter = createTaskWaiter(database.db, { pollMs: 5 })) {
  const dependencies = {
    db: database.db,
    objects,
    waitForTask(taskId: string, signal: AbortSignal) {
      waiters += 1
      return waiter.ended(taskId, signal)
    },
  }
  const caller = { accountId } as Parameters<typeof replay>[1]['caller']
  return (taskId: string, { waits = true, signal = never } = {}) =>
    replay(dependencies, { caller, waits }, taskId, signal)
}

test('a hundred who wait for one task get its pictures, which are read and held once', async () => {
  const store = storeOf(Buffer.from('abc'))
  const repeat = repeater(store.objects)
  const taskId = await begin()
  const before = waiters
  const all = Array.from({ length: 100 }, () => repeat(taskId))
  await expect.poll(() => waiters - before, { interval: 5 }).toBe(100)
  await end(taskId, made(2))
  const [first, ...others] = await Promise.all(all)
  expect(first).toMatchObject({ replayed: true, task: { id: taskId, status: 'SUCCEEDED' } })
  expect(first?.pictures.map(({ bytes, place }) => [bytes.toString(), place])).toEqual([
    ['abc', 0],
    ['abc', 1],
  ])
  for (const one of others) expect(one.pictures[0]?.bytes).toBe(first?.pictures[0]?.bytes)
  expect(store.reads()).toBe(2)
  // Nothing is kept beyond that.
  expect((await repeat(taskId)).pictures[0]?.bytes).not.toBe(first?.pictures[0]?.bytes)
})

test('a failure is told in the words of the first answer, and never as safe to repeat', async () => {
  const repeat = repeater(storeOf(undefined).objects)
  for (const code of ['outcome_unknown', 'moderation_blocked'] as const) {
    const taskId = await begin()
    const waiting = Promise.allSettled([repeat(taskId), repeat(taskId)])
    const error = { code, message: 'in these words', param: 'prompt' }
    await end(taskId, { status: 'FAILED', error })
    for (const one of await waiting) {
      expect(one).toMatchObject({ status: 'rejected', reason: { ...error, retryable: false } })
    }
  }
})

test('pictures that are no longer kept are said to be gone, to everybody who asks', async () => {
  const store = storeOf(undefined)
  const repeat = repeater(store.objects)
  const taskId = await begin()
  await end(taskId, made(1))
  for (const one of await Promise.allSettled([repeat(taskId), repeat(taskId)])) {
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'image_not_found' } })
  }
  // Asked anew: the store may have them back.
  await expect(repeat(taskId)).rejects.toMatchObject({ code: 'image_not_found' })
  expect(store.reads()).toBeGreaterThan(1)
})

test('who does not want to wait is told where to look; who waits when the process stops, to send it again', async () => {
  const repeat = repeater(storeOf(undefined).objects)
  const taskId = await begin()
  await expect(repeat(taskId, { waits: false })).rejects.toMatchObject({
    code: 'idempotency_in_progress',
    retryable: true,
    message: expect.stringContaining(taskId),
  })
  const stop = new AbortController()
  const waiting = repeat(taskId, { signal: stop.signal })
  setTimeout(() => stop.abort(), 20)
  await expect(waiting).rejects.toMatchObject({ code: 'overloaded', retryable: true })
})

test('another account has no such task', async () => {
  const taskId = await begin()
  const { db } = database
  const caller = { accountId: 'acct_another' } as Parameters<typeof replay>[1]['caller']
  const { objects } = storeOf(undefined)
  const told = replay(
    { db, objects, waitForTask: async () => undefined },
    { caller, waits: true },
    taskId,
    never,
  )
  await expect(told).rejects.toMatchObject({ code: 'task_not_found' })
})
