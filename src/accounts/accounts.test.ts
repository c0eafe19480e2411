/** Accounts are made, found, changed and listed; every change is written down once. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { listAudit } from '../audit/list-audit.ts'
import { ensureFirstKey } from '../keys/create-key.ts'
import { generateKey } from '../keys/key-format.ts'
import { createAccount } from './create-account.ts'
import { ensureDefaultAccount } from './ensure-default-account.ts'
import { findAccount } from './find-account.ts'
import { getAccount } from './get-account.ts'
import { listAccounts } from './list-accounts.ts'
import { updateAccount } from './update-account.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const now = new Date('2026-03-01T12:00:00Z')
const by = { actor: { name: 'cli' }, now }
const everything = {
  name: 'Acme',
  billing: 'metered' as const,
  freeImages: 3,
  imagesPerDay: 7,
  spendTotalMicros: 5_000_000,
  defaults: { quality: 'low' },
}

test('the first account is made once, also when several processes start at once', async () => {
  const ids = await Promise.all([1, 2, 3, 4].map(() => ensureDefaultAccount(database.db)))
  expect(new Set(ids).size).toBe(1)
  const { entries } = await listAudit(database.db, { target: ids[0], limit: 10 })
  expect(entries).toMatchObject([{ actor: 'system', action: 'account.created' }])
})

test('the first account stays the first, also where another was made by a clock that stands behind', async () => {
  const id = await ensureDefaultAccount(database.db)
  const input = { accountId: id, name: 'first', scopes: ['admin' as const], origin: 'first' as const, now }
  await ensureFirstKey(database.db, generateKey(), input)
  await createAccount(database.db, everything, { ...by, now: new Date('2001-01-01') })
  expect(await ensureDefaultAccount(database.db)).toBe(id)
})

test('a new account has what it was given, and no money', async () => {
  const account = await createAccount(database.db, everything, by)
  expect(account).toMatchObject({
    name: 'Acme',
    billing: 'metered',
    balanceMicros: 0,
    reservedMicros: 0,
    freeImages: 3,
    limits: { imagesPerDay: 7, spendTotalMicros: 5_000_000, concurrency: null },
    defaults: { quality: 'low' },
    createdAt: now,
    disabledAt: null,
  })
  expect(await getAccount(database.db, account.id)).toEqual(account)
})

test('a change touches what it names, leaves money alone, and is written down where it changes something', async () => {
  const account = await createAccount(database.db, everything, by)
  await database.db
    .updateTable('accounts')
    .set({ balance_micros: 10, reserved_micros: 4 })
    .where('id', '=', account.id)
    .execute()
  const change = { imagesPerDay: null, freeImages: null, billing: 'unmetered' as const, disabled: true }
  const changed = await updateAccount(database.db, account.id, change, by)
  expect(changed).toEqual({
    ...account,
    limits: { ...account.limits, imagesPerDay: null },
    freeImages: null,
    billing: 'unmetered',
    balanceMicros: 10,
    reservedMicros: 4,
    disabledAt: now,
  })
  expect(await getAccount(database.db, account.id)).toEqual(changed)
  await updateAccount(database.db, account.id, change, { ...by, now: new Date('2027-01-01') })
  await updateAccount(database.db, account.id, {}, by)
  const { entries } = await listAudit(database.db, { accountId: account.id, limit: 10 })
  expect(entries.map(({ action, before, after }) => ({ action, before, after }))).toMatchObject([
    {
      action: 'account.updated',
      before: { images_per_day: 7, free_images: 3, billing: 'metered', disabled_at: null },
      after: { images_per_day: null, free_images: null, billing: 'unmetered', disabled_at: +now / 1_000 },
    },
    { action: 'account.created', before: null },
  ])
})

test('an account that there is not is not found, whatever is asked', async () => {
  for (const id of ['acct_000000000000000000000000', 'acct_\0', 'x']) {
    await expect(getAccount(database.db, id)).rejects.toMatchObject({ code: 'account_not_found' })
    await expect(updateAccount(database.db, id, {}, by)).rejects.toMatchObject({ code: 'account_not_found' })
  }
})

test('an account is found by its id or by a name that is its own', async () => {
  const one = await createAccount(database.db, { ...everything, name: 'Only one' }, by)
  const twin = await createAccount(database.db, { ...everything, name: 'Twin' }, by)
  const other = await createAccount(database.db, { ...everything, name: 'Twin' }, by)
  expect((await findAccount(database.db, one.id)).id).toBe(one.id)
  expect((await findAccount(database.db, 'Only one')).id).toBe(one.id)
  await expect(findAccount(database.db, 'only one')).rejects.toMatchObject({ code: 'account_not_found' })
  await expect(findAccount(database.db, 'Twin')).rejects.toThrow(new RegExp(`${twin.id}|${other.id}`))
})

test('lists go in pages, without gaps', async () => {
  const { accounts: all, hasMore } = await listAccounts(database.db, { limit: 1_000 })
  expect(hasMore).toBe(false)
  const seen: string[] = []
  let page = await listAccounts(database.db, { limit: 2 })
  seen.push(...page.accounts.map(({ id }) => id))
  while (page.hasMore) {
    page = await listAccounts(database.db, { limit: 2, after: seen.at(-1) })
    seen.push(...page.accounts.map(({ id }) => id))
  }
  expect(seen).toEqual(all.map(({ id }) => id))
})
