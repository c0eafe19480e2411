/** The audit log: a row stands or falls with the change it tells of, and nobody rewrites one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { changedFields } from './changed-fields.ts'
import { listAudit } from './list-audit.ts'
import { recordAudit } from './record-audit.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const at = new Date('2026-03-01T12:00:00Z')
const record = (target: string, accountId?: string) =>
  recordAudit(database.db, { actor: { name: 'cli' }, action: 'thing.changed', target, accountId, at })

test('entries are found by target and by account, newest first, in pages', async () => {
  for (const [target, account] of ['a1', 'b1', 'a2', 'a1', 'a1'].map((word) => [word, `acct_${word[0]}`]))
    await record(target ?? '', account)
  const targets = async (query: { target?: string; accountId?: string }) =>
    (await listAudit(database.db, { ...query, limit: 10 })).entries.map(({ target }) => target)
  expect(await targets({})).toEqual(['a1', 'a1', 'a2', 'b1', 'a1'])
  expect(await targets({ target: 'a1' })).toEqual(['a1', 'a1', 'a1'])
  expect(await targets({ accountId: 'acct_a' })).toEqual(['a1', 'a1', 'a2', 'a1'])
  expect(await targets({ accountId: 'acct_a', target: 'b1' })).toEqual([])
  const first = await listAudit(database.db, { limit: 3 })
  const second = await listAudit(database.db, { limit: 3, olderThan: first.entries.at(-1)?.id })
  expect([first.hasMore, second.hasMore]).toEqual([true, false])
  expect([...first.entries, ...second.entries].map(({ target }) => target)).toEqual(await targets({}))
})

test('a change that is rolled back leaves no entry', async () => {
  const undone = database.db.transaction().execute(async (transaction) => {
    await recordAudit(transaction, { actor: { name: 'cli' }, action: 'x', target: 'undone', at })
    throw new Error('undone')
  })
  await expect(undone).rejects.toThrow('undone')
  expect((await listAudit(database.db, { target: 'undone', limit: 1 })).entries).toEqual([])
})

test('no entry can be changed or taken away', async () => {
  await record('kept')
  const change = database.db.updateTable('audit_log').set({ actor: 'nobody' }).execute()
  await expect(change).rejects.toThrow('append-only')
  await expect(database.db.deleteFrom('audit_log').execute()).rejects.toThrow('append-only')
})

test('only what differs is told', () => {
  const before = { name: 'a', list: [1, { b: 2 }], limit: null }
  expect(changedFields(before, { ...before, list: [1, { b: 2 }] })).toBeUndefined()
  expect(changedFields(before, { ...before, limit: 0, list: [1] })).toEqual({
    before: { list: [1, { b: 2 }], limit: null },
    after: { list: [1], limit: 0 },
  })
})
