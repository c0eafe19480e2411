/**
 * A service with 20 free pictures in 24 hours, and what goes on when they are used up: the account's own key at a provider,
 * or nothing. By a clock that stands still until it is told to go.
 */
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import type { Database } from '../../src/db/schema.ts'
import { createKey } from '../../src/keys/create-key.ts'
import { openPurse, type Purse } from '../end-to-end/purse.ts'
import { fakeAzureKey, startFakeAzure } from '../upstreams/azure.ts'
import type { FakeUpstream } from '../upstreams/fake-upstream.ts'
import { type Answer, as, expectError, openService, type Service } from './open-service.ts'

const stack = new AsyncDisposableStack()
let service: Service
let azure: FakeUpstream
let db: Kysely<Database>
const noon = Date.UTC(2026, 10, 21, 12)
let nowMs = noon
const clock = { now: () => new Date(nowMs) }
beforeAll(async () => {
  azure = stack.use(await startFakeAzure())
  // Azure has an address here and no key: only accounts can bring one.
  const yaml = `providers: { azure: { base_url: "${azure.url}" } }
models:
  - { id: on-azure, provider: azure, upstream_model: team-pictures }
`
  service = stack.use(await openService(yaml, { clock }))
  db = stack.use(openDatabase({ connectionString: service.world.databaseUrl }, { poolSize: 2 })).db
})
afterAll(() => stack.disposeAsync())
beforeEach(() => {
  nowMs = noon
})

const path = '/api/v1/images/generations'
const daySeconds = 86_400
const fox = { model: 'gpt-image-2', prompt: 'A neon orange fox' }

const draw = (purse: Purse, own: object = {}): Promise<Answer> =>
  service.call(path, { ...fox, ...own }, as(purse.key))
const onV1 = (purse: Purse, own: object = {}, headers = {}): Promise<Answer> =>
  service.call('/v1/images/generations', { ...fox, ...own }, { ...as(purse.key), ...headers })

