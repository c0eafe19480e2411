/**
 * Who may call what, and whose things they see: every route of a running server against every scope, and one account
 * against another.
 */
import { channel } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenDatabase, openDatabase } from '../../src/db/open-database.ts'
import { createKey } from '../../src/keys/create-key.ts'
import { type Scope, scopes } from '../../src/keys/scopes.ts'
import { openWorld, type World } from '../setup/world.ts'
import { openPurse, type Purse } from './purse.ts'

/** The scope that each route asks for. A new route is entered here by somebody who has thought about it. */
const expected: Record<string, Scope | 'public'> = {
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /openapi.json': 'public',
  'GET /docs': 'public',
  'GET /i/:file': 'public',
  'GET /api/i/:file': 'public',
  // Answers 404 to everybody: tasks are not listed yet.
  'GET /v1/images/generations': 'public',

  'POST /v1/images/generations': 'images:write',
  'POST /v1/images/edits': 'images:write',
  'POST /v1/images/variations': 'images:write',
  'POST /aliyun/v1/images/generations': 'images:write',
  'POST /api/v1/images/generations': 'images:write',

  'GET /api/v1/images/generations': 'images:read',
  'GET /v1/images/generations/:task_id': 'images:read',
  'GET /v1/images/:image_id': 'images:read',
  'GET /v1/models': 'images:read',
  'GET /v1/models/:model': 'images:read',
  'GET /v1/models/*': 'images:read',
  'GET /v1/billing/balance': 'images:read',
  'GET /v1/usage': 'images:read',

  'GET /admin/v1/accounts': 'admin',
  'POST /admin/v1/accounts': 'admin',
  'GET /admin/v1/accounts/:account_id': 'admin',
  'PATCH /admin/v1/accounts/:account_id': 'admin',
  'POST /admin/v1/accounts/:account_id/credits': 'admin',
  'POST /admin/v1/accounts/:account_id/adjustments': 'admin',
  'GET /admin/v1/accounts/:account_id/ledger': 'admin',
  'GET /admin/v1/ledger': 'admin',
  'GET /admin/v1/accounts/:account_id/provider-keys': 'admin',
  'PUT /admin/v1/accounts/:account_id/provider-keys/:provider': 'admin',
  'DELETE /admin/v1/accounts/:account_id/provider-keys/:provider': 'admin',
  'POST /admin/v1/accounts/:account_id/provider-keys/:provider/test': 'admin',
  'GET /admin/v1/keys': 'admin',
  'POST /admin/v1/keys': 'admin',
  'GET /admin/v1/keys/:key_id': 'admin',
  'PATCH /admin/v1/keys/:key_id': 'admin',
  'POST /admin/v1/keys/:key_id/rotate': 'admin',
  'DELETE /admin/v1/keys/:key_id': 'admin',
  'GET /admin/v1/usage': 'admin',
  'GET /admin/v1/audit': 'admin',
}

/** The routes as the server registered them, and what each of them says of its access. */
const registered = new Map<string, string | undefined>()
let world: World
let database: OpenDatabase
let rich: Purse
let stranger: Purse
/** A key of each scope alone, and one of none. */
const keys = new Map<Scope | 'none', string>()

