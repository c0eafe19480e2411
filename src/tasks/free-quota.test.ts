/** The free pictures of an account, as `/api/v1` tells them: the same that admission counts. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createKey } from '../keys/create-key.ts'
import { createId } from '../lib/ids.ts'
import { finishTask, type TaskOutcome } from './finish-task.ts'
import { getFreeQuota } from './free-quota.ts'
import type { TaskResult } from './task.ts'
import { admitSampleTask } from './testing/sample-task.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const hourMs = 3_600_000
const start = new Date('2026-11-21T00:00:00Z')
const after = (hours: number) => new Date(start.getTime() + hours * hourMs)

async function account(own: { billing: 'metered' | 'unmetered'; free_images?: number }) {
  const { db } = database
  const accountId = createId('acct')
  await db
    .insertInto('accounts')
    .values({ id: accountId, name: accountId, ...own })
    .execute()
  const { id: keyId } = await createKey(db, { accountId, name: 'test', scopes: ['images:write'] })
  const begin = async (now: Date, images = 1) => {
    const id = createId('image')
    const { outcome } = await admitSampleTask(db, { keyId, nodeId: 'node_1', id, now, task: { images } })
    expect(outcome).toBe('admitted')
    return id
  }
  const end = async (taskId: string, at: Date, pictures: number) => {
    const times = { completedAt: at, expiresAt: after(100) }
    const outcome: TaskOutcome =
      pictures === 0
        ? { status: 'FAILED', error: { code: 'upstream_failed', message: 'x', param: null } }
        : { status: 'SUCCEEDED', result, images: Array.from({ length: pictures }, picture) }
    expect(await finishTask(db, { taskId, nodeId: 'node_1', outcome, ...times })).toBe(true)
  }
  const quota = (now: Date) => getFreeQuota(db, { accountId, now, defaultFreeImages: 4 })
  return { begin, end, quota }
}

const result: TaskResult = {
  size: '8x8',
  output_format: 'png',
  usage: { generated_images: 1 },
  cost: { micros: 0, currency: 'USD', source: 'free' },
  warnings: [],
}

const picture = (_: unknown, position: number) => {
  const id = createId('img')
  return {
    id,
    position,
    format: 'png',
    width: 8,
    height: 8,
    sizeBytes: 3,
    sha256: '00'.repeat(32),
    objectKey: id,
  } as const
}

test('counts pictures by their end, and what is at work as not remaining; failures are free', async () => {
  const { begin, end, quota } = await account({ billing: 'metered' })
  expect(await quota(start)).toEqual({ limit: 4, used: 0, remaining: 4, nextAvailableAt: null })
  const [first, second, failing] = [await begin(after(0), 2), await begin(after(1)), await begin(after(1))]
  expect(await quota(after(1))).toMatchObject({ used: 0, remaining: 0, nextAvailableAt: null })
  await end(first, after(2), 2)
  await end(second, after(3), 1)
  await end(failing, after(3), 0)
  expect(await quota(after(3))).toEqual({ limit: 4, used: 3, remaining: 1, nextAvailableAt: after(26) })
  expect(await quota(after(26.5))).toMatchObject({ used: 1, remaining: 3, nextAvailableAt: after(27) })
  expect(await quota(after(27.5))).toEqual({ limit: 4, used: 0, remaining: 4, nextAvailableAt: null })
})

test('the account’s own number goes before the server’s, also where it is none or has become smaller', async () => {
  const none = await account({ billing: 'metered', free_images: 0 })
  expect(await none.quota(start)).toEqual({ limit: 0, used: 0, remaining: 0, nextAvailableAt: null })
  const { begin, end, quota } = await account({ billing: 'metered', free_images: 9 })
  await end(await begin(after(0), 6), after(0), 6)
  expect(await quota(after(0))).toMatchObject({ limit: 9, used: 6, remaining: 3 })
  await database.db.updateTable('accounts').set({ free_images: 5 }).where('free_images', '=', 9).execute()
  expect(await quota(after(0))).toMatchObject({ limit: 5, used: 6, remaining: 0 })
})

test('an account that pays nothing has no limit, and is told what it made', async () => {
  const { begin, end, quota } = await account({ billing: 'unmetered', free_images: 1 })
  await end(await begin(after(0), 3), after(1), 3)
  expect(await quota(after(2))).toEqual({ limit: null, used: 3, remaining: null, nextAvailableAt: after(25) })
})
