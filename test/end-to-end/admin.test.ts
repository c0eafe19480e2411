/** The operator's API: accounts, keys and the audit log, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorld, type World } from '../setup/world.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.[Symbol.asyncDispose]())

interface Answer {
  status: number
  headers: Headers
  text: string
  json: Json
}

async function ask(method: string, path: string, body?: object, key = world.key): Promise<Answer> {
  const response = await fetch(new URL(path, world.url), {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    body: body && JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
}

const post = (path: string, body: object = {}) => ask('POST', path, body)
const get = (path: string) => ask('GET', path)

async function newKey(body: object = {}): Promise<Json> {
  const made = await post('/admin/v1/keys', { name: 'app', ...body })
  expect(made.status, made.text).toBe(201)
  return made.json
}

const read = async (key: string) => (await ask('GET', '/v1/models', undefined, key)).status

async function adminRoutes(): Promise<[method: string, path: string][]> {
  const { json } = await get('/openapi.json')
  const id = '000000000000000000000000'
  return Object.entries<object>(json.paths)
    .filter(([path]) => path.startsWith('/admin/'))
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method): [string, string] => [
        method.toUpperCase(),
        path
          .replace('{account_id}', `acct_${id}`)
          .replace('{key_id}', `key_${id}`)
          .replace(/\{\w+\}/g, 'openai'),
      ]),
    )
}

describe('403 and 401', () => {
  test('a key without the scope admin gets nowhere, and learns nothing', async () => {
    const { key } = await newKey({ scopes: ['images:write', 'images:read', 'buckets:write'] })
    const routes = await adminRoutes()
    expect(routes.length).toBeGreaterThanOrEqual(11)
    for (const [method, path] of routes) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {}
      const { status, json } = await ask(method, path, body, key)
      expect([status, json.error.code], `${method} ${path}`).toEqual([403, 'missing_scope'])
      const nobody = await ask(method, path, body, 'gs_nobody')
      expect([nobody.status, nobody.json.error.code], path).toEqual([401, 'invalid_api_key'])
    }
  })

  test('a key cannot raise its own limits, scopes, expiry or models, nor make another', async () => {
    const own = await newKey({ requests_per_minute: 5, models: ['gesso-collage'] })
    for (const change of [
      { requests_per_minute: null },
      { scopes: ['admin'] },
      { expires_at: null },
      { models: null },
      { disabled: false },
    ])
      expect((await ask('PATCH', `/admin/v1/keys/${own.id}`, change, own.key)).status).toBe(403)
    const made = await ask('POST', '/admin/v1/keys', { name: 'more', scopes: ['admin'] }, own.key)
    expect(made.status).toBe(403)
    const { key: _key, ...shown } = own
    expect((await get(`/admin/v1/keys/${own.id}`)).json).toEqual({
      ...shown,
      last_used_at: expect.anything(),
    })
  })
})

describe('accounts', () => {
  test('are made with everything that can be said of them, shown, listed and changed', async () => {
    const settings = {
      name: 'Acme',
      billing: 'metered',
      images_per_day: 7,
      spend_per_month_micros: 5_000_000,
      free_images: 3,
      defaults: { quality: 'low', output_format: 'jpg' },
    }
    const made = await post('/admin/v1/accounts', settings)
    expect([made.status, made.headers.get('location')]).toEqual([201, `/admin/v1/accounts/${made.json.id}`])
    expect(made.json).toEqual({
      ...settings,
      id: expect.stringMatching(/^acct_[0-9a-f]{24}$/),
      object: 'account',
      balance_micros: 0,
      reserved_micros: 0,
      available_micros: 0,
      requests_per_minute: null,
      images_per_minute: null,
      concurrency: null,
      spend_per_day_micros: null,
      spend_total_micros: null,
      defaults: { quality: 'low', output_format: 'jpeg' },
      disabled: false,
      disabled_at: null,
      created_at: expect.any(Number),
    })
    const path = `/admin/v1/accounts/${made.json.id}`
    expect((await get(path)).json).toEqual(made.json)
    const changed = await ask('PATCH', path, { images_per_day: null, concurrency: 2, defaults: null })
    const expected = { ...made.json, images_per_day: null, concurrency: 2, defaults: {} }
    expect(changed.json).toEqual(expected)
    const list = await get('/admin/v1/accounts?limit=1')
    expect(list.json).toMatchObject({ object: 'list', data: [expected], has_more: true })
    const next = await get(`/admin/v1/accounts?cursor=${list.json.next_cursor}`)
    expect(next.json.data.map(({ name }: Json) => name)).toContain('default')
    expect(next.json).toMatchObject({ has_more: false })
    expect(next.json).not.toHaveProperty('next_cursor')
  })

  test('a disabled account’s keys are refused as long as it is', async () => {
    const { json: account } = await post('/admin/v1/accounts', { name: 'Off and on' })
    expect(account.billing).toBe('metered')
    const { key } = await newKey({ account_id: account.id })
    const path = `/admin/v1/accounts/${account.id}`
    expect((await ask('PATCH', path, { disabled: true })).json.disabled).toBe(true)
    const refused = await ask('GET', '/v1/models', undefined, key)
    expect([refused.status, refused.json.error.code]).toEqual([403, 'key_disabled'])
    await ask('PATCH', path, { disabled: false })
    await expect.poll(() => read(key), { interval: 100 }).toBe(200)
  })
})

describe('keys', () => {
  test('the secret is shown once, and works at once', async () => {
    const made = await newKey({ images_per_day: 4, models: ['gesso-collage'], expires_at: 4_000_000_000 })
    expect(made).toMatchObject({
      object: 'key',
      key: expect.stringMatching(/^gs_[0-9A-Za-z]{40}$/),
      scopes: ['images:write', 'images:read'],
      images_per_day: 4,
      requests_per_minute: null,
      expires_at: 4_000_000_000,
      disabled: false,
      replaces: null,
    })
    expect(await read(made.key)).toBe(200)
    const { key, ...shown } = made
    const one = await get(`/admin/v1/keys/${made.id}`)
    expect({ ...one.json, last_used_at: null }).toEqual(shown)
    const list = await get(`/admin/v1/keys?account_id=${made.account_id}&limit=1000`)
    expect(list.json.data.map(({ id }: Json) => id)).toContain(made.id)
    const audit = await get(`/admin/v1/audit?target=${made.id}`)
    for (const { text } of [one, list, audit]) expect(text).not.toContain(key.slice(7, 20))
  })

  test('a disabled key is 403, a revoked one 401, and its row stays', async () => {
    const { id, key } = await newKey()
    await ask('PATCH', `/admin/v1/keys/${id}`, { disabled: true })
    const refused = await ask('GET', '/v1/models', undefined, key)
    expect([refused.status, refused.json.error.code]).toEqual([403, 'key_disabled'])
    const revoked = await ask('DELETE', `/admin/v1/keys/${id}`)
    expect(revoked.json).toMatchObject({ id, revoked_at: expect.any(Number) })
    expect((await ask('DELETE', `/admin/v1/keys/${id}`)).json).toEqual(revoked.json)
    await expect.poll(() => read(key), { interval: 100 }).toBe(401)
    expect((await ask('PATCH', `/admin/v1/keys/${id}`, { name: 'x' })).status).toBe(400)
  })

  test('a rotated key and its successor both work, until the old one ends', async () => {
    const old = await newKey({ name: 'turning', images_per_day: 9 })
    const made = await post(`/admin/v1/keys/${old.id}/rotate`, { overlap_seconds: 60 })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({ replaces: old.id, name: 'turning', images_per_day: 9 })
    expect(made.json.replaced_expires_at).toBeLessThanOrEqual(Date.now() / 1_000 + 60)
    expect([await read(old.key), await read(made.json.key)]).toEqual([200, 200])
    const last = await ask('POST', `/admin/v1/keys/${made.json.id}/rotate`, { overlap_seconds: 0 })
    await expect.poll(() => read(made.json.key), { interval: 100 }).toBe(401)
    expect([await read(old.key), await read(last.json.key)]).toEqual([200, 200])
    expect((await post(`/admin/v1/keys/${old.id}/rotate`)).json.error.message).toContain(made.json.id)
  })

  test('the last admin key stays', async () => {
    const { json } = await get('/admin/v1/keys?limit=1000')
    const { id } = json.data.find(({ origin }: Json) => origin === 'first')
    for (const refused of [
      await ask('DELETE', `/admin/v1/keys/${id}`),
      await ask('PATCH', `/admin/v1/keys/${id}`, { scopes: ['images:read'] }),
      await ask('PATCH', `/admin/v1/keys/${id}`, { disabled: true }),
    ])
      expect([refused.status, refused.json.error.code]).toEqual([409, 'last_admin_key'])
    expect(await read(world.key)).toBe(200)
  })

  test('models are kept by their ids, and hold what the key fills in', async () => {
    const catalogue = (await get('/v1/models')).json.data as { id: string; aliases: string[] }[]
    const aliased = catalogue.find(({ aliases }) => aliases.length > 0)
    const made = await newKey({ models: [aliased?.aliases[0], aliased?.id] })
    expect(made.models).toEqual([aliased?.id])
    const path = `/admin/v1/keys/${made.id}`
    const outside = await ask('PATCH', path, { defaults: { model: 'gesso-collage' } })
    expect([outside.status, outside.json.error.param]).toEqual([400, 'defaults.model'])
    expect((await ask('PATCH', path, { models: ['gesso-collage', aliased?.id] })).status).toBe(200)
    expect((await ask('PATCH', path, { defaults: { model: 'gesso-collage' } })).status).toBe(200)
    expect((await ask('PATCH', path, { models: [aliased?.id] })).json.error.param).toBe('defaults.model')
    const unknown = await post('/admin/v1/keys', { name: 'x', models: ['no-such-model'] })
    expect([unknown.status, unknown.json.error.code]).toEqual([404, 'model_not_found'])
  })
})

describe('400 and 404: refused, in words, and nothing is left behind', () => {
  test.each<[string, object, string, RegExp]>([
    ['keys', {}, 'name', /name is required: text of 1 to 100/],
    ['keys', { name: ' ' }, 'name', /must be text/],
    ['keys', { name: 'x', rpm: 5 }, 'rpm', /not a parameter/],
    ['keys', { name: 'x', key: 'gs_mine' }, 'key', /not a parameter/],
    ['keys', { name: 'x', origin: 'configured' }, 'origin', /not a parameter/],
    ['keys', { name: 'x', scopes: [] }, 'scopes', /images:write/],
    ['keys', { name: 'x', scopes: ['root'] }, 'scopes.0', /"root".*one of images:write/],
    ['keys', { name: 'x', images_per_day: 0 }, 'images_per_day', /from 1 to 1000000000, or null/],
    ['keys', { name: 'x', images_per_day: 1.5 }, 'images_per_day', /whole number/],
    ['keys', { name: 'x', spend_total_micros: -1 }, 'spend_total_micros', /micro-USD/],
    ['keys', { name: 'x', spend_total_micros: '5' }, 'spend_total_micros', /micro-USD/],
    ['keys', { name: 'x', expires_at: Date.now() }, 'expires_at', /Unix seconds/],
    ['keys', { name: 'x', models: [] }, 'models', /or null for all/],
    ['keys', { name: 'x', defaults: { quality: 'ultra' } }, 'defaults.quality', /one of auto/],
    ['keys', { name: 'x', defaults: { prompt: 'a fox' } }, 'defaults.prompt', /not a parameter/],
    ['keys', { name: 'x', account_id: 'default' }, 'account_id', /acct_/],
    ['accounts', { name: 'x', balance_micros: 5 }, 'balance_micros', /not a parameter/],
    ['accounts', { name: 'x', billing: 'free' }, 'billing', /one of unmetered, metered/],
    ['accounts', { name: 'x', free_images: -1 }, 'free_images', /from 0 to 1000000/],
  ])('POST %s %j', async (what, body, param, says) => {
    const before = (await get('/admin/v1/audit?limit=1')).text
    const { status, json } = await post(`/admin/v1/${what}`, body)
    expect([status, json.error.param]).toEqual([400, param])
    expect(json.error.message).toMatch(says)
    expect((await get('/admin/v1/audit?limit=1')).text).toBe(before)
  })

  test('what is not there is not found', async () => {
    const id = '000000000000000000000000'
    for (const [method, path] of [
      ['GET', `keys/key_${id}`],
      ['PATCH', `keys/key_${id}`],
      ['DELETE', `keys/key_${id}`],
      ['POST', `keys/key_${id}/rotate`],
      ['GET', 'keys/%00'],
      ['GET', `accounts/acct_${id}`],
      ['PATCH', `accounts/acct_${id}`],
    ] as const) {
      const body = method === 'PATCH' ? { name: 'x' } : undefined
      const { status, json } = await ask(method, `/admin/v1/${path}`, body)
      expect([status, json.error.type], path).toEqual([404, 'not_found_error'])
    }
    const nobodys = await post('/admin/v1/keys', { name: 'x', account_id: `acct_${id}` })
    expect([nobodys.status, nobodys.json.error.code]).toEqual([404, 'account_not_found'])
  })

  test.each([
    'keys?limit=0',
    'keys?limit=1001',
    'accounts?cursor=%00',
    'audit?cursor=x',
    'audit?target=%00',
    'keys?x=1',
    'keys?cursor=abc',
    'keys?cursor=acct_000000000000000000000000',
    'accounts?cursor=key_000000000000000000000000',
    'keys?account_id=key_000000000000000000000000',
    'keys?limit=1&limit=2',
    'audit?cursor=-1',
    'audit?__proto__=x',
  ])('GET %s', async (path) => {
    expect((await get(`/admin/v1/${path}`)).status).toBe(400)
  })
})

test('every change is told once, with who asked for it and by which request', async () => {
  const made = await post('/admin/v1/keys', { name: 'told' })
  const path = `/admin/v1/keys/${made.json.id}`
  await ask('PATCH', path, { name: 'told' })
  const changed = await ask('PATCH', path, { name: 'told again', concurrency: 3 })
  const { json } = await get(`/admin/v1/audit?target=${made.json.id}`)
  const { json: keys } = await get('/admin/v1/keys?limit=1000')
  const admin = keys.data.find(({ origin }: Json) => origin === 'first')
  expect(json.data).toMatchObject([
    {
      object: 'audit_entry',
      actor: admin.id,
      action: 'key.updated',
      request_id: changed.headers.get('x-request-id'),
      account_id: made.json.account_id,
      before: { name: 'told', concurrency: null },
      after: { name: 'told again', concurrency: 3 },
    },
    { actor: admin.id, action: 'key.created', request_id: made.headers.get('x-request-id'), before: null },
  ])
})

describe('odd bodies', () => {
  const long = 'x'.repeat(10_000)
  const oddities = [
    '-1',
    '0.5',
    '1e308',
    '9007199254740993',
    '"1e3"',
    '"\\u0000"',
    `"${long}"`,
    '[null]',
    '{}',
  ]
  const limits = ['requests_per_minute', 'images_per_day', 'concurrency', 'spend_total_micros']
  const common = ['name', 'defaults', 'disabled', '__proto__', 'constructor', ...limits]

  /** Sends it word for word. */
  async function send(method: string, path: string, body: string): Promise<[status: number, text: string]> {
    const headers = { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' }
    const response = await fetch(new URL(`/admin/v1/${path}`, world.url), { method, headers, body })
    return [response.status, await response.text()]
  }

  test('are refused in words, whatever stands in whichever field, and change nothing', async () => {
    const { id: key, account_id: account } = await newKey({ name: 'odd' })
    const before = (await get(`/admin/v1/keys/${key}`)).text
    const rows: [method: string, path: string, fields: string[], others?: string][] = [
      ['POST', 'keys', ['scopes', 'models', 'expires_at', 'account_id'], '"name":"x"'],
      ['PATCH', `keys/${key}`, [...common, 'scopes', 'models', 'prompt_in_metadata', 'key', 'id']],
      ['PATCH', `accounts/${account}`, [...common, 'billing', 'free_images', 'balance_micros']],
      ['POST', `keys/${key}/rotate`, ['overlap_seconds']],
      ['POST', `accounts/${account}/adjustments`, ['micros', 'usd'], '"note":"x"'],
      ['POST', `accounts/${account}/adjustments`, ['task_id'], '"note":"x","micros":1'],
    ]
    for (const [method, path, fields, others] of rows)
      for (const field of fields)
        for (const value of oddities) {
          // A good name, and defaults without any field.
          if ((field === 'name' && value === '"1e3"') || (field === 'defaults' && value === '{}')) continue
          const [status, text] = await send(
            method,
            path,
            `{"${field}":${value}${others ? `,${others}` : ''}}`,
          )
          expect(
            [status, JSON.parse(text).error?.type, text.length < 2_500],
            `${method} ${path} ${field} ${value.slice(0, 30)}: ${text.slice(0, 200)}`,
          ).toEqual([400, 'invalid_request_error', true])
        }
    expect((await get(`/admin/v1/keys/${key}`)).text).toBe(before)
  })

  test('null takes away what can be taken away, and nothing else', async () => {
    const made = await newKey({ images_per_day: 3, models: ['gesso-collage'], defaults: { quality: 'low' } })
    const path = `/admin/v1/keys/${made.id}`
    for (const field of ['name', 'scopes', 'disabled', 'prompt_in_metadata'])
      expect((await ask('PATCH', path, { [field]: null })).json.error.param).toBe(field)
    expect((await ask('PATCH', path, {})).json).toMatchObject({ images_per_day: 3, models: made.models })
    const gone = { images_per_day: null, models: null, defaults: null, expires_at: null }
    expect((await ask('PATCH', path, gone)).json).toMatchObject({ ...gone, defaults: {} })
  })

  test('a model that there is not is filled in by no key and no account', async () => {
    const defaults = { model: 'no-such-model' }
    for (const what of ['keys', 'accounts']) {
      const { status, json } = await post(`/admin/v1/${what}`, { name: 'x', defaults })
      expect([status, json.error.code], what).toEqual([404, 'model_not_found'])
    }
  })
})
