import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { ensureDefaultAccount } from '../accounts/ensure-default-account.ts'
import { createKey } from '../keys/create-key.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import type { Scope } from '../keys/scopes.ts'
import type { Admission } from './admit-task.ts'
import { admitSampleTask } from './testing/sample-task.ts'

let database: TestDatabase
let accountId: string
beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await ensureDefaultAccount(database.db)
})
afterAll(() => database[Symbol.asyncDispose]())

const start = new Date('2026-01-01T00:00:00Z')
const later = (ms: number) => new Date(start.getTime() + ms)

async function newKey(requestsPerMinute: number, scopes: Scope[] = ['images:write'], expiresAt?: Date) {
  return (await createKey(database.db, { accountId, name: 'test', scopes, requestsPerMinute, expiresAt })).id
}

function admit(keyId: string, now: Date): Promise<Admission> {
  return admitSampleTask(database.db, { keyId, nodeId: 'node_test', now })
}

async function taskCount(keyId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) from tasks where key_id = ${keyId}`.execute(
    database.db,
  )
  return Number(rows[0]?.count)
}

test('exactly the limit of a minute passes at once, and a refused request leaves no task', async () => {
  const key = await newKey(5)
  const outcomes = []
  for (let n = 0; n < 7; n++) outcomes.push((await admit(key, start)).outcome)
  expect(outcomes).toEqual([
    'admitted',
    'admitted',
    'admitted',
    'admitted',
    'admitted',
    'rate_limited',
    'rate_limited',
  ])
  expect(await taskCount(key)).toBe(5)
})

test('200 parallel requests on a key with a limit of ten admit exactly ten', async () => {
  const key = await newKey(10)
  const admissions = await Promise.all(Array.from({ length: 200 }, () => admit(key, start)))
  expect(admissions.filter((one) => one.outcome === 'admitted')).toHaveLength(10)
  expect(await taskCount(key)).toBe(10)
})

test('one more passes after exactly the time that Retry-After names, and not before', async () => {
  const key = await newKey(6)
  for (let n = 0; n < 6; n++) await admit(key, start)
  const refused = await admit(key, start)
  expect(refused).toMatchObject({
    outcome: 'rate_limited',
    of: 'key',
    retryAfterMs: 10_000,
    rate: { remaining: 0, limit: 6 },
  })
  expect((await admit(key, later(9_990))).outcome).toBe('rate_limited')
  expect((await admit(key, later(10_000))).outcome).toBe('admitted')
})

test('remaining counts down and the whole limit is back after a minute', async () => {
  const key = await newKey(3)
  const remaining = []
  for (let n = 0; n < 3; n++) {
    const admission = await admit(key, start)
    if (admission.outcome === 'admitted') remaining.push(admission.rate.remaining)
  }
  expect(remaining).toEqual([2, 1, 0])
  expect(await admit(key, later(60_000))).toMatchObject({ outcome: 'admitted', rate: { remaining: 2 } })
})

test('a clock that stands back does not open the limit', async () => {
  const key = await newKey(2)
  await admit(key, start)
  await admit(key, start)
  expect((await admit(key, later(-30_000))).outcome).toBe('rate_limited')
})

test('a clock that once stood an hour ahead does not lock the key out for that hour', async () => {
  const key = await newKey(2)
  await admit(key, later(3_600_000))
  await admit(key, later(3_600_000))
  const outcomes = []
  for (let n = 0; n < 3; n++) outcomes.push((await admit(key, start)).outcome)
  expect(outcomes).toEqual(['admitted', 'admitted', 'rate_limited'])
})

test.each<[string, () => Promise<string>, Admission['outcome']]>([
  ['without the scope', () => newKey(5, ['images:read']), 'scope_missing'],
  ['that is expired', () => newKey(5, ['images:write'], start), 'key_gone'],
  ['that does not exist', async () => 'key_none', 'key_gone'],
  [
    'that is revoked',
    async () => {
      const key = await newKey(5)
      await revokeKey(database.db, key, { now: start })
      return key
    },
    'key_gone',
  ],
])('a key %s admits nothing and uses up nothing', async (_name, makeKey, outcome) => {
  const key = await makeKey()
  expect((await admit(key, start)).outcome).toBe(outcome)
  expect(await taskCount(key)).toBe(0)
  const { rows } = await sql`select from rates where owner_id = ${key}`.execute(database.db)
  expect(rows).toHaveLength(0)
})
