import { inspect } from 'node:util'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { ensureDefaultAccount } from '../accounts/ensure-default-account.ts'
import { GessoError } from '../lib/errors.ts'
import { createId } from '../lib/ids.ts'
import { Secret } from '../lib/secret.ts'
import { listProviderKeys } from './list-provider-keys.ts'
import { readProviderKey } from './read-provider-key.ts'
import { removeProviderKey } from './remove-provider-key.ts'
import { resealProviderKeys } from './reseal-provider-keys.ts'
import { createKeyBox } from './seal-key.ts'
import { storeProviderKey } from './store-provider-key.ts'
import { type KeyChecker, testProviderKey } from './test-provider-key.ts'
import { dumpDatabase, formsOf } from './testing/dump-database.ts'

const secret = new Secret('the secret of this server, long enough')
const later = new Secret('the secret that it has after that one')
const box = createKeyBox({ secret })
const takers = ['openai', 'replicate']
const key = 'sk-proj-very-own-0123456789ABCD'
const now = new Date('2026-11-21T12:00:00Z')
const by = { actor: { name: 'key_1', requestId: 'req_1' }, now }

let database: TestDatabase
let accountId: string
let otherId: string
beforeAll(async () => {
  database = await createTestDatabase()
  accountId = await ensureDefaultAccount(database.db)
  otherId = createId('acct')
  await database.db
    .insertInto('accounts')
    .values({ id: otherId, name: 'another', billing: 'metered' })
    .execute()
})
afterAll(() => database?.[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.db.deleteFrom('provider_keys').execute()
})

const store = (text = key, provider = 'openai', account = accountId) =>
  storeProviderKey(database.db, box, { accountId: account, provider, key: new Secret(text), takers }, by)
const read = (provider = 'openai', account = accountId, opener = box) =>
  readProviderKey(database.db, opener, { accountId: account, provider })
const list = (opener = box) => listProviderKeys(database.db, opener, { accountId })
const audits = (action: string) =>
  database.db.selectFrom('audit_log').selectAll().where('action', '=', action).orderBy('id').execute()

async function failureOf(work: Promise<unknown>): Promise<GessoError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof GessoError)) throw new Error(`no such failure: ${inspect(error)}`)
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(key)
  return error
}

describe('a stored key', () => {
  test('is read again as it was, known by its last characters, and nowhere in the database', async () => {
    expect(await store()).toEqual({
      accountId,
      provider: 'openai',
      hint: 'ABCD',
      createdAt: now,
      testedAt: null,
      testResult: null,
      isReadable: true,
    })
    expect((await read())?.reveal()).toBe(key)
    expect(await list()).toMatchObject([{ provider: 'openai', hint: 'ABCD' }])
    expect(await read('replicate')).toBeUndefined()
    expect(await read('openai', otherId)).toBeUndefined()
    const dump = await dumpDatabase(database.db)
    expect(dump).toContain('provider_key.stored')
    for (const form of formsOf(key)) expect(dump).not.toContain(form)
  })

  test('gives way to another for the same vendor, which has not been tested', async () => {
    await store()
    await database.db.updateTable('provider_keys').set({ tested_at: now, test_result: 'valid' }).execute()
    expect(await store('r8-0123456789-second')).toMatchObject({
      hint: 'cond',
      testedAt: null,
      testResult: null,
    })
    expect((await read())?.reveal()).toBe('r8-0123456789-second')
    expect(await list()).toHaveLength(1)
    expect((await audits('provider_key.replaced')).at(-1)).toMatchObject({
      actor: 'key_1',
      request_id: 'req_1',
      target: `${accountId}/openai`,
      account_id: accountId,
      before: { provider: 'openai', hint: 'ABCD' },
      after: { provider: 'openai', hint: 'cond' },
      at: now,
    })
  })

  test('of few characters has no hint', async () => {
    expect(await store('elevenchars')).toMatchObject({ hint: null })
    expect(await store('twelve-chars')).toMatchObject({ hint: 'hars' })
  })

  test('is taken without the blanks that come from copying', async () => {
    await store(`  ${key}\r\n`)
    expect((await read())?.reveal()).toBe(key)
  })

  test.each([
    ['nothing', ''],
    ['blanks', ' \n'],
    ['two lines', `${key}\n${key}`],
    ['a blank within', `${key} x`],
    ['letters that no header takes', `${key}ß`],
    ['a whole file', key.repeat(40)],
  ])('cannot be %s, and the refusal does not show it', async (_name, text) => {
    expect(await failureOf(store(text))).toMatchObject({ code: 'invalid_image_request', param: 'key' })
    expect(await list()).toEqual([])
  })

  test('is for a vendor that takes one, and of an account that exists', async () => {
    expect(await failureOf(store(key, 'collage'))).toMatchObject({
      code: 'invalid_image_request',
      param: 'provider',
      message: expect.stringContaining('openai, replicate'),
    })
    for (const id of [createId('acct'), 'no id']) {
      expect(await failureOf(store(key, 'openai', id))).toMatchObject({ code: 'account_not_found' })
      const listing = listProviderKeys(database.db, box, { accountId: id })
      expect(await failureOf(listing)).toMatchObject({ code: 'account_not_found' })
    }
    expect(await database.db.selectFrom('provider_keys').selectAll().execute()).toEqual([])
  })

  test('is gone when it is removed, once', async () => {
    await store()
    const remove = () => removeProviderKey(database.db, box, { accountId, provider: 'openai' }, by)
    await remove()
    expect(await read()).toBeUndefined()
    expect(await failureOf(remove())).toMatchObject({ code: 'provider_key_not_found' })
    expect(await audits('provider_key.removed')).toMatchObject([{ before: { hint: 'ABCD' }, after: null }])
  })
})

