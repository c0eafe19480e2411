/** The same request again: by its key, or as the retry of a client that has none. One Gesso before a fake OpenAI. */
import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/schema.ts'
import { createKey, type NewKey } from '../../src/keys/create-key.ts'
import { creditAccount } from '../../src/ledger/credit-account.ts'
import { createId } from '../../src/lib/ids.ts'
import type { World } from '../setup/world.ts'
import type { FakeUpstream } from '../upstreams/openai.ts'
import { openTurnstileWorld, type Turnstile } from './turnstile.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

interface Answer {
  status: number
  headers: Headers
  json: Json
  text: string
}

const stack = new AsyncDisposableStack()
let upstream: FakeUpstream
let turnstile: Turnstile
let world: World
let db: Kysely<Database>
let picture: Buffer
let movedMs = 0
beforeAll(async () => {
  const clock = { now: () => new Date(Date.now() + movedMs) }
  const opened = stack.use(await openTurnstileWorld({ clock }))
  upstream = opened.upstream
  turnstile = opened.turnstile
  world = opened.world
  db = opened.db
  picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#c85028' } })
    .png()
    .toBuffer()
})
afterAll(() => stack.disposeAsync())
beforeEach(async () => {
  turnstile.release()
  await upstream.play('ok')
  movedMs = 0
})

const generations = '/v1/images/generations'
const edits = '/v1/images/edits'
let prompts = 0
/** A body that no other test has sent. */
const newBody = (own: object = {}) => ({
  model: 'gpt-image-2',
  prompt: `a fox, number ${++prompts}`,
  size: '1024x1024',
  quality: 'low',
  ...own,
})