beforeAll(async () => {
  const initialization = channel('fastify.initialization')
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url, config }) => {
      for (const one of [method].flat()) registered.set(`${one} ${url}`, config?.access)
    })
  }
  initialization.subscribe(listen)
  try {
    world = await openWorld()
  } finally {
    initialization.unsubscribe(listen)
  }
  database = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
  rich = await openPurse(database.db, { credit: 1_000_000, account: { freeImages: 5 } })
  stranger = await openPurse(database.db, { account: { freeImages: 5 } })
  for (const scope of [...scopes, 'none'] as const) {
    const held = scope === 'none' ? [] : [scope]
    const { key } = await createKey(database.db, {
      accountId: stranger.accountId,
      name: scope,
      scopes: held,
      requestsPerMinute: 1_000_000,
    })
    keys.set(scope, key)
  }
})
afterAll(async () => {
  await database?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

/** An address of the route, of things that there are not. */
function addressOf(route: string): { method: string; path: string } {
  const [method = '', url = ''] = route.split(' ')
  const nothing = '000000000000000000000000'
  const path = url
    .replace(':account_id', `acct_${nothing}`)
    .replace(':key_id', `key_${nothing}`)
    .replace(':task_id', `image_${nothing}`)
    .replace(':image_id', `img_${nothing}`)
    .replace(':provider', 'openai')
    .replace(':file', `img_${nothing}.png`)
    .replace(/:model|\*/, 'gesso-collage')
  return { method, path }
}

async function ask(route: string, key: string | undefined): Promise<{ status: number; code?: string }> {
  const { method, path } = addressOf(route)
  const hasBody = !['GET', 'HEAD', 'DELETE'].includes(method)
  const response = await fetch(new URL(path, world.url), {
    method,
    headers: {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    body: hasBody ? '{}' : undefined,
  })
  const text = await response.text()
  const isJson = text !== '' && response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, code: isJson ? JSON.parse(text).error?.code : undefined }
}

describe('every route', () => {
  test('is in the table above with the scope that it asks for, and its HEAD asks for the same', () => {
    const heads = Object.entries(expected).flatMap(([route, access]) =>
      route.startsWith('GET ') ? [[route.replace('GET', 'HEAD'), access]] : [],
    )
    const all = { ...expected, ...Object.fromEntries(heads) }
    expect(Object.fromEntries(registered)).toEqual(all)
  })

  test('refuses a key exactly where it lacks the scope, and nobody without a key', async () => {
    for (const [route, access] of registered) {
      const open = access === 'public'
      const anonymous = await ask(route, undefined)
      expect(anonymous.status === 401, `${route} without a key`).toBe(!open)
      const answers = await Promise.all(
        [...keys].map(async ([scope, key]) => ({ scope, ...(await ask(route, key)) })),
      )
      for (const { scope, status, code } of answers) {
        const may = open || scope === 'admin' || scope === access
        const what = `${route} with ${scope}: ${status} ${code}`
        if (may) expect(code === 'missing_scope' || status === 401 || status >= 500, what).toBe(false)
        else expect(status, what).toBe(403)
        if (!may && !route.startsWith('HEAD')) expect(code, what).toBe('missing_scope')
      }
    }
  })
})

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

describe('one account sees nothing of another', () => {
  const drawing = { model: 'gesso-collage', prompt: 'a secret fox', size: '64x64' }
  let made: { task: string; image: string; url: string }

  async function call(purse: Purse, path: string, body?: object, headers: Record<string, string> = {}) {
    const response = await world.call(path, body, { ...purse.as, ...headers })
    return { status: response.status, headers: response.headers, json: (await response.json()) as Json }
  }

  beforeAll(async () => {
    const { json } = await call(rich, '/v1/images/generations', {
      ...drawing,
      bucket: 'shelf',
      response_format: 'url',
    })
    made = { task: json.id, image: json.data[0].image_id, url: json.data[0].url }
  })

  /** What each account gets for a real id, and the stranger for one that there is not, without the id itself. */
  async function compare(real: string, path: (id: string) => string, body?: (id: string) => object) {
    const guessed = real.replace(/[0-9a-f]{8}$/, '00000000')
    const answers = []
    for (const [purse, id] of [
      [rich, real],
      [stranger, real],
      [stranger, guessed],
    ] as const) {
      const { status, json } = await call(purse, path(id), body?.(id))
      answers.push({ status, text: JSON.stringify(json).replaceAll(id, 'it') })
    }
    return answers
  }

  test.each<[string, () => string, (id: string) => string]>([
    ['a task', () => made.task, (id) => `/v1/images/generations/${id}`],
    ['a picture', () => made.image, (id) => `/v1/images/${id}`],
  ])('%s is as good as none', async (_what, real, path) => {
    const [own, others, none] = await compare(real(), path)
    expect(own?.status).toBe(200)
    expect(others?.status).toBe(404)
    expect(others).toEqual(none)
  })

  test('a picture cannot be edited, not even priced', async () => {
    for (const dry_run of [false, true]) {
      const body = (id: string) => ({ ...drawing, image: { image_id: id }, dry_run })
      const [own, others, none] = await compare(made.image, () => '/v1/images/generations', body)
      expect(own?.status, own?.text).toBe(200)
      // A dry run fetches no input.
      if (!dry_run) expect(others?.status, others?.text).toBeGreaterThanOrEqual(400)
      expect(others).toEqual(none)
    }
  })

  test('a file opens by its signature alone, and a picture without a lasting link has none', async () => {
    expect((await fetch(made.url)).status).toBe(200)
    const { pathname } = new URL(made.url)
    const open = async (path: string) => {
      const response = await fetch(new URL(path, world.url), { headers: stranger.as })
      return [response.status, ((await response.json()) as Json).error.code]
    }
    const absent = pathname.replace(/[0-9a-f]{8}\./, '00000000.')
    expect(await open(pathname)).toEqual(await open(absent))
    expect(await open(pathname)).toEqual([403, 'signature_invalid'])
    expect(await open(`/api${pathname}`)).toEqual([404, 'image_not_found'])
    expect(await open(`/api${absent}`)).toEqual([404, 'image_not_found'])
  })

  test('a bucket of the same name is another one', async () => {
    const list = (purse: Purse, bucket: string) => call(purse, `/api/v1/images/generations?bucket=${bucket}`)
    expect((await list(rich, 'shelf')).json.count).toBe(1)
    const [others, none] = [await list(stranger, 'shelf'), await list(stranger, 'nothing')]
    expect(others.json).toEqual({ ...none.json, bucket: 'shelf' })
    expect(others.json).toMatchObject({ bucket_id: null, count: 0, data: [] })
  })

  test('an idempotency key of the same name is another one', async () => {
    const headers = { 'idempotency-key': 'order-1' }
    const first = await call(rich, '/v1/images/generations', drawing, headers)
    const again = await call(rich, '/v1/images/generations', drawing, headers)
    expect([again.json.id, again.headers.get('idempotent-replayed')]).toEqual([first.json.id, 'true'])
    const own = await call(stranger, '/v1/images/generations', { ...drawing, prompt: 'another fox' }, headers)
    expect([own.status, own.headers.get('idempotent-replayed')]).toEqual([200, null])
    expect(own.json.id).not.toBe(first.json.id)
  })

  test('money and usage are each account’s own, and the ledger is the operator’s', async () => {
    const balance = async (purse: Purse) => (await call(purse, '/v1/billing/balance')).json.balance_micros
    expect([await balance(rich), await balance(stranger)]).toEqual([1_000_000, 0])
    const usage = async (purse: Purse, query = '') =>
      (await call(purse, `/v1/usage?group_by=key,bucket${query}`)).json
    const own = await usage(stranger)
    expect(JSON.stringify(own)).not.toContain(rich.keyId)
    expect(own.data.map((row: Json) => row.bucket)).not.toContain('shelf')
    expect((await usage(stranger, `&account_id=${rich.accountId}`)).error.param).toBe('account_id')
    for (const id of [rich.accountId, 'acct_000000000000000000000000']) {
      for (const path of [
        `accounts/${id}`,
        `accounts/${id}/ledger`,
        `ledger?account_id=${id}`,
        `usage?account_id=${id}`,
      ])
        expect((await call(stranger, `/admin/v1/${path}`)).json.error.code).toBe('missing_scope')
    }
  })
})
