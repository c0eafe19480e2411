/** Keys that change: settings, successors, ends, and what the audit log tells of them. */
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createAccount } from '../accounts/create-account.ts'
import { ensureDefaultAccount } from '../accounts/ensure-default-account.ts'
import { updateAccount } from '../accounts/update-account.ts'
import { listAudit } from '../audit/list-audit.ts'
import type { Database } from '../db/schema.ts'
import { createAuthenticator } from './authenticate.ts'
import { createKey, type NewKey } from './create-key.ts'
import { getKey } from './get-key.ts'
import { hashKey } from './key-format.ts'
import { listKeys } from './list-keys.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKey } from './rotate-key.ts'
import { updateKey } from './update-key.ts'

let database: TestDatabase
let accountId: string
beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await ensureDefaultAccount(database.db)
  // So that the others may come and go.
  await createKey(database.db, { accountId, name: 'stays', scopes: ['admin'] })
})
afterAll(() => database[Symbol.asyncDispose]())

const now = new Date('2026-03-01T12:00:00Z')
const by = { actor: { name: 'key_operator', requestId: 'req_1' }, now }
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000)

const everything = {
  name: 'app',
  scopes: ['images:write', 'images:read'],
  models: ['gesso-collage'],
  requestsPerMinute: 5,
  imagesPerMinute: 6,
  imagesPerDay: 7,
  concurrency: 8,
  spendPerDayMicros: 9,
  spendPerMonthMicros: 10,
  spendTotalMicros: 0,
  defaults: { quality: 'low' },
  promptInMetadata: true,
} satisfies Partial<NewKey>

const newKey = (own: Partial<NewKey> = {}) =>
  createKey(database.db, { accountId, name: 'app', scopes: ['images:read'], ...own }, by)

const auditOf = async (target: string) =>
  (await listAudit(database.db, { target, limit: 100 })).entries.map(({ action, before, after }) => ({
    action,
    before,
    after,
  }))

/** Whether the key is accepted at a moment, asked of a server that has just started. */
async function isAccepted(key: string, at: Date): Promise<boolean> {
  const clock = { now: () => at }
  const authenticator = createAuthenticator({ db: database.db, clock, defaultRequestsPerMinute: 600 })
  return authenticator.authenticate(key).then(
    () => true,
    () => false,
  )
}

describe('a new key', () => {
  test('has every setting it was given, and is written down with all of them', async () => {
    const { id, summary } = await newKey(everything)
    const { name, scopes, models, defaults, promptInMetadata, ...limits } = everything
    const settings = { name, scopes, models, defaults, promptInMetadata, limits, accountId }
    expect(summary).toMatchObject({ ...settings, createdAt: now, lastUsedAt: null, replaces: null })
    expect(await getKey(database.db, id)).toEqual(summary)
    const { entries } = await listAudit(database.db, { target: id, limit: 10 })
    expect(entries).toHaveLength(1)
    expect(entries[0]).toMatchObject({
      at: now,
      actor: 'key_operator',
      requestId: 'req_1',
      action: 'key.created',
      accountId,
      before: null,
      after: { name: 'app', models: ['gesso-collage'], images_per_day: 7, spend_total_micros: 0 },
    })
  })

  test('that could not be stored is not written down either', async () => {
    const before = await listAudit(database.db, { limit: 1 })
    await expect(newKey({ imagesPerDay: -1 })).rejects.toThrow('check')
    expect(await listAudit(database.db, { limit: 1 })).toEqual(before)
  })
})

describe('a change', () => {
  test('touches what it names, and null takes a limit away', async () => {
    const { id, summary } = await newKey(everything)
    const change = { imagesPerDay: null, concurrency: 3, models: null, expiresAt: later(60) }
    const changed = await updateKey(database.db, id, change, by)
    const limits = { ...summary.limits, imagesPerDay: null, concurrency: 3 }
    expect(changed).toEqual({ ...summary, limits, models: null, expiresAt: later(60) })
    expect(await getKey(database.db, id)).toEqual(changed)
    expect((await auditOf(id))[0]).toEqual({
      action: 'key.updated',
      before: { images_per_day: 7, concurrency: 8, models: ['gesso-collage'], expires_at: null },
      after: { images_per_day: null, concurrency: 3, models: null, expires_at: later(60).getTime() / 1_000 },
    })
  })

  test('that changes nothing is not written down', async () => {
    const { id, summary } = await newKey(everything)
    for (const change of [{}, everything, { ...everything, disabled: false, expiresAt: null }])
      expect(await updateKey(database.db, id, change, by)).toEqual(summary)
    expect(await auditOf(id)).toHaveLength(1)
    await updateKey(database.db, id, { disabled: true }, by)
    await updateKey(database.db, id, { disabled: true }, { ...by, now: later(60) })
    expect(await auditOf(id)).toHaveLength(2)
    expect((await getKey(database.db, id)).disabledAt).toEqual(now)
  })

  test('of a key that there is not, or that is revoked, is refused', async () => {
    const { id } = await newKey()
    await revokeKey(database.db, id, by)
    await expect(updateKey(database.db, id, { name: 'x' }, by)).rejects.toMatchObject({
      code: 'invalid_image_request',
    })
    for (const missing of ['key_000000000000000000000000', 'key_\0', "' or true --"])
      await expect(updateKey(database.db, missing, {}, by)).rejects.toMatchObject({ code: 'key_not_found' })
  })
})

