import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { ensureDefaultAccount } from '../accounts/ensure-default-account.ts'
import { systemClock } from '../lib/clock.ts'
import { Secret } from '../lib/secret.ts'
import { createAuthenticator } from './authenticate.ts'
import { createKey, ensureFirstKey } from './create-key.ts'
import { generateKey } from './key-format.ts'
import { listKeys } from './list-keys.ts'

let database: TestDatabase
let accountId: string
beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await ensureDefaultAccount(database.db)
})
afterAll(() => database[Symbol.asyncDispose]())

const first = (key: string, origin: 'first' | 'configured') =>
  ensureFirstKey(database.db, key, { accountId, name: 'k', scopes: ['admin'], origin, now: new Date() })

async function isAccepted(key: string, configuredKey?: string): Promise<boolean> {
  const authenticator = createAuthenticator({
    db: database.db,
    clock: systemClock,
    defaultRequestsPerMinute: 600,
    configuredKey: configuredKey === undefined ? undefined : new Secret(configuredKey),
  })
  return authenticator.authenticate(key).then(
    () => true,
    () => false,
  )
}

test('a changed GESSO_ADMIN_KEY takes the place of the old one, and leaves other keys alone', async () => {
  const made = generateKey()
  await first(made, 'first')
  const created = await createKey(database.db, { accountId, name: 'app', scopes: ['images:write'] })
  await first('a-key-that-i-chose', 'configured')
  expect(await isAccepted('a-key-that-i-chose', 'a-key-that-i-chose')).toBe(true)
  await first('another-that-i-chose', 'configured')
  expect(await isAccepted('a-key-that-i-chose', 'a-key-that-i-chose')).toBe(false)
  expect(await isAccepted('another-that-i-chose', 'another-that-i-chose')).toBe(true)
  expect([await isAccepted(made), await isAccepted(created.key)]).toEqual([true, true])
})

test('going back to a GESSO_ADMIN_KEY that was revoked leaves the one that works', async () => {
  for (const key of ['the-former-admin-key', 'the-latter-admin-key', 'the-former-admin-key'])
    await first(key, 'configured')
  expect(await isAccepted('the-former-admin-key', 'the-former-admin-key')).toBe(false)
  expect(await isAccepted('the-latter-admin-key', 'the-latter-admin-key')).toBe(true)
})

test('a key that was chosen is accepted only where it is configured', async () => {
  await first('chosen-but-not-configured', 'configured')
  expect(await isAccepted('chosen-but-not-configured')).toBe(false)
})

test('storing the first key again changes nothing', async () => {
  const key = generateKey()
  await first(key, 'first')
  const before = (await listKeys(database.db)).keys.length
  await first(key, 'first')
  expect((await listKeys(database.db)).keys).toHaveLength(before)
})
