import { request as httpRequest } from 'node:http'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OpenDatabase, openDatabase } from '../../src/db/open-database.ts'
import { createKey, type NewKey } from '../../src/keys/create-key.ts'
import { generateKey } from '../../src/keys/key-format.ts'
import { revokeKey } from '../../src/keys/revoke-key.ts'
import type { Scope } from '../../src/keys/scopes.ts'
import { openWorld, type World } from '../setup/world.ts'

let world: World
let database: OpenDatabase
beforeAll(async () => {
  world = await openWorld()
  database = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 2 })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const path = '/v1/images/generations'
const good = { model: 'gesso-collage', prompt: 'a red fox', size: '64x64' }

async function newKey(scopes: Scope[], extra: Partial<NewKey> = {}) {
  const account = await database.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow()
  return createKey(database.db, { accountId: account.id, name: 'test', scopes, ...extra })
}

const as = (key: string) => ({ authorization: `Bearer ${key}` })

async function answer(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { error: { code: string } }).error.code]
}

test('no key, a malformed key, an unknown key: 401, each in its own words, no echo of the key', async () => {
  const unknown = generateKey()
  const altered = world.key.slice(0, -1) + (world.key.endsWith('a') ? 'b' : 'a')
  const bare = await fetch(new URL(path, world.url), { method: 'POST' })
  expect(await answer(bare)).toEqual([401, 'missing_api_key'])
  for (const header of [
    `Bearer ${unknown}`,
    `Bearer ${altered}`,
    'Bearer sk-x',
    `Basic ${world.key}`,
    `Bearer  ${world.key}`,
    `Bearer "${world.key}"`,
    world.key,
    'Bearer',
  ]) {
    const response = await world.call(path, good, { authorization: header })
    const text = await response.text()
    expect([response.status, JSON.parse(text).error.type, JSON.parse(text).error.code], header).toEqual([
      401,
      'authentication_error',
      'invalid_api_key',
    ])
    expect(text).not.toContain(unknown)
    expect(text).not.toContain(world.key.slice(3))
  }
})

test('two keys in one request are none, and neither is one in the address', async () => {
  const send = (target: string, authorization: string[] | undefined) =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(new URL(target, world.url), (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      if (authorization) request.setHeader('authorization', authorization)
      request.on('error', reject).end()
    })
  const good = `Bearer ${world.key}`
  expect(await send('/v1/models', [good])).toBe(200)
  for (const both of [
    [good, 'Bearer gs_x'],
    ['Bearer gs_x', good],
    [good, good],
  ])
    expect(await send('/v1/models', both)).toBe(401)
  expect(await send(`/v1/models?key=${world.key}`, undefined)).toBe(401)
})

test('a key that is for certain models is shown those, and told by name that another is not for it', async () => {
  const { key } = await newKey(['images:read', 'images:write'], { models: ['gesso-collage', 'dall-e-3'] })
  const { data } = (await (await world.call('/v1/models', undefined, as(key))).json()) as {
    data: { id: string }[]
  }
  expect(data.map(({ id }) => id).toSorted()).toEqual(['dall-e-3', 'gesso-collage'])
  expect((await world.call('/v1/models/gesso-collage', undefined, as(key))).status).toBe(200)
  expect(await answer(await world.call('/v1/models/gpt-image-2', undefined, as(key)))).toEqual([
    403,
    'model_not_allowed',
  ])
  const other = { model: 'gpt-image-2', prompt: 'a fox' }
  expect(await answer(await world.call(path, other, as(key)))).toEqual([403, 'model_not_allowed'])
})

test('the scheme is read in any case', async () => {
  expect((await world.call('/v1/models', undefined, { authorization: `bearer ${world.key}` })).status).toBe(
    200,
  )
})

test('a revoked key is refused within a second, also where it was just used', async () => {
  const { id, key } = await newKey(['images:read', 'images:write'])
  // A reading call, because the admission of a writing one asks the database in any case.
  const read = async () => (await world.call('/v1/models', undefined, as(key))).status
  expect(await read()).toBe(200)
  await revokeKey(database.db, id, { now: new Date() })
  // A second, and what a machine under load adds to it.
  await expect.poll(read, { timeout: 2_500, interval: 50 }).toBe(401)
})

test('a revoked key makes no picture, not even within that second', async () => {
  const { id, key } = await newKey(['images:write'])
  expect((await world.call(path, good, as(key))).status).toBe(200)
  await revokeKey(database.db, id, { now: new Date() })
  expect(await answer(await world.call(path, good, as(key)))).toEqual([401, 'invalid_api_key'])
})