/** Stores the account's own key as its operator does. Answers a purse whose key nobody has asked about yet. */
async function storeOwnKey(purse: Purse, provider: string, key: string): Promise<Purse> {
  const { status } = await fetch(new URL(ownKeyPath(purse, provider), service.world.url), {
    method: 'PUT',
    headers: { authorization: `Bearer ${service.world.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  })
  expect(status).toBe(200)
  const { accountId } = purse
  const made = await createKey(db, { accountId, name: 'another', scopes: ['images:write', 'images:read'] })
  return { ...purse, key: made.key }
}

const ownKeyPath = ({ accountId }: Purse, provider: string) =>
  `/admin/v1/accounts/${accountId}/provider-keys/${provider}`
const keyAt = (upstream: FakeUpstream) => {
  const { authorization, 'api-key': apiKey } =
    upstream.requests.findLast(({ method }) => method === 'POST')?.headers ?? {}
  return authorization?.replace('Bearer ', '') ?? apiKey
}

test('twenty are free, the 21st is told when; failures and listings are free; the first that leaves makes room for one', async () => {
  const purse = await openPurse(db, { account: { freeImages: null } })
  await service.upstream.play('500', 1)
  expectError(await draw(purse), { status: 502, type: 'upstream_error' })
  expectError(await draw(purse, { quality: 'best' }), { status: 400 })
  const first = noon / 1_000
  for (let used = 1; used <= 20; used++) {
    const { body } = await draw(purse)
    expect([body.created_at, body.key_source]).toEqual([nowMs / 1_000, 'free'])
    expect(body.rate_limit).toEqual({
      limit: 20,
      used,
      remaining: 20 - used,
      next_available_at: first + daySeconds,
    })
    nowMs += 7_000
  }
  expect((await service.call(path, undefined, as(purse.key))).body.count).toBe(20)

  const submissions = service.upstream.submissions()
  const refused = await draw(purse)
  expect(refused.body.rate_limit).toEqual({
    limit: 20,
    used: 20,
    remaining: 0,
    next_available_at: first + daySeconds,
  })
  const { rate_limit: _, ...body } = refused.body
  expectError(
    { ...refused, body },
    { status: 429, type: 'rate_limit_error', code: 'free_quota_exceeded', says: /20 free pictures/ },
  )
  expect(Number(refused.headers.get('retry-after'))).toBe(first + daySeconds - nowMs / 1_000)

  nowMs = (first + daySeconds - 1) * 1_000
  expect((await draw(purse)).status).toBe(429)
  expect(service.upstream.submissions()).toBe(submissions)
  nowMs += 1_000
  expect((await draw(purse)).body.rate_limit).toEqual({
    limit: 20,
    used: 20,
    remaining: 0,
    next_available_at: first + 7 + daySeconds,
  })
  expect((await draw(purse)).status).toBe(429)
})

test('an own key takes over for its provider’s models only, and uses up nothing', async () => {
  const bare = await openPurse(db, { account: { freeImages: 1 } })
  const purse = await storeOwnKey(bare, 'openai', 'sk-own-openai-0123456789')
  const free = await draw(purse)
  expect(free.body.key_source).toBe('free')
  expect(keyAt(service.upstream)).not.toBe('sk-own-openai-0123456789')
  for (let sent = 0; sent < 2; sent++) {
    nowMs += 1_000
    const { body } = await draw(purse)
    expect([body.key_source, body.rate_limit]).toEqual(['user', free.body.rate_limit])
    expect(keyAt(service.upstream)).toBe('sk-own-openai-0123456789')
  }
  const other = await draw(purse, { model: 'gesso-collage' })
  expect([other.status, other.body.rate_limit]).toEqual([429, free.body.rate_limit])
  expect((await purse.tasks()).map(({ source, charged }) => [source, charged])).toEqual([
    ['free', 0],
    ['user', 0],
    ['user', 0],
  ])
})

test('an own key for another provider of the model goes that way, and by what that provider can do', async () => {
  const bare = await openPurse(db, { account: { freeImages: 1 }, credit: 1_000_000 })
  const purse = await storeOwnKey(bare, 'azure', fakeAzureKey)
  // Azure has no such field.
  const special = [{ moderation: 'low' }, { prefer: 'handling=strict' }] as const
  expect((await onV1(purse, ...special)).body.cost.source).toBe('free')
  expect(azure.submissions()).toBe(0)
  const other = await onV1(purse)
  expect([other.status, other.body.cost]).toEqual([200, { micros: 0, currency: 'USD', source: 'user' }])
  expect([azure.submissions(), keyAt(azure)]).toEqual([1, fakeAzureKey])
  const submissions = service.upstream.submissions()
  expectError(await onV1(purse, ...special), {
    status: 400,
    code: 'unsupported_parameter',
    param: 'moderation',
    says: /moderation/,
  })
  expect((await onV1(purse, { dry_run: true })).body.cost.source).toBe('user')
  expect(service.upstream.submissions()).toBe(submissions)

  // The server knows the caller for a second; its key is gone by then, and its credit is not.
  const { status } = await fetch(new URL(ownKeyPath(purse, 'azure'), service.world.url), {
    method: 'DELETE',
    headers: { authorization: `Bearer ${service.world.key}` },
  })
  expect(status).toBe(200)
  expect((await onV1(purse, { dry_run: true })).body.cost.source).toBe('credits')
  expect((await onV1(purse)).body.cost.source).toBe('credits')
  expect(azure.submissions()).toBe(1)
  expect(await purse.money()).toMatchObject({ reserved: 0 })
})

test('a model that only the account can pay for; a key that its provider refuses costs nothing', async () => {
  for (const billing of ['metered', 'unmetered'] as const) {
    const bare = await openPurse(db, {
      account: { billing, ...(billing === 'metered' ? { freeImages: 5 } : {}) },
    })
    const model = 'on-azure'
    const isOffered = async ({ key }: Purse) =>
      (await service.call(`/v1/models/${model}`, undefined, as(key))).body.available
    expectError(await onV1(bare, { model }), { status: 400, code: 'provider_not_configured', param: 'model' })
    expect(await isOffered(bare)).toBe(false)
    const purse = await storeOwnKey(bare, 'azure', fakeAzureKey)
    expect(await isOffered(purse)).toBe(true)
    const { body } = await onV1(purse, { model })
    expect(body.cost).toEqual({ micros: 0, currency: 'USD', source: 'user' })

    const wrong = await storeOwnKey(bare, 'azure', 'a-key-that-azure-does-not-know')
    nowMs += 1_000
    const refused = await onV1(wrong, { model })
    expectError(refused, { status: 502, code: 'upstream_failed', type: 'upstream_error', says: /own key/ })
    expect(JSON.stringify(refused.body)).not.toContain('a-key-that')
    expect(await purse.tasks()).toMatchObject([
      { source: 'user', status: 'SUCCEEDED', charged: 0 },
      { source: 'user', status: 'FAILED', charged: 0 },
    ])
    // What the server can pay for itself is the server's.
    const own = await onV1(purse)
    expect(own.body.cost.source).toBe(billing === 'metered' ? 'free' : 'unmetered')
  }
})

test('an account without a limit is told what it used, and when that is over', async () => {
  const purse = await openPurse(db, { account: { billing: 'unmetered', freeImages: null } })
  const quota = { limit: null, used: 1, remaining: null, next_available_at: noon / 1_000 + daySeconds }
  const first = await draw(purse)
  expect([first.body.key_source, first.body.rate_limit]).toEqual(['free', quota])
  nowMs += 60_000
  expect((await draw(purse)).body.rate_limit).toEqual({ ...quota, used: 2 })
  nowMs += daySeconds * 1_000
  expect((await draw(purse)).body.rate_limit).toEqual({
    ...quota,
    next_available_at: nowMs / 1_000 + daySeconds,
  })
})
