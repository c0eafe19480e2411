/** Tasks whose answers have left: nobody is joined to them any more. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import { createAnswerMarker } from './mark-answered.ts'
import { admitSampleTask, createSampleKey } from './testing/sample-task.ts'

let database: TestDatabase
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
  keyId = (await createSampleKey(database.db)).keyId
})
afterAll(() => database[Symbol.asyncDispose]())

let now = new Date('2026-11-21T12:00:00Z')
const clock = { now: () => now }
const failures: unknown[] = []
const onFailure = (error: unknown) => void failures.push(error)

const repetition = (retryCount: number, print = 'same') => ({ fingerprint: Buffer.from(print), retryCount })

async function begin(retryCount = 0, print?: string): Promise<string> {
  const id = createId('image')
  const admission = await admitSampleTask(database.db, {
    keyId,
    nodeId: 'node_1',
    id,
    repetition: repetition(retryCount, print),
  })
  return admission.outcome === 'repeated' ? admission.taskId : id
}

async function answeredAt(ids: readonly string[]): Promise<(Date | null)[]> {
  const rows = await database.db
    .selectFrom('tasks')
    .select(['id', 'answered_at'])
    .where('id', 'in', ids)
    .execute()
  return ids.map((id) => rows.find((row) => row.id === id)?.answered_at ?? null)
}

test('a retry is joined to a task until its answer has left, and makes one of its own after that', async () => {
  await using marker = createAnswerMarker(database.db, { clock, onFailure })
  const first = await begin(0, 'joined')
  expect(await begin(0, 'joined')).not.toBe(first)
  const answered = await begin(0, 'answered')
  marker.mark(answered)
  await expect.poll(() => answeredAt([answered])).toEqual([now])
  expect(await begin(1, 'answered')).not.toBe(answered)
  expect(await begin(1, 'joined')).toBe(first)

  const lost = await begin(0, 'lost')
  marker.mark(lost)
  await expect.poll(() => answeredAt([lost])).toEqual([now])
  marker.unmark(lost)
  await expect.poll(() => answeredAt([lost])).toEqual([null])
  expect(await begin(1, 'lost')).toBe(lost)
})

test('many at once are few statements, all are marked, and the first answer counts', async () => {
  let statements = 0
  const db = database.db.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      statements += 1
      return result
    },
  })
  const ids = await Promise.all(Array.from({ length: 40 }, () => begin()))
  const other = await begin()
  const then = now
  {
    await using marker = createAnswerMarker(db, { clock, onFailure })
    for (const id of ids) marker.mark(id)
  }
  expect(await answeredAt([...ids, other])).toEqual([...ids.map(() => then), null])
  expect(statements).toBe(2)
  now = new Date('2026-11-21T12:05:00Z')
  {
    await using marker = createAnswerMarker(db, { clock, onFailure })
    for (const id of ids) marker.mark(id)
  }
  expect(await answeredAt(ids)).toEqual(ids.map(() => then))
  expect(failures).toEqual([])
})

test('a database that is away costs nobody anything: what could not be marked goes with the next', async () => {
  let isAway = true
  const db = database.db.withPlugin({
    transformQuery({ node }) {
      if (isAway) throw Object.assign(new Error('no server'), { code: 'ECONNREFUSED' })
      return node
    },
    transformResult: async ({ result }) => result,
  })
  const [first, second] = [await begin(), await begin()]
  await using marker = createAnswerMarker(db, { clock, onFailure })
  marker.mark(first)
  await expect.poll(() => failures.length).toBe(1)
  isAway = false
  marker.mark(second)
  await expect.poll(() => answeredAt([first, second])).toEqual([now, now])
  expect(failures).toHaveLength(1)
})
