import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import { getTask } from './get-task.ts'
import { type Node, type NodeOptions, startNode } from './node.ts'
import { admitSampleTask, createSampleKey } from './testing/sample-task.ts'

let database: TestDatabase
let accountId: string
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
  ;({ accountId, keyId } = await createSampleKey(database.db))
})
afterAll(() => database[Symbol.asyncDispose]())

const start = (options: Partial<NodeOptions> = {}) =>
  startNode(database.db, {
    resultTtlMs: 1_000,
    heartbeatEveryMs: 20,
    deadAfterMs: 300,
    onOrphans() {},
    onAdopted() {},
    onFailure() {},
    ...options,
  })

async function admit(nodeId: string, id = createId('image')): Promise<string> {
  await admitSampleTask(database.db, { keyId, nodeId, id })
  return id
}

const statusOf = async (taskId: string) => (await getTask(database.db, { taskId, accountId })).task.status

test('an admission whose answer was lost ends by itself, a task under work does not', async () => {
  await using node = await start()
  const working = await admitWith(node)
  const lost = await admit(node.id)
  await expect.poll(() => statusOf(lost), { timeout: 10_000 }).toBe('FAILED')
  expect(await statusOf(working)).toBe('IN_PROGRESS')
})

/** A task under work: counted as the node's from before its admission. */
function admitWith(node: Node): Promise<string> {
  const id = createId('image')
  node.outcomes.begin(id)
  return admit(node.id, id)
}

test('the tasks of a node that died are ended by another within a lease', async () => {
  const task = await admit('node_dead')
  await sql`insert into nodes (id, host, pid, heartbeat_at) values ('node_dead', 'h', 1, now())`.execute(
    database.db,
  )
  await using _node = await start()
  await expect.poll(() => statusOf(task), { timeout: 10_000 }).toBe('FAILED')
})

test('a node that could not reach the database itself judges nobody before it has listened for a lease', async () => {
  const failures: unknown[] = []
  await using _node = await start({ onFailure: (error) => failures.push(error), deadAfterMs: 1_000 })
  await expect.poll(() => failures.length, { timeout: 100 }).toBe(0)
  // The outage: every beat fails for longer than a lease.
  await sql`alter table nodes rename to nodes_away`.execute(database.db)
  await expect.poll(() => failures.length, { timeout: 10_000 }).toBeGreaterThan(2)
  const other = await admit('node_other')
  await sql`insert into nodes_away (id, host, pid, heartbeat_at) values ('node_other', 'h', 1, now() - interval '10 seconds')`.execute(
    database.db,
  )
  await sql`alter table nodes_away rename to nodes`.execute(database.db)
  await new Promise((done) => setTimeout(done, 300))
  expect(await statusOf(other)).toBe('IN_PROGRESS')
  // The other one beats again in time.
  await sql`update nodes set heartbeat_at = now() + interval '1 minute' where id = 'node_other'`.execute(
    database.db,
  )
  await new Promise((done) => setTimeout(done, 1_200))
  expect(await statusOf(other)).toBe('IN_PROGRESS')
})
