/**
 * An account's own key for a vendor, from the operator who stores it to the vendor who sees it: in a process of its own
 * that says all it can say, so that whatever it wrote anywhere can be searched for the key.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAccount } from '../../src/accounts/create-account.ts'
import { createKey } from '../../src/keys/create-key.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createKeyBox } from '../../src/provider-keys/seal-key.ts'
import { storeProviderKey } from '../../src/provider-keys/store-provider-key.ts'
import { dumpDatabase, formsOf } from '../../src/provider-keys/testing/dump-database.ts'
import { type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { createTestDatabase, type TestDatabase } from '../setup/test-database.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'

const serverKey = 'sk-proj-of-the-server-0123456789abcdef'
const ownKey = 'sk-proj-of-the-account-9876543210fedcba'
const earlierSecret = 'the secret that this server had before'
const secret = 'the secret that this server has today'
const by = { actor: { name: 'cli' }, now: new Date() }

const stack = new AsyncDisposableStack()
let database: TestDatabase
let upstream: FakeUpstream
let dataDir: string
let gesso: GessoProcess
let accountId: string
let key: string
const answers: string[] = []

beforeAll(async () => {
  database = stack.use(await createTestDatabase())
  const { db } = database
  upstream = stack.use(
    await startFakeOpenAi({ apiKey: null, echo: true, otherSize: { width: 64, height: 64 } }),
  )
  accountId = (await createAccount(db, { name: 'tenant', billing: 'metered', freeImages: 1 }, by)).id
  const scopes = ['images:write', 'images:read'] as const
  key = (await createKey(db, { accountId, name: 'tenant', scopes }, by)).key
  // Stored before the operator changed the secret of the server.
  const place = { accountId, provider: 'openai', key: new Secret(ownKey), takers: ['openai'] }
  await storeProviderKey(db, createKeyBox({ secret: new Secret(earlierSecret) }), place, by)
  dataDir = stack.adopt(mkdtempSync(join(tmpdir(), 'gesso-own-keys-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  )
  gesso = await startGesso({
    dataDir,
    env: {
      DATABASE_URL: database.url,
      GESSO_LOG_LEVEL: 'debug',
      GESSO_SECRET: secret,
      GESSO_SECRET_PREVIOUS: earlierSecret,
      OPENAI_API_KEY: serverKey,
      OPENAI_BASE_URL: upstream.url,
      GEMINI_API_KEY: 'never-used',
      GEMINI_BASE_URL: 'http://127.0.0.1:9/v1beta',
    },
  })
  stack.defer(async () => {
    if (gesso.child.exitCode === null) await gesso.end('SIGTERM')
  })
})
afterAll(() => stack.disposeAsync())

async function call(method: string, path: string, body?: object, as = gesso.key) {
  const response = await fetch(new URL(path, gesso.url), {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    body: body && JSON.stringify(body),
  })
  const text = await response.text()
  answers.push(text, JSON.stringify([...response.headers]))
  return { status: response.status, headers: response.headers, json: JSON.parse(text) }
}

const draw = (model = 'gpt-image-2') =>
  call('POST', '/v1/images/generations', { model, prompt: 'a heron', size: '1024x1024', quality: 'low' }, key)
const keys = () => `/admin/v1/accounts/${accountId}/provider-keys`
const lastKey = () =>
  upstream.requests.findLast(({ method }) => method === 'POST')?.headers.authorization?.replace('Bearer ', '')

test('a key sealed with the secret before is there after the change, sealed with the new one', async () => {
  const { json } = await call('GET', keys())
  expect(json.data).toMatchObject([{ provider: 'openai', hint: 'dcba', readable: true }])
  const row = await database.db.selectFrom('provider_keys').select('secret_id').executeTakeFirstOrThrow()
  expect(row.secret_id).toBe(createKeyBox({ secret: new Secret(secret) }).secretId)
  expect((await call('POST', `${keys()}/openai/test`)).json).toMatchObject({ result: 'valid' })
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${ownKey}`)
})

test('pictures are free first, then made with the account’s own key, and not at another vendor', async () => {
  const first = await draw()
  expect(first).toMatchObject({ status: 200, json: { cost: { source: 'free' } } })
  expect(lastKey()).toBe(serverKey)

  const second = await draw()
  expect(second).toMatchObject({ status: 200, json: { cost: { source: 'user' } } })
  expect(lastKey()).toBe(ownKey)
  // Own pictures use up no quota and cost no credit.
  expect(await draw()).toMatchObject({ status: 200, json: { cost: { source: 'user' } } })
  const tasks = await database.db
    .selectFrom('tasks')
    .select(['source', 'charged_micros', 'reserved_micros'])
    .orderBy('created_at')
    .execute()
  const nothing = { charged_micros: 0, reserved_micros: 0 }
  expect(tasks).toEqual([
    { source: 'free', ...nothing },
    { source: 'user', ...nothing },
    { source: 'user', ...nothing },
  ])

  const elsewhere = await draw('gemini-3.1-flash-image')
  expect(elsewhere).toMatchObject({ status: 429, json: { error: { code: 'free_quota_exceeded' } } })
  expect(Number(elsewhere.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('a vendor that repeats the key in its refusal is not quoted', async () => {
  await upstream.play('401', 1)
  const refused = await draw()
  expect(refused).toMatchObject({ status: 502, json: { error: { code: 'upstream_failed' } } })
  expect(lastKey()).toBe(ownKey)
})

test('a key that is put in its place is used from then on, and none once it is removed', async () => {
  const next = `${ownKey.slice(0, -4)}next`
  expect(await call('PUT', `${keys()}/openai`, { key: next })).toMatchObject({ status: 200 })
  expect(await draw()).toMatchObject({ status: 200, json: { cost: { source: 'user' } } })
  expect(lastKey()).toBe(next)
  expect(await call('DELETE', `${keys()}/openai`)).toMatchObject({ status: 200 })
  const submissions = upstream.submissions()
  expect(await draw()).toMatchObject({ status: 429, json: { error: { code: 'free_quota_exceeded' } } })
  expect(upstream.submissions()).toBe(submissions)
})

test('the keys are nowhere: not in the database, the files, the log or an answer', async () => {
  await call('PUT', `${keys()}/openai`, { key: ownKey })
  await call('PUT', `${keys()}/openai`, { kye: ownKey })
  await call('PUT', `${keys()}/nobody`, { key: ownKey })
  await gesso.end('SIGTERM')
  const written: Record<string, string> = {
    database: await dumpDatabase(database.db),
    log: gesso.stderr() + gesso.stdout(),
    answers: answers.join('\n'),
    ...Object.fromEntries(
      readdirSync(dataDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'latin1')]),
    ),
  }
  expect(written.database).toContain('provider_key.stored')
  expect(written.log).toContain('/provider-keys/openai')
  for (const [where, text] of Object.entries(written)) {
    for (const hidden of [ownKey, serverKey, secret, earlierSecret]) {
      for (const form of formsOf(hidden)) expect(text.includes(form), `${hidden} in ${where}`).toBe(false)
    }
  }
})