describe('a row that was moved in the database', () => {
  test('opens neither for another account nor for another vendor', async () => {
    await store()
    await store('r8-0123456789-second', 'replicate')
    await sql`
      update provider_keys as mine set sealed = other.sealed from provider_keys as other
      where mine.account_id = other.account_id and mine.provider <> other.provider`.execute(database.db)
    for (const provider of takers) {
      expect(await failureOf(read(provider))).toMatchObject({
        code: 'provider_not_configured',
        message: expect.stringMatching(/altered in the database.*stores it anew/),
      })
    }
    await sql`delete from provider_keys where provider = 'replicate'`.execute(database.db)
    await store()
    await sql`update provider_keys set account_id = ${otherId}`.execute(database.db)
    expect(await failureOf(read('openai', otherId))).toMatchObject({ code: 'provider_not_configured' })
  })
})

describe('a new secret of the server', () => {
  const renewed = createKeyBox({ secret: later, previous: [secret] })
  const forgetful = createKeyBox({ secret: later })

  test('with the previous one: every key is read, and sealed anew once', async () => {
    await store()
    await store('r8-0123456789-second', 'replicate')
    expect((await read('openai', accountId, renewed))?.reveal()).toBe(key)
    const both = await Promise.all([
      resealProviderKeys(database.db, renewed),
      resealProviderKeys(database.db, renewed),
    ])
    expect(both.map(({ resealed }) => resealed).reduce((sum, one) => sum + one)).toBe(2)
    expect(await resealProviderKeys(database.db, renewed)).toEqual({ resealed: 0, unreadable: [] })
    // From here on the earlier one is not needed, and opens nothing.
    expect((await read('openai', accountId, forgetful))?.reveal()).toBe(key)
    expect((await read('replicate', accountId, forgetful))?.reveal()).toBe('r8-0123456789-second')
    expect(await failureOf(read())).toMatchObject({ code: 'provider_not_configured' })
  })

  test('without the previous one: told as such, in words that help, and nothing is lost', async () => {
    await store()
    const before = await database.db.selectFrom('provider_keys').selectAll().execute()
    expect(await resealProviderKeys(database.db, forgetful)).toEqual({
      resealed: 0,
      unreadable: [{ accountId, provider: 'openai' }],
    })
    expect(await database.db.selectFrom('provider_keys').selectAll().execute()).toEqual(before)
    expect(await list(forgetful)).toMatchObject([{ provider: 'openai', isReadable: false }])
    expect(await failureOf(read('openai', accountId, forgetful))).toMatchObject({
      code: 'provider_not_configured',
      message: expect.stringContaining('GESSO_SECRET_PREVIOUS'),
    })
    const stored = storeProviderKey(
      database.db,
      forgetful,
      { accountId, provider: 'openai', key: new Secret(key), takers },
      by,
    )
    expect(await stored).toMatchObject({ isReadable: true })
  })
})

describe('a test of a key', () => {
  const failing = (code: GessoError['code'], retryable = false): KeyChecker => ({
    checkKey: () =>
      Promise.reject(new GessoError({ code, attribution: 'upstream', message: 'It said so.', retryable })),
  })
  const run = (checker: KeyChecker | undefined, seen: string[] = []) =>
    testProviderKey(
      database.db,
      box,
      {
        accountId,
        provider: 'openai',
        connect(apiKey) {
          seen.push(apiKey)
          return checker
        },
      },
      by,
    )

  test.each<[string, KeyChecker | undefined, string]>([
    ['is taken', { checkKey: () => Promise.resolve() }, 'valid'],
    ['is refused', failing('upstream_failed'), 'invalid'],
    ['cannot be asked about', failing('upstream_unavailable', true), 'unreachable'],
    ['cannot be asked about in time', failing('upstream_unavailable'), 'unreachable'],
    ['meets a redirect', failing('upstream_failed', true), 'unreachable'],
    ['is answered with something else', failing('upstream_invalid_response'), 'untestable'],
    ['is for a vendor that cannot be asked', {}, 'untestable'],
    ['is for a vendor that takes none any more', undefined, 'untestable'],
  ])('that %s is remembered', async (_name, checker, result) => {
    await store()
    const seen: string[] = []
    expect(await run(checker, seen)).toEqual({
      provider: 'openai',
      result,
      message: expect.stringMatching(/\w.*\.$/),
      testedAt: now,
    })
    expect(seen).toEqual([key])
    expect(await list()).toMatchObject([{ testedAt: now, testResult: result }])
    expect((await audits('provider_key.tested')).at(-1)).toMatchObject({ after: { test_result: result } })
  })

  test('that was replaced meanwhile says nothing about its successor', async () => {
    await store()
    const before = (await audits('provider_key.tested')).length
    const replacing: KeyChecker = {
      async checkKey() {
        await store('r8-0123456789-second')
      },
    }
    expect(await run(replacing)).toMatchObject({ result: 'valid' })
    expect(await list()).toMatchObject([{ testedAt: null, testResult: null }])
    expect(await audits('provider_key.tested')).toHaveLength(before)
  })

  test('that is not there, or cannot be read, is an error', async () => {
    expect(await failureOf(run({}))).toMatchObject({ code: 'provider_key_not_found' })
    await store()
    await sql`update provider_keys set sealed = '\\x00'`.execute(database.db)
    expect(await failureOf(run({}))).toMatchObject({ code: 'provider_not_configured' })
  })
})