test('an expired key is refused', async () => {
  const { key } = await newKey(['images:write'], { expiresAt: new Date(Date.now() - 1) })
  expect(await answer(await world.call(path, good, as(key)))).toEqual([401, 'invalid_api_key'])
})

test('a scope that is missing is 403 and named', async () => {
  const reader = await newKey(['images:read'])
  const writer = await newKey(['images:write'])
  const denied = await world.call(path, good, as(reader.key))
  expect(denied.status).toBe(403)
  expect(await denied.json()).toMatchObject({
    error: {
      type: 'permission_error',
      code: 'missing_scope',
      message: expect.stringContaining('images:write'),
    },
  })
  expect(await answer(await world.call('/v1/models', undefined, as(writer.key)))).toEqual([
    403,
    'missing_scope',
  ])
})

test('beyond its rate a key gets 429 with Retry-After, and may try again', async () => {
  const { key } = await newKey(['images:write'], { requestsPerMinute: 2 })
  const statuses = []
  for (let n = 0; n < 3; n++) {
    const response = await world.call(path, good, as(key))
    statuses.push(response.status)
    if (response.status !== 429) continue
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(20)
    expect(response.headers.get('x-should-retry')).toBe('true')
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(await answer(response)).toEqual([429, 'rate_limit_exceeded'])
  }
  expect(statuses).toEqual([200, 200, 429])
})

test('what one account made, another does not see', async () => {
  const made = (await (await world.call(path, good)).json()) as { id: string; data: { image_id: string }[] }
  const other = 'acct_other'
  await database.db
    .insertInto('accounts')
    .values({ id: other, name: 'other', billing: 'unmetered' })
    .execute()
  const { key } = await createKey(database.db, { accountId: other, name: 'other', scopes: ['admin'] })
  expect(await answer(await world.call(`${path}/${made.id}`, undefined, as(key)))).toEqual([
    404,
    'task_not_found',
  ])
  expect(await answer(await world.call(`/v1/images/${made.data[0]?.image_id}`, undefined, as(key)))).toEqual([
    404,
    'image_not_found',
  ])
})

test('a large upload without a key is refused before it is read', async () => {
  const sent = await new Promise<{ status: number | undefined; sentBytes: number }>((resolve, reject) => {
    const request = httpRequest(new URL(path, world.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 60_000_000 },
    })
    let sentBytes = 0
    request.on('response', (response) => {
      resolve({ status: response.statusCode, sentBytes })
      request.destroy()
    })
    request.on('error', (error) => reject(error))
    const chunk = Buffer.alloc(64 * 1024, 0x20)
    const timer = setInterval(() => {
      if (request.destroyed) return clearInterval(timer)
      sentBytes += chunk.length
      request.write(chunk)
    }, 5)
  })
  expect(sent.status).toBe(401)
  expect(sent.sentBytes).toBeLessThan(10_000_000)
})

test('the keys themselves are nowhere in the database', async () => {
  const { key } = await newKey(['images:read'])
  const client = new pg.Client({ connectionString: world.databaseUrl })
  await client.connect()
  const { rows } = await client.query('select keys::text as row from keys')
  await client.end()
  const dump = JSON.stringify(rows)
  expect(dump).not.toContain(key.slice(7))
  expect(dump).not.toContain(world.key.slice(7))
})

test('without a database a mistyped key is still 401, and a good one 503 with Retry-After', async () => {
  await using lonely = await openWorld()
  const client = new pg.Client({ connectionString: lonely.databaseUrl.replace(/\/test_\w+\?/, '/postgres?') })
  await client.connect()
  const name = /\/(test_\w+)\?/.exec(lonely.databaseUrl)?.[1]
  await client.query(`alter database ${name} allow_connections false`)
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, [name])
  const altered = lonely.key.slice(0, -1) + (lonely.key.endsWith('a') ? 'b' : 'a')
  expect((await lonely.call(path, good, as(altered))).status).toBe(401)
  const response = await lonely.call(path, good)
  expect([
    response.status,
    response.headers.get('retry-after'),
    response.headers.get('x-should-retry'),
  ]).toEqual([503, '2', 'true'])
  expect((await lonely.call('/readyz')).status).toBe(503)
  expect((await lonely.call('/healthz')).status).toBe(200)
  await client.query(`alter database ${name} allow_connections true`)
  await client.end()
  await expect.poll(async () => (await lonely.call(path, good)).status, { timeout: 15_000 }).toBe(200)
})
