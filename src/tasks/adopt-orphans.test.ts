/** Which tasks a node takes over: those that nobody follows and it can follow, each by one. */
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import { type Adoption, adoptOrphans, releaseTask } from './adopt-orphans.ts'
import { failLost } from './fail-orphans.ts'
import { startNode } from './node.ts'
import { admitSampleTask, createSampleKey } from './testing/sample-task.ts'

let database: TestDatabase
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
  ;({ keyId } = await createSampleKey(database.db))
  for (const id of ['node_a', 'node_b']) {
    await sql`insert into nodes (id, host, pid, heartbeat_at) values (${id}, 'h', 1, now())`.execute(
      database.db,
    )
  }
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => sql`delete from tasks`.execute(database.db))

async function admitted(nodeId: string): Promise<string> {
  const id = createId('image')
  await admitSampleTask(database.db, { keyId, nodeId, id })
  return id
}

/** A task whose provider, `p`, has accepted the work. */
async function accepted(nodeId: string): Promise<string> {
  const id = await admitted(nodeId)
  await sql`update tasks set work = '{}' where id = ${id}`.execute(database.db)
  return id
}

const adoption: Adoption = { providers: ['p'], ownKeyProviders: [], strangersAfterMs: 60_000 }
const adopt = (nodeId: string, db = database.db, adopts = adoption) =>
  adoptOrphans(db, { nodeId, adoption: adopts, deadAfterMs: 15_000 })

test('two nodes that find the same orphan at once: one of them takes it', async () => {
  const task = await accepted('node_gone')
  const { promise: waits, resolve } = Promise.withResolvers<{ other: Promise<string[]> }>()
  const mine = await database.db.transaction().execute(async (transaction) => {
    const taken = await adopt('node_a', transaction)
    resolve({ other: adopt('node_b') })
    const blocked = () =>
      sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(
        database.db,
      )
    await expect.poll(async () => (await blocked()).rows.length).toBe(1)
    return taken
  })
  expect([mine, await (await waits).other]).toEqual([[task], []])
})

test('the work of a provider that is not here waits for a process that knows it, and not for ever', async () => {
  const task = await accepted('node_gone')
  const stranger = { providers: ['other'], ownKeyProviders: [], strangersAfterMs: 60_000 }
  expect(await adopt('node_a', database.db, stranger)).toEqual([])
  await sql`update tasks set created_at = now() - interval '61 seconds'`.execute(database.db)
  expect(await adopt('node_a', database.db, stranger)).toEqual([task])
})

test('work begun with an own key goes to who can ask with one, other work to who has the server’s', async () => {
  const [own, servers] = [await accepted('node_gone'), await accepted('node_gone')]
  await sql`update tasks set source = 'user' where id = ${own}`.execute(database.db)
  const [withoutKey, withKey] = [[], ['p']]
  const rest = { strangersAfterMs: 60_000 }
  const asking = { providers: withoutKey, ownKeyProviders: withKey, ...rest }
  expect(await adopt('node_a', database.db, asking)).toEqual([own])
  const configured = { providers: withKey, ownKeyProviders: withoutKey, ...rest }
  expect(await adopt('node_b', database.db, configured)).toEqual([servers])
})

test('thousands are taken over a hundred at a time, the oldest first', async () => {
  const oldest = await accepted('node_gone')
  await sql`update tasks set created_at = now() - interval '5 seconds'`.execute(database.db)
  await sql`insert into tasks (id, account_id, key_id, request_id, status, mode, model, provider, upstream_model, request,
      node_id, created_at, work)
    select id || n, account_id, key_id, request_id, status, mode, model, provider, upstream_model, request, node_id,
      now(), work from tasks, generate_series(1, 150) as n`.execute(database.db)
  const [first, second, third] = [await adopt('node_a'), await adopt('node_b'), await adopt('node_a')]
  expect([first.length, second.length, third.length]).toEqual([100, 51, 0])
  expect(first).toContain(oldest)
})

test('only work that a provider has accepted can be left to another', async () => {
  const [task, unsent] = [await accepted('node_a'), await admitted('node_a')]
  expect(await releaseTask(database.db, { taskId: unsent, nodeId: 'node_a' })).toBe(false)
  expect(await releaseTask(database.db, { taskId: task, nodeId: 'node_b' })).toBe(false)
  expect(await releaseTask(database.db, { taskId: task, nodeId: 'node_a' })).toBe(true)
  expect(await adopt('node_b')).toEqual([task])
})

test('a node that did not hear that it took a task over follows it all the same', async () => {
  const taken: string[] = []
  await using node = await startNode(database.db, {
    resultTtlMs: 1_000,
    heartbeatEveryMs: 20,
    adopts: () => adoption,
    onOrphans() {},
    onAdopted: (ids) => taken.push(...ids),
    onFailure() {},
  })
  const task = await accepted(node.id)
  await expect.poll(() => taken).toEqual([task])
  await new Promise((done) => setTimeout(done, 50))
  expect(taken).toEqual([task])
  const [row] = await database.db.selectFrom('tasks').select('status').where('id', '=', task).execute()
  expect(row?.status).toBe('IN_PROGRESS')
})

test('a task that is admitted while the lost ones are looked for is none of them', async () => {
  const task = await admitted('node_a')
  const lost = await failLost(database.db, { nodeId: 'node_a', running: () => [task], resultTtlMs: 1 })
  expect(lost).toEqual({ ended: 0, accepted: [] })
  // Whoever runs is asked when the rows are known, not before.
  let isRead = false
  const looking = failLost(database.db, {
    nodeId: 'node_a',
    running: () => (isRead ? [task] : []),
    resultTtlMs: 1,
  })
  isRead = true
  expect(await looking).toEqual({ ended: 0, accepted: [] })
})
