/** From a key to its caller: what is read, what is refused, and what is written down of it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createAccount, type NewAccount } from '../accounts/create-account.ts'
import { updateAccount } from '../accounts/update-account.ts'
import { openDatabase } from '../db/open-database.ts'
import { createAuthenticator } from './authenticate.ts'
import { createKey, type NewKey } from './create-key.ts'
import { getKey } from './get-key.ts'
import { generateKey } from './key-format.ts'
import { updateKey } from './update-key.ts'

let database: TestDatabase
let now: Date
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => {
  now = new Date('2026-03-01T12:00:00Z')
})

const clock = { now: () => now }
const by = () => ({ actor: { name: 'test' }, now })
const open = (db = database.db) => createAuthenticator({ db, clock, defaultRequestsPerMinute: 600 })

async function newKey(own: Partial<NewKey> = {}, account: Partial<NewAccount> = {}) {
  const { id: accountId } = await createAccount(
    database.db,
    { name: 'a', billing: 'metered', ...account },
    by(),
  )
  const made = await createKey(database.db, { accountId, name: 'k', scopes: ['images:read'], ...own }, by())
  return { ...made, accountId }
}

test('a caller is known with models, billing and the providers of the account', async () => {
  const { id, key, accountId } = await newKey({ models: ['gesso-collage'], requestsPerMinute: 7 })
  for (const provider of ['openai', 'fal']) {
    const stored = { secret_id: 's', sealed: Buffer.from('x'), hint: 'x', created_at: now }
    await database.db
      .insertInto('provider_keys')
      .values({ account_id: accountId, provider, ...stored })
      .execute()
  }
  expect(await open().authenticate(key)).toMatchObject({
    keyId: id,
    accountId,
    scopes: ['images:read'],
    requestsPerMinute: 7,
    models: ['gesso-collage'],
    billing: 'metered',
    providerKeys: ['fal', 'openai'],
    defaults: {},
  })
  const free = await newKey({}, { billing: 'unmetered' })
  expect(await open().authenticate(free.key)).toMatchObject({
    requestsPerMinute: 600,
    models: null,
    billing: 'unmetered',
    providerKeys: [],
  })
})

test("the account's defaults stand behind the key's, and never against them", async () => {
  const account = { quality: 'low', output_format: 'jpeg', bucket: 'ours' }
  const { key } = await newKey(
    { defaults: { quality: 'high', background: 'transparent' } },
    { defaults: account },
  )
  const { defaults } = await open().authenticate(key)
  expect(defaults).toEqual({ quality: 'high', background: 'transparent', bucket: 'ours' })
})

test('a disabled key, and a key of a disabled account, are refused by what is disabled', async () => {
  const { id, key, accountId } = await newKey()
  await updateKey(database.db, id, { disabled: true }, by())
  await expect(open().authenticate(key)).rejects.toMatchObject({
    code: 'key_disabled',
    message: expect.stringContaining('This API key has been disabled'),
  })
  await updateKey(database.db, id, { disabled: false }, by())
  await updateAccount(database.db, accountId, { disabled: true }, by())
  await expect(open().authenticate(key)).rejects.toMatchObject({
    code: 'key_disabled',
    message: expect.stringContaining('The account of this API key'),
  })
  await updateAccount(database.db, accountId, { disabled: false }, by())
  expect((await open().authenticate(key)).keyId).toBe(id)
})

test('a key expires to the second, also where it is remembered', async () => {
  const { key } = await newKey({ expiresAt: new Date('2026-03-01T12:00:10Z') })
  const authenticator = open()
  now = new Date('2026-03-01T12:00:09.999Z')
  await authenticator.authenticate(key)
  now = new Date('2026-03-01T12:00:10Z')
  await expect(authenticator.authenticate(key)).rejects.toMatchObject({ code: 'invalid_api_key' })
})

test('a use is written down once a minute, and only where the key was accepted', async () => {
  const { id, key } = await newKey()
  const authenticator = open()
  const lastUsed = async () => (await getKey(database.db, id)).lastUsedAt?.toISOString()
  await authenticator.authenticate(key)
  await expect.poll(lastUsed).toBe('2026-03-01T12:00:00.000Z')
  now = new Date('2026-03-01T12:00:59Z')
  await open().authenticate(key)
  now = new Date('2026-03-01T12:01:00Z')
  await authenticator.authenticate(key)
  await expect.poll(lastUsed).toBe('2026-03-01T12:01:00.000Z')

  const off = await newKey()
  await updateKey(database.db, off.id, { disabled: true }, by())
  await expect(open().authenticate(off.key)).rejects.toThrow('disabled')
  // Behind it in the same row of statements.
  now = new Date('2026-03-01T12:05:00Z')
  await open().authenticate(key)
  await expect.poll(lastUsed).toBe('2026-03-01T12:05:00.000Z')
  expect((await getKey(database.db, off.id)).lastUsedAt).toBeNull()
})

test('a row that somebody holds keeps no caller waiting, and no other key from being noted', async () => {
  const [held, free] = [await newKey(), await newKey()]
  const authenticator = open()
  await database.db.transaction().execute(async (transaction) => {
    await transaction.selectFrom('keys').select('id').where('id', '=', held.id).forUpdate().execute()
    await authenticator.authenticate(held.key)
    await authenticator.authenticate(free.key)
    await expect.poll(async () => (await getKey(database.db, free.id)).lastUsedAt).toEqual(now)
  })
  expect((await getKey(database.db, held.id)).lastUsedAt).toBeNull()
})

test('a malformed key is refused without the database, a well-formed one is not', async () => {
  await using away = openDatabase({ host: '127.0.0.1', port: 1 }, { poolSize: 1 })
  const authenticator = open(away.db)
  const good = generateKey()
  const altered = good.slice(0, -1) + (good.endsWith('a') ? 'b' : 'a')
  await expect(authenticator.authenticate(altered)).rejects.toMatchObject({ code: 'invalid_api_key' })
  await expect(authenticator.authenticate(undefined)).rejects.toMatchObject({ code: 'missing_api_key' })
  await expect(authenticator.authenticate(good)).rejects.toMatchObject({
    code: 'overloaded',
    retryable: true,
  })
})

test('wrong keys by the thousand take a handful of statements', async () => {
  const { key, id } = await newKey()
  let statements = 0
  const counted = database.db.withPlugin({
    transformQuery({ node }) {
      if (node.kind === 'SelectQueryNode') statements += 1
      return node
    },
    transformResult: async ({ result }) => result,
  })
  const authenticator = open(counted)
  const flood = Array.from({ length: 1_000 }, () =>
    authenticator.authenticate(generateKey()).catch((error: { code: string }) => error.code),
  )
  expect((await authenticator.authenticate(key)).keyId).toBe(id)
  expect(new Set(await Promise.all(flood))).toEqual(new Set(['invalid_api_key']))
  expect(statements).toBeLessThan(10)
})
