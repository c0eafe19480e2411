import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../../test/setup/test-database.ts'
import { type FakeUpstream, startFakeOpenAi } from '../../../../../test/upstreams/openai.ts'
import { ensureDefaultAccount } from '../../../../accounts/ensure-default-account.ts'
import { createAuthenticator } from '../../../../keys/authenticate.ts'
import { createKey } from '../../../../keys/create-key.ts'
import { systemClock } from '../../../../lib/clock.ts'
import { Secret } from '../../../../lib/secret.ts'
import { listProviderKeys } from '../../../../provider-keys/list-provider-keys.ts'
import { removeProviderKey } from '../../../../provider-keys/remove-provider-key.ts'
import { createKeyBox } from '../../../../provider-keys/seal-key.ts'
import { storeProviderKey } from '../../../../provider-keys/store-provider-key.ts'
import { testProviderKey } from '../../../../provider-keys/test-provider-key.ts'
import { createProviderHttp } from '../../../../providers/http.ts'
import { openProviders } from '../../../../providers/open-providers.ts'
import { providerDefinitions } from '../../../../providers/registry.ts'
import { providerSettings } from '../../../../providers/settings.ts'
import { requireAuthentication } from '../../../auth.ts'
import { type BodyServer, openBodyServer } from '../../../testing/body-server.ts'
import { providerKeys } from './provider-keys.ts'

const ownKey = 'sk-proj-very-own-0123456789ABCD'
const stack = new AsyncDisposableStack()
let database: TestDatabase
let upstream: FakeUpstream
let server: BodyServer
let accountId: string
let admin: string
let writer: string

beforeAll(async () => {
  database = stack.use(await createTestDatabase())
  const { db } = database
  accountId = await ensureDefaultAccount(db)
  admin = (await createKey(db, { accountId, name: 'admin', scopes: ['admin'] })).key
  writer = (await createKey(db, { accountId, name: 'writer', scopes: ['images:write', 'images:read'] })).key
  upstream = stack.use(await startFakeOpenAi({ apiKey: ownKey, echo: true }))
  const http = stack.use(createProviderHttp())
  const settings = providerSettings.parse({ openai: { base_url: upstream.url } })
  const rasterise = () => Promise.reject(new Error('not used'))
  const providers = openProviders(providerDefinitions, settings, { http, rasterise })
  const takers = providerDefinitions.map(({ id }) => id).filter((id) => providers.acceptsOwnKeys(id))
  const box = createKeyBox({ secret: new Secret('the secret of this server, long enough') })
  const by = (actor: { name: string }) => ({ actor, now: new Date() })
  server = stack.use(
    await openBodyServer({}, (bare) => {
      bare.setValidatorCompiler(() => (value) => ({ value }))
      bare.setSerializerCompiler(() => (value) => JSON.stringify(value))
      const authenticator = createAuthenticator({ db, clock: systemClock, defaultRequestsPerMinute: 600 })
      requireAuthentication(bare, authenticator)
      providerKeys(bare, {
        listProviderKeys: (id) => listProviderKeys(db, box, { accountId: id }),
        storeProviderKey: (input, actor) => storeProviderKey(db, box, { ...input, takers }, by(actor)),
        removeProviderKey: (place, actor) => removeProviderKey(db, box, place, by(actor)),
        testProviderKey: (place, actor) => {
          const connect = (apiKey: string) => providers.withKey(place.provider, apiKey)
          return testProviderKey(db, box, { ...place, connect }, by(actor))
        },
      })
    }),
  )
})
afterAll(() => stack.disposeAsync())
beforeEach(async () => {
  await database.db.deleteFrom('provider_keys').execute()
})