describe('rotation', () => {
  test('both keys work until the old one ends, then the new one; to the second', async () => {
    const old = await newKey(everything)
    const made = await rotateKey(database.db, old.id, { overlapSeconds: 60 }, by)
    const { id: _id, hint: _hint, replaces: _replaces, ...settings } = old.summary
    expect(made.summary).toMatchObject({ ...settings, replaces: old.id })
    expect(made.oldExpiresAt).toEqual(later(60))
    expect([await isAccepted(old.key, later(59)), await isAccepted(made.key, later(59))]).toEqual([
      true,
      true,
    ])
    expect([await isAccepted(old.key, later(60)), await isAccepted(made.key, later(60))]).toEqual([
      false,
      true,
    ])
    expect((await auditOf(old.id))[0]).toEqual({
      action: 'key.rotated',
      before: { expires_at: null },
      after: { expires_at: later(60).getTime() / 1_000, replaced_by: made.id },
    })
    expect((await auditOf(made.id)).map(({ action }) => action)).toEqual(['key.created'])
  })

  test('without overlap the old one ends at once; by default after a day', async () => {
    const one = await newKey()
    await rotateKey(database.db, one.id, { overlapSeconds: 0 }, by)
    expect(await isAccepted(one.key, now)).toBe(false)
    const other = await newKey()
    const { oldExpiresAt } = await rotateKey(database.db, other.id, {}, by)
    expect(oldExpiresAt).toEqual(later(86_400))
  })

  test('the old one never ends later than it would have', async () => {
    const old = await newKey({ expiresAt: later(30) })
    const made = await rotateKey(database.db, old.id, { overlapSeconds: 3_600 }, by)
    expect([made.oldExpiresAt, made.summary.expiresAt]).toEqual([later(30), later(30)])
  })

  test('a key has one successor, also when two ask at once', async () => {
    const { id } = await newKey()
    const both = await Promise.allSettled([1, 2].map(() => rotateKey(database.db, id, {}, by)))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const { keys } = await listKeys(database.db)
    expect(keys.filter(({ replaces }) => replaces === id)).toHaveLength(1)
  })

  test('a successor that was revoked can be made again, and ends no sooner for it', async () => {
    const old = await newKey({ expiresAt: later(9_000) })
    const lost = await rotateKey(database.db, old.id, { overlapSeconds: 60 }, by)
    await expect(rotateKey(database.db, old.id, {}, by)).rejects.toThrow(lost.id)
    await revokeKey(database.db, lost.id, by)
    const made = await rotateKey(database.db, old.id, {}, by)
    expect([made.summary.expiresAt, made.oldExpiresAt]).toEqual([later(9_000), later(60)])
  })

  test('a disabled key has a disabled successor; an ended one has none', async () => {
    const off = await newKey()
    await updateKey(database.db, off.id, { disabled: true }, by)
    const made = await rotateKey(database.db, off.id, {}, by)
    expect(await isAccepted(made.key, now)).toBe(false)
    const expired = await newKey({ expiresAt: now })
    const revoked = await newKey()
    await revokeKey(database.db, revoked.id, by)
    for (const { id } of [expired, revoked])
      await expect(rotateKey(database.db, id, {}, by)).rejects.toMatchObject({ attribution: 'client' })
  })
})

test('lists go in pages, without gaps, and by account', async () => {
  const own = await createAccount(database.db, { name: 'pages', billing: 'metered' }, by)
  for (const name of 'abcde') await newKey({ accountId: own.id, name })
  const seen: string[] = []
  let after: string | undefined
  for (let page = 0; page < 3; page++) {
    const { keys, hasMore } = await listKeys(database.db, { accountId: own.id, limit: 2, after })
    seen.push(...keys.map(({ name }) => name))
    expect(hasMore).toBe(page < 2)
    after = keys.at(-1)?.id
  }
  expect(seen.sort().join('')).toBe('abcde')
})