async function send(
  body: object | FormData | string,
  headers: Record<string, string> = {},
  { path = generations, key = world.key }: { path?: string; key?: string } = {},
): Promise<Answer> {
  const isForm = body instanceof FormData
  const response = await fetch(new URL(path, world.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      ...(isForm ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: isForm || typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null }
}

const keyed = (key: string) => ({ 'idempotency-key': key })
const retry = (count: number) => ({ 'x-stainless-retry-count': String(count) })
const isReplay = ({ headers }: Answer) => headers.get('idempotent-replayed') === 'true'
const idOf = ({ json, text }: Answer): string => json?.data?.[0]?.image_id ?? text

/** How many calls reached the provider meanwhile. */
async function calls(work: () => Promise<unknown>): Promise<number> {
  const before = turnstile.arrived()
  await work()
  return turnstile.arrived() - before
}

interface NewAccount {
  id?: string
  billing?: 'metered' | 'unmetered'
  free_images?: number
}

/** A key of the first account, or of a new one. */
async function keyOf(own: Partial<NewKey> & { account?: NewAccount } = {}): Promise<string> {
  const { account, ...wishes } = own
  let accountId = (
    await db.selectFrom('accounts').select('id').orderBy('created_at').executeTakeFirstOrThrow()
  ).id
  if (account) {
    accountId = account.id ?? createId('acct')
    const row = { name: accountId, billing: 'unmetered' as const, ...account, id: accountId }
    await db.insertInto('accounts').values(row).execute()
  }
  return (
    await createKey(db, { accountId, name: 'a test', scopes: ['images:write', 'images:read'], ...wishes })
  ).key
}

const form = (filename: string, own: Record<string, string> = {}) => {
  const data = new FormData()
  for (const [name, value] of Object.entries({ model: 'gpt-image-2', ...own })) data.set(name, value)
  data.set('image', new File([new Uint8Array(picture)], filename, { type: 'image/png' }))
  return data
}

describe('the same key and body', () => {
  test.each<[string, () => object | FormData, string]>([
    ['JSON', newBody, generations],
    ['a form', () => form(`${Math.random()}.png`, { prompt: 'make it night' }), edits],
  ])(
    'ten times at once, as %s: one call, ten times the same bytes, nine of them replayed',
    async (kind, make, path) => {
      const body = make()
      turnstile.hold()
      const before = turnstile.arrived()
      const all = Promise.all(
        Array.from({ length: 10 }, () =>
          send(body instanceof FormData ? make() : body, keyed(`ten ${kind}`), { path }),
        ),
      )
      await expect.poll(() => turnstile.arrived() - before).toBe(1)
      turnstile.release()
      const answers = await all
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
      expect(answers.filter(isReplay)).toHaveLength(9)
      const hashes = answers.map(async ({ json }) => {
        const bytes = Buffer.from(await (await fetch(json.data[0].url)).arrayBuffer())
        return createHash('sha256').update(bytes).digest('hex')
      })
      expect(new Set(await Promise.all(hashes)).size).toBe(1)
      const [first] = answers
      for (const { json, headers } of answers) {
        expect(json).toEqual(first?.json)
        expect(headers.get('x-gesso-task-id')).toBe(first?.json.id)
        expect(headers.get('x-gesso-cost-micros')).toBe(first?.headers.get('x-gesso-cost-micros'))
      }
      expect(turnstile.arrived() - before).toBe(1)
    },
  )

  test('the order of keys, white space, null, quotes and the user agent make no other request', async () => {
    const body = newBody({ response_format: 'b64_json' })
    const first = await send(body, keyed('same'))
    const again = [
      [JSON.stringify({ ...body, seed: null, image: null }, null, 3), keyed('same')],
      [JSON.stringify(Object.fromEntries(Object.entries(body).reverse())), keyed('"same"')],
      [JSON.stringify(body), { ...keyed('same'), 'user-agent': 'another/1.0', ...retry(2) }],
    ] as const
    const made = await calls(async () => {
      for (const [text, headers] of again) {
        const answer = await send(text, headers)
        expect(isReplay(answer)).toBe(true)
        expect(answer.json).toEqual(first.json)
      }
    })
    expect(made).toBe(0)
  })

  test('anything else in the body, the handling or the operation is refused, and nobody is asked', async () => {
    const body = newBody()
    await send(body, keyed('other'))
    await send(form('a.png', { prompt: 'a night' }), keyed('other form'), { path: edits })
    const otherFile = form('a.png', { prompt: 'a night' })
    otherFile.set('image', new File([new Uint8Array(picture), 'x'], 'a.png'))
    const others: [object, Record<string, string>, string?][] = [
      [{ ...body, prompt: `${body.prompt}!` }, keyed('other')],
      [{ ...body, n: 2 }, keyed('other')],
      [{ ...body, model: 'gpt-image-2-2026-04-21' }, keyed('other')],
      [body, { ...keyed('other'), prefer: 'handling=lenient' }],
      [otherFile, keyed('other form'), edits],
      [{ ...body, image: `data:image/png;base64,${picture.toString('base64')}` }, keyed('other'), edits],
    ]
    const made = await calls(async () => {
      for (const [one, headers, path] of others) {
        const { status, json, headers: told } = await send(one, headers, { path })
        expect([status, json.error?.code]).toEqual([409, 'idempotency_key_reused'])
        expect(told.get('x-should-retry')).toBe('false')
        expect(told.has('x-ratelimit-limit-requests')).toBe(true)
      }
    })
    expect(made).toBe(0)
  })

  test('with Prefer: wait=0 a request that is still at work is told where to find it', async () => {
    const body = newBody()
    turnstile.hold()
    const before = turnstile.arrived()
    const first = send(body, keyed('impatient'))
    await expect.poll(() => turnstile.arrived() - before).toBe(1)
    const told = await send(body, { ...keyed('impatient'), prefer: 'wait=0' })
    expect([told.status, told.json.error.code]).toEqual([409, 'idempotency_in_progress'])
    expect([told.headers.get('x-should-retry'), told.headers.get('retry-after')]).toEqual(['true', '1'])
    expect(isReplay(told)).toBe(false)
    const [path = ''] = /\/v1\/images\/generations\/image_\w+/.exec(told.json.error.message) ?? []
    expect(((await (await world.call(path)).json()) as Json).status).toBe('IN_PROGRESS')
    turnstile.release()
    const { json } = await first
    const answer = await send(body, { ...keyed('impatient'), prefer: 'wait=0' })
    expect([answer.json, isReplay(answer)]).toEqual([json, true])
  })

  test('as a stream: nothing but the finished picture, word for word', async () => {
    const body = newBody({ stream: true, partial_images: 2, n: 1 })
    const first = await send(body, keyed('stream'))
    expect(first.text).toContain('partial_image')
    const again = await send(body, keyed('stream'))
    expect(isReplay(again)).toBe(true)
    expect(again.headers.get('content-type')).toMatch('text/event-stream')
    const events = (text: string) =>
      text.split('\n\n').filter((one) => one.startsWith('event: image_generation.completed'))
    expect(events(again.text)).toEqual(events(first.text))
    expect(again.text.match(/^event: /gm)).toHaveLength(1)
  })

  test('days later the link is a new one that works, and after the time of a key it is new work', async () => {
    const body = newBody()
    const first = await send(body, keyed('later'))
    movedMs = 3_600_000
    expect((await fetch(first.json.data[0].url)).status).toBe(403)
    const replay = await send(body, keyed('later'))
    expect(isReplay(replay)).toBe(true)
    expect({ ...replay.json, data: [] }).toEqual({ ...first.json, data: [] })
    expect((await fetch(replay.json.data[0].url)).status).toBe(200)
    movedMs = 25 * 3_600_000
    expect(idOf(await send(body, keyed('later')))).not.toBe(idOf(first))
  })

  test('a picture that is gone is said to be, and not made again', async () => {
    const body = newBody()
    const id = idOf(await send(body, keyed('gone')))
    const objects = join(world.dataDir, 'objects')
    const [file = ''] = readdirSync(objects, { recursive: true, encoding: 'utf8' }).filter((one) =>
      one.includes(id),
    )
    rmSync(join(objects, file))
    const made = await calls(async () => {
      const { status, json } = await send(body, keyed('gone'))
      expect([status, json.error.code]).toEqual([404, 'image_not_found'])
    })
    expect(made).toBe(0)
  })

  test('on every other door', async () => {
    const small = { size: '1024x1024' }
    const native = { model: 'gpt-image-2', input: { prompt: 'a fox' }, parameters: { size: '1024*1024' } }
    const doors: [string, () => object | FormData][] = [
      ['/aliyun/v1/images/generations', () => native],
      ['/v1/images/variations', () => form('a.png', small)],
      ['/api/v1/images/generations', () => ({ model: 'gpt-image-2', prompt: 'a fox in a bucket' })],
    ]
    for (const [path, make] of doors) {
      const first = await send(make(), keyed(path), { path })
      expect([first.status, isReplay(first)], first.text).toEqual([200, false])
      const made = await calls(async () => {
        const again = await send(make(), keyed(path), { path })
        expect([again.json, isReplay(again)]).toEqual([first.json, true])
      })
      expect(made).toBe(0)
    }
  })
})

test('a free quota is told with every answer of /api/v1; a replay does not count, and a refusal says where it stands', async () => {
  const path = '/api/v1/images/generations'
  const accountId = createId('acct')
  const key = await keyOf({ account: { id: accountId, billing: 'metered', free_images: 1 } })
  const draw = (headers: Record<string, string>, prompt: string) =>
    send({ model: 'gesso-collage', prompt }, headers, { path, key })
  const first = await draw(keyed('free'), 'a fox')
  const { rate_limit: quota } = first.json
  expect(first.json.key_source).toBe('free')
  expect(quota).toEqual({
    limit: 1,
    used: 1,
    remaining: 0,
    next_available_at: first.json.created_at + 86_400,
  })
  const replay = await draw(keyed('free'), 'a fox')
  expect([replay.json, isReplay(replay)]).toEqual([first.json, true])

  const refused = await draw({}, 'another fox')
  expect([refused.status, refused.json.error.code]).toEqual([429, 'free_quota_exceeded'])
  expect(refused.json.rate_limit).toEqual(quota)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(86_000)
  expect(refused.headers.get('x-ratelimit-remaining-requests')).toBeTruthy()
  await creditAccount(db, { accountId, micros: 1_000_000, actor: { name: 'a test' }, now: new Date() })
  const paid = await draw({}, 'another fox')
  expect([paid.json.key_source, paid.json.rate_limit]).toEqual(['credits', quota])
})

describe('what a key is not', () => {
  test('kept where the work surely failed: the next request runs', async () => {
    for (const scenario of ['500', 'moderation'] as const) {
      const body = newBody()
      await upstream.play(scenario, 1)
      expect((await send(body, keyed(scenario))).status).toBeGreaterThanOrEqual(400)
      const second = await send({ ...body, prompt: 'a good fox' }, keyed(scenario))
      expect([second.status, isReplay(second)]).toEqual([200, false])
    }
  })

  test('freed where nobody knows what became of the work: that is told again', async () => {
    const body = newBody()
    turnstile.cutNext()
    const first = await send(body, keyed('unknown'))
    expect(first.json.error.code).toBe('outcome_unknown')
    const made = await calls(async () => {
      const again = await send(body, keyed('unknown'))
      expect([again.status, again.json, isReplay(again)]).toEqual([first.status, first.json, true])
      expect(again.headers.get('x-should-retry')).toBe('false')
    })
    expect(made).toBe(0)
  })

  test('a way to another account’s pictures, or around what a key may', async () => {
    const body = newBody()
    const first = await send(body, keyed('mine'))
    const stranger = await send(body, keyed('mine'), { key: await keyOf({ account: {} }) })
    expect([stranger.status, isReplay(stranger)]).toEqual([200, false])
    expect(idOf(stranger)).not.toBe(idOf(first))
    const colleague = await send(body, keyed('mine'), { key: await keyOf() })
    expect([idOf(colleague), isReplay(colleague)]).toEqual([idOf(first), true])

    const reader = await send(body, keyed('mine'), { key: await keyOf({ scopes: ['images:read'] }) })
    expect([reader.status, reader.json.error.code]).toEqual([403, 'missing_scope'])
    const narrow = await send(body, keyed('mine'), { key: await keyOf({ models: ['gesso-collage'] }) })
    expect([narrow.status, narrow.json.error.code]).toEqual([403, 'model_not_allowed'])
    const gone = await keyOf()
    await send(body, keyed('mine'), { key: gone })
    await db.updateTable('keys').set({ revoked_at: new Date() }).where('name', '=', 'a test').execute()
    expect((await send(body, keyed('mine'), { key: gone })).status).toBe(401)
  })

  test('in force for a dry run', async () => {
    const body = newBody()
    expect(await send({ ...body, dry_run: true }, keyed(''))).toMatchObject({ status: 200 })
    const { cost } = (await send({ ...body, dry_run: true }, keyed('dry'))).json
    const parts: { micros: number }[] = cost.components
    expect(Math.ceil(parts.reduce((sum, { micros }) => sum + micros, 0))).toBe(cost.micros)
    const real = await send({ ...body, n: 2 }, keyed('dry'))
    expect([real.status, isReplay(real)]).toEqual([200, false])
    expect(real.headers.get('x-gesso-cost-micros')).toBe(String(real.json.cost.micros))
  })

  test('a price: what nobody knows is said to be unpriced, and no header says 0', async () => {
    const body = newBody({ model: 'unpriced', quality: undefined })
    const unpriced = { micros: null, currency: 'USD', source: 'unmetered', unpriced: true }
    for (let sent = 0; sent < 2; sent += 1) {
      const { json, headers } = await send(body, keyed('unpriced'))
      expect([json.cost, headers.has('x-gesso-cost-micros')]).toEqual([unpriced, false])
    }
  })

  test.each<[string, string | string[], number]>([
    ['empty', '', 400],
    ['256 characters', 'x'.repeat(256), 400],
    ['a tab', 'a\tb', 400],
    ['é', 'é', 400],
    ['two headers', ['a', 'b'], 400],
    ['half a string', '"a', 400],
    ['SQL', "'; drop table tasks; --", 200],
    ['255 characters', 'x'.repeat(255), 200],
    ['a quoted string', '"a \\"quoted\\" one"', 200],
  ])('odd: %s', async (_, key, status) => {
    const body = JSON.stringify({ model: 'gesso-collage', prompt: 'a fox', size: '64x64' })
    const headers = { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' }
    const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const asked = request(new URL(generations, world.url), {
        method: 'POST',
        headers: { ...headers, 'idempotency-key': key },
      })
      asked.once('error', reject)
      asked.once('response', async (response) => {
        resolve({ status: response.statusCode, text: Buffer.concat(await response.toArray()).toString() })
      })
      asked.end(body)
    })
    expect(answer.status, answer.text).toBe(status)
    if (status === 400) expect(JSON.parse(answer.text).error.param).toBe('Idempotency-Key')
  })
})