/** Every answer is searched for the key. */
async function call(
  method: string,
  path: string,
  { body, key = admin }: { body?: string; key?: string } = {},
) {
  const response = await fetch(`${server.url}/admin/v1/accounts/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body,
  })
  const text = await response.text()
  expect(text).not.toContain(ownKey)
  expect(JSON.stringify([...response.headers])).not.toContain(ownKey)
  return { status: response.status, json: JSON.parse(text) }
}

const one = (provider = 'openai') => `${accountId}/provider-keys/${provider}`
const store = (key = ownKey, provider = 'openai') =>
  call('PUT', one(provider), { body: JSON.stringify({ key }) })

test('a key is stored, listed, tested and removed, and never shown', async () => {
  const stored = {
    object: 'provider_key',
    account_id: accountId,
    provider: 'openai',
    hint: 'ABCD',
    readable: true,
    created_at: expect.any(Number),
    tested_at: null,
    test_result: null,
  }
  expect(await store()).toEqual({ status: 200, json: stored })
  const list = await call('GET', `${accountId}/provider-keys`)
  expect(list).toEqual({ status: 200, json: { object: 'list', data: [stored], has_more: false } })
  const { json: tested } = await call('POST', `${one()}/test`)
  expect(tested).toEqual({
    provider: 'openai',
    result: 'valid',
    message: 'openai takes the key.',
    tested_at: expect.any(Number),
  })
  const { json: after } = await call('GET', `${accountId}/provider-keys`)
  expect(after.data).toMatchObject([{ test_result: 'valid', tested_at: tested.tested_at }])
  expect(await call('DELETE', one())).toEqual({
    status: 200,
    json: { object: 'provider_key', account_id: accountId, provider: 'openai', deleted: true },
  })
  expect((await call('DELETE', one())).json.error).toMatchObject({ code: 'provider_key_not_found' })
  expect((await call('POST', `${one()}/test`)).status).toBe(404)
  const audits = await database.db.selectFrom('audit_log').selectAll().orderBy('id').execute()
  expect(audits.map(({ action }) => action).filter((action) => action.startsWith('provider_key.'))).toEqual([
    'provider_key.stored',
    'provider_key.tested',
    'provider_key.removed',
  ])
  expect(JSON.stringify(audits)).not.toContain(ownKey)
  expect(upstream.submissions()).toBe(0)
})

describe('a test', () => {
  test('of a wrong key says so, in words that do not repeat what the provider repeats', async () => {
    await store('sk-wrong-0123456789abcdefgh')
    const { json } = await call('POST', `${one()}/test`)
    expect(json).toMatchObject({ result: 'invalid', message: 'OpenAI refused the key.' })
    expect(JSON.stringify(json)).not.toContain('sk-wrong')
  })

  test('says nothing about the key while the provider is away', async () => {
    await store()
    await upstream.play('refused')
    try {
      const { json } = await call('POST', `${one()}/test`)
      expect(json).toMatchObject({ result: 'unreachable', message: 'OpenAI could not be reached.' })
    } finally {
      await upstream.play('ok')
    }
  })

  test('of a provider that cannot be asked says that', async () => {
    await store('fal-id:0123456789', 'fal')
    expect((await call('POST', `${one('fal')}/test`)).json).toMatchObject({ result: 'untestable' })
  })
})

describe('400', () => {
  test.each(['collage', 'azure', 'nobody', 'OpenAI'])(
    'for %s, and the words name those that take keys',
    async (provider) => {
      const { status, json } = await store(ownKey, provider)
      expect(status).toBe(400)
      expect(json.error).toMatchObject({
        code: 'invalid_image_request',
        param: 'provider',
        message: expect.stringContaining('openai, replicate, bfl, dashscope, ark, gemini, fal'),
      })
    },
  )

  test.each([
    ['an empty one', ''],
    ['no JSON', `{"key": "${ownKey}"`],
    ['a bare key', ownKey],
    ['a list', `["${ownKey}"]`],
    ['a list as the key', `{"key": ["${ownKey}"]}`],
    ['another field', `{"api_key": "${ownKey}"}`],
    ['a field too many', `{"key": "x", "more": "${ownKey}"}`],
    ['the key as a name', `{"${ownKey}": true}`],
    ['the key as the name of a number that cannot be read', `{"${ownKey}": 123456789012345678901234}`],
    ['the key as the name of what holds a NUL', `{"${ownKey}": "\\u0000"}`],
    ['the key with something else', `{"key": "${ownKey} and more"}`],
    ['the key twice', `{"key": "${ownKey}\\n${ownKey}"}`],
    ['a megabyte of it', `{"key": "${ownKey.repeat(40_000)}"}`],
  ])('for a body that is %s, which no word of the answer repeats', async (_name, body) => {
    const { status, json } = await call('PUT', one(), { body })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ param: 'key', message: expect.stringContaining('is not shown') })
    expect((await call('GET', `${accountId}/provider-keys`)).json.data).toEqual([])
  })
})

test('403 for everybody but the operator, before the body is read', async () => {
  for (const [method, path] of [
    ['GET', `${accountId}/provider-keys`],
    ['PUT', one()],
    ['DELETE', one()],
    ['POST', `${one()}/test`],
  ] as const) {
    const body = method === 'PUT' ? `{"key": "${ownKey}"}` : undefined
    const { status, json } = await call(method, path, { key: writer, body })
    expect([status, json.error.code], `${method} ${path}`).toEqual([403, 'missing_scope'])
  }
  expect(await database.db.selectFrom('provider_keys').selectAll().execute()).toEqual([])
})

test('404 for an account that is not there', async () => {
  const path = 'acct_000000000000000000000000/provider-keys'
  for (const answer of [
    await call('GET', path),
    await call('PUT', `${path}/openai`, { body: JSON.stringify({ key: ownKey }) }),
  ]) {
    expect([answer.status, answer.json.error.code]).toEqual([404, 'account_not_found'])
  }
})
