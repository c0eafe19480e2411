import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import type { StoredImage } from '../images/stored-image.ts'
import { createId } from '../lib/ids.ts'
import { failOrphans } from './fail-orphans.ts'
import { finishTask, type TaskOutcome } from './finish-task.ts'
import { getTask } from './get-task.ts'
import { type TaskStatus, taskStatuses, transitions } from './states.ts'
import { admitSampleTask, createSampleKey } from './testing/sample-task.ts'

let database: TestDatabase
let accountId: string
let keyId: string
let taskId: string

beforeAll(async () => {
  database = await createTestDatabase()
  ;({ accountId, keyId } = await createSampleKey(database.db))
})
afterAll(() => database[Symbol.asyncDispose]())

beforeEach(async () => {
  taskId = createId('image')
  await admitSampleTask(database.db, { keyId, nodeId: 'node_mine', id: taskId })
})

const times = { completedAt: new Date(), expiresAt: new Date(Date.now() + 1_000) }

function picture(): StoredImage {
  const id = createId('img')
  return {
    id,
    position: 0,
    format: 'png',
    width: 8,
    height: 9,
    sizeBytes: 10,
    sha256: 'ab'.repeat(32),
    objectKey: `k/${id}`,
    seed: 4_294_967_295,
  }
}

function succeeded(images: StoredImage[] = [picture()]): TaskOutcome {
  return {
    status: 'SUCCEEDED',
    images,
    result: {
      size: '8x9',
      output_format: 'png',
      usage: { generated_images: images.length },
      cost: { micros: 0, currency: 'USD', source: 'unmetered' },
      warnings: [],
    },
  }
}

const failed: TaskOutcome = {
  status: 'FAILED',
  error: { code: 'upstream_failed', message: 'no', param: null },
}
const finish = (outcome: TaskOutcome, nodeId = 'node_mine') =>
  finishTask(database.db, { taskId, nodeId, outcome, ...times })

test('a finished task gives back its pictures and its result', async () => {
  const image = picture()
  expect(await finish(succeeded([image]))).toBe(true)
  const found = await getTask(database.db, { taskId, accountId })
  expect(found.task).toMatchObject({ status: 'SUCCEEDED', result: { size: '8x9' }, error: null })
  expect(found.images).toEqual([{ ...image, revisedPrompt: undefined }])
})

test('a task ends once: the second outcome changes nothing', async () => {
  expect(await finish(failed)).toBe(true)
  expect(await finish(succeeded())).toBe(false)
  const found = await getTask(database.db, { taskId, accountId })
  expect(found.task.status).toBe('FAILED')
  expect(found.images).toEqual([])
})

test('of ten outcomes at once exactly one is recorded', async () => {
  const recorded = await Promise.all(Array.from({ length: 10 }, () => finish(succeeded())))
  expect(recorded.filter(Boolean)).toHaveLength(1)
  expect((await getTask(database.db, { taskId, accountId })).images).toHaveLength(1)
})

test('a node that no longer holds the task records nothing', async () => {
  expect(await finish(succeeded(), 'node_other')).toBe(false)
  expect((await getTask(database.db, { taskId, accountId })).task.status).toBe('IN_PROGRESS')
})

test('repeating a call whose answer was lost says yes and adds nothing', async () => {
  const outcome = succeeded()
  expect(await finish(outcome)).toBe(true)
  expect(await finish(outcome)).toBe(true)
  expect((await getTask(database.db, { taskId, accountId })).images).toHaveLength(1)
})

test('another account does not see the task', async () => {
  await expect(getTask(database.db, { taskId, accountId: 'acct_other' })).rejects.toMatchObject({
    code: 'task_not_found',
  })
})

test('a task of a node that stopped beating ends as outcome_unknown, others go on', async () => {
  const living = createId('node')
  await sql`insert into nodes (id, host, pid, heartbeat_at) values ('node_mine', 'h', 1, now() - interval '1 hour')`.execute(
    database.db,
  )
  await sql`insert into nodes (id, host, pid, heartbeat_at) values (${living}, 'h', 1, now())`.execute(
    database.db,
  )
  const mine = taskId
  const theirs = createId('image')
  await sql`insert into tasks select ${theirs}, account_id, key_id, request_id, status, mode, model, provider,
    upstream_model, request, ${living}, created_at, started_at from tasks where id = ${mine}`.execute(
    database.db,
  )

  await failOrphans(database.db, { deadAfterMs: 15_000, resultTtlMs: 1_000 })
  expect((await getTask(database.db, { taskId: mine, accountId })).task).toMatchObject({
    status: 'FAILED',
    error: { code: 'outcome_unknown' },
  })
  expect((await getTask(database.db, { taskId: theirs, accountId })).task.status).toBe('IN_PROGRESS')
  expect(await failOrphans(database.db, { deadAfterMs: 15_000, resultTtlMs: 1_000 })).toBe(0)
})

const pairs = taskStatuses.flatMap((from) => taskStatuses.map((to): [TaskStatus, TaskStatus] => [from, to]))
test.each(pairs)(
  'the database allows %s to %s exactly where the table of transitions does',
  async (from, to) => {
    // Planted without the trigger, so that every starting state can be had.
    const plant = (status: TaskStatus) => sql`
    update tasks set status = ${status},
      completed_at = case when ${status} in ('SUCCEEDED', 'FAILED', 'CANCELED') then now() end,
      result = case when ${status} = 'SUCCEEDED' then '{}'::jsonb end,
      error = case when ${status} = 'FAILED' then '{}'::jsonb end
    where id = ${taskId}`
    await database.db.connection().execute(async (connection) => {
      await sql`set session_replication_role = replica`.execute(connection)
      await plant(from).execute(connection)
      await sql`set session_replication_role = default`.execute(connection)
    })
    const same = from === to && transitions[from].length > 0
    const attempt = plant(to).execute(database.db)
    if (same || transitions[from].includes(to)) await expect(attempt).resolves.toBeDefined()
    else await expect(attempt).rejects.toThrow(/cannot go from/)
  },
)
