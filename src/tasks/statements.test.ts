/** What a task costs in round trips: one statement to admit it and one to end it, which are one commit each. */
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import type { Database } from '../db/schema.ts'
import { createId } from '../lib/ids.ts'
import { finishTask } from './finish-task.ts'
import { admitSampleTask, createSampleKey } from './testing/sample-task.ts'

let database: TestDatabase
let counted: Kysely<Database>
let keyId: string
const statements: string[] = []
beforeAll(async () => {
  database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  counted = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    log: ({ query }) => void statements.push(query.sql),
  })
  const sample = await createSampleKey(database.db)
  keyId = sample.keyId
  const money = { billing: 'metered' as const, free_images: 0, balance_micros: 1_000, images_per_day: 100 }
  await database.db.updateTable('accounts').set(money).where('id', '=', sample.accountId).execute()
})
beforeEach(() => {
  statements.length = 0
})
afterAll(async () => {
  await counted.destroy()
  await database[Symbol.asyncDispose]()
})

test('admission with every limit, a reservation and an idempotency key is one statement, and so is the end', async () => {
  const id = createId('image')
  const admission = await admitSampleTask(counted, {
    keyId,
    nodeId: 'n',
    id,
    task: { quotedMicros: 10 },
    repetition: { key: 'k', fingerprint: Buffer.alloc(32), retryCount: 0 },
  })
  expect(admission).toMatchObject({ outcome: 'admitted', source: 'credits', reservedMicros: 10 })
  expect(statements).toHaveLength(1)
  expect(statements[0]).toMatch(/^\s*select admit_task\(/)

  const now = new Date()
  const error = { code: 'upstream_failed', message: 'm', param: null }
  const outcome = { status: 'FAILED' as const, error }
  expect(
    await finishTask(counted, { taskId: id, nodeId: 'n', outcome, completedAt: now, expiresAt: now }),
  ).toBe(true)
  expect(statements).toHaveLength(2)
  // Both have done everything: what was held is free again, in the same breath.
  expect(await entriesOf(id)).toEqual(['reserve', 'release'])
})

test('a refusal is one statement too', async () => {
  expect(await admitSampleTask(counted, { keyId, nodeId: 'n', task: { quotedMicros: 5_000 } })).toMatchObject(
    {
      outcome: 'insufficient_credit',
    },
  )
  expect(statements).toHaveLength(1)
})

async function entriesOf(taskId: string): Promise<string[]> {
  const entries = await database.db
    .selectFrom('ledger_entries')
    .select('kind')
    .where('task_id', '=', taskId)
    .orderBy('id')
    .execute()
  return entries.map(({ kind }) => kind)
}