describe('the last admin key', () => {
  /** A server of its own: its admin keys, in accounts of their own. */
  async function operators(count: number) {
    const own = await createTestDatabase()
    const made = []
    for (let n = 0; n < count; n++) {
      const account = await createAccount(own.db, { name: 'a', billing: 'unmetered' }, by)
      const input = { accountId: account.id, name: 'admin', scopes: ['admin' as const] }
      made.push({ accountId: account.id, ...(await createKey(own.db, input, by)) })
    }
    return { db: own.db, keys: made, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() }
  }

  /** Makes every change of a key or an account wait at its commit for the advisory lock 42. */
  async function holdCommits(db: Kysely<Database>): Promise<void> {
    await sql`create function wait_at_gate() returns trigger language plpgsql as
      'begin perform pg_advisory_xact_lock_shared(42); return null; end'`.execute(db)
    for (const table of ['keys', 'accounts'])
      await sql`create constraint trigger gate after update on ${sql.table(table)}
        deferrable initially deferred for each row execute function wait_at_gate()`.execute(db)
  }

  async function countWaiting(db: Kysely<Database>): Promise<number> {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      db,
    )
    return rows.length
  }

  test('stays, whichever way it is taken', async () => {
    await using own = await operators(1)
    const [{ id, accountId: account } = { id: '', accountId: '' }] = own.keys
    const expiring = { accountId: account, name: 'x', scopes: ['admin' as const], expiresAt: later(3_600) }
    await createKey(own.db, expiring, by)
    const before = await getKey(own.db, id)
    for (const taken of [
      () => revokeKey(own.db, id, by),
      () => updateKey(own.db, id, { disabled: true }, by),
      () => updateKey(own.db, id, { scopes: ['images:read'] }, by),
      () => updateKey(own.db, id, { expiresAt: later(60) }, by),
      () => updateAccount(own.db, account, { disabled: true }, by),
    ])
      await expect(taken()).rejects.toMatchObject({ code: 'last_admin_key' })
    expect(await getKey(own.db, id)).toEqual(before)
    expect((await listAudit(own.db, { target: id, limit: 10 })).entries).toHaveLength(1)

    // A successor that stays makes it free to go; the old one, which is about to end, does not.
    const made = await rotateKey(own.db, id, { overlapSeconds: 60 }, by)
    await expect(revokeKey(own.db, made.id, by)).rejects.toMatchObject({ code: 'last_admin_key' })
    expect(await revokeKey(own.db, id, by)).toBe('revoked')
    expect(await revokeKey(own.db, made.id, { ...by, force: true })).toBe('revoked')
    expect(await revokeKey(own.db, made.id, by)).toBe('already_revoked')
    await expect(revokeKey(own.db, 'key_none', by)).rejects.toMatchObject({ code: 'key_not_found' })
  })

  test('stays when all are taken at once, each another way', async () => {
    await using own = await operators(4)
    const [a, b, c, d] = own.keys
    const takeAll = () =>
      Promise.allSettled([
        revokeKey(own.db, a?.id ?? '', by),
        revokeKey(own.db, b?.id ?? '', by),
        updateKey(own.db, c?.id ?? '', { disabled: true }, by),
        updateAccount(own.db, d?.accountId ?? '', { disabled: true }, by),
      ])
    await holdCommits(own.db)
    // None is committed before all four are as far as they get, so none can see what another has done.
    const taking = await own.db.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(42)`.execute(transaction)
      const outcomes = takeAll()
      await expect.poll(() => countWaiting(own.db)).toBe(4)
      return { outcomes }
    })
    const outcomes = await taking.outcomes
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([
      expect.objectContaining({ reason: expect.objectContaining({ code: 'last_admin_key' }) }),
    ])
  })
})

test('no row of the audit log holds a secret, or a hash of one', async () => {
  const one = await newKey(everything)
  const made = await rotateKey(database.db, one.id, {}, by)
  await updateKey(database.db, made.id, { name: 'renamed' }, by)
  await revokeKey(database.db, made.id, by)
  const { entries } = await listAudit(database.db, { accountId, limit: 1_000 })
  expect(entries.length).toBeGreaterThan(5)
  const text = JSON.stringify(entries)
  for (const { key } of [one, made]) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(text).not.toContain(hashKey(key).toString(encoding).slice(0, 20))
    expect(text).not.toContain(key.slice(3, 12))
  }
})
