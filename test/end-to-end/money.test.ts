/** One customer's money, from the request to the ledger: what is delivered is paid, once, and nothing else. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import type { UpstreamScenario } from '../../src/providers/testing/conformance-world.ts'
import type { FakeAnswer } from '../upstreams/fake-upstream.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import { type Answer, type DrawingWorld, openDrawingWorld } from './drawing-world.ts'
import { openPurse, type Purse, wrongBooks } from './purse.ts'

let upstream: FakeUpstream
let world: DrawingWorld
let database: ReturnType<typeof openDatabase>
beforeAll(async () => {
  upstream = await startFakeOpenAi({ apiKey: null })
  const yaml = `
prices:
  models:
    gesso-collage: { items: [{ per: image, usd: 0.01 }, { per: input image, micros: 2500 }] }
providers:
  openai: { base_url: ${upstream.url}, timeout_ms: 1000 }
models:
  - id: one-each
    provider: openai
    dialect: gpt-image
    upstream_model: gpt-image-2
    images_per_call: 1
    price: { items: [{ per: image, micros: 1000 }] }
  - { id: unpriced, provider: openai, upstream_model: gpt-image-2, dialect: gpt-image }
  - id: ticks
    provider: openai
    upstream_model: gpt-image-2
    dialect: gpt-image
    price: { margin_percent: 10, items: [{ per: image, micros: 1001 }] }
`
  world = await openDrawingWorld(yaml)
  database = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
})
afterEach(async () => {
  await upstream.play('ok')
  expect(await wrongBooks(database.db)).toEqual([])
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

const draw = (purse: Purse, body: object): Promise<Answer> =>
  world.draw({ prompt: 'a fox', size: '1024x1024', ...body }, { headers: purse.as })

/** What it cost by the answer, by its header and by the account, which must agree. */
async function cost(purse: Purse, body: object): Promise<number> {
  const before = await purse.money()
  const { json, headers, status, text } = await draw(purse, body)
  expect(status, text).toBe(200)
  const after = await purse.money()
  expect(after.reserved).toBe(0)
  expect(json.cost).toEqual({ micros: before.balance - after.balance, currency: 'USD', source: 'credits' })
  expect(headers.get('x-gesso-cost-micros')).toBe(String(json.cost.micros))
  return json.cost.micros
}

describe('to the micro', () => {
  test.each([
    ['low', 196],
    ['medium', 1_756],
    ['high', 7_024],
  ])(
    'gpt-image-2 at 1024x1024 %s costs its tokens, and never more than a dry run said',
    async (quality, tokens) => {
      const purse = await openPurse(database.db, { credit: 10_000_000 })
      const body = { model: 'gpt-image-2', quality }
      const dry = await draw(purse, { ...body, dry_run: true })
      const { json } = await draw(purse, body)
      const { output_tokens: out, input_tokens_details: details } = json.usage
      expect(out).toBe(tokens)
      expect(json.cost.micros).toBe(out * 30 + details.text_tokens * 5 + details.image_tokens * 8)
      expect(dry.json.cost).toMatchObject({ source: 'credits', components: expect.any(Array) })
      expect(dry.json.cost.micros).toBeGreaterThanOrEqual(json.cost.micros)
      expect((await purse.money()).balance).toBe(10_000_000 - json.cost.micros)
    },
  )

  test('a dry run reserves nothing, calls nobody, and is refused as the request would be', async () => {
    const purse = await openPurse(database.db, { credit: 999 })
    const before = upstream.requests.length
    expect((await draw(purse, { model: 'one-each', dry_run: true })).json.error.code).toBe(
      'insufficient_credit',
    )
    const rich = await openPurse(database.db, { credit: 1_000 })
    const { json } = await draw(rich, { model: 'one-each', dry_run: true })
    expect(json).toMatchObject({
      object: 'image.generation.estimate',
      cost: { micros: 1_000, source: 'credits' },
    })
    expect([upstream.requests.length - before, await rich.money(), await rich.tasks()]).toEqual([
      0,
      { balance: 1_000, reserved: 0 },
      [],
    ])
  })

  test('pictures, input pictures and a margin add up, and are rounded once, up', async () => {
    const purse = await openPurse(database.db, { credit: 10_000_000 })
    expect(await cost(purse, { model: 'gesso-collage', n: 3, size: '64x64' })).toBe(30_000)
    expect(await cost(purse, { model: 'one-each', n: 4 })).toBe(4_000)
    // 1,001 · 1.1 = 1,101.1 for one, 3,303.3 for three.
    expect(await cost(purse, { model: 'ticks' })).toBe(1_102)
    expect(await cost(purse, { model: 'ticks', n: 3 })).toBe(3_304)
    const { list, charged } = (await purse.tasks()).at(-1) ?? {}
    expect([list, charged]).toEqual([3_304, 3_304])
  })
})

describe('what is not delivered is not paid', () => {
  const scenarios: (UpstreamScenario | FakeAnswer)[] = [
    'moderation',
    '401',
    '402',
    '429',
    '500',
    '503',
    'empty',
    'garbage',
    'truncated',
    'silent',
    'oversize',
    'redirect',
    {
      status: 400,
      body: { error: { message: 'no', type: 'invalid_request_error', code: null, param: null } },
    },
  ]
  test.each(scenarios.map((one) => [typeof one === 'string' ? one : `status ${one.status}`, one] as const))(
    '%s: nothing is charged, nothing stays held, and the failure is told',
    async (_name, scenario) => {
      const purse = await openPurse(database.db, { credit: 1_000 })
      await upstream.play(scenario)
      const { status, json } = await draw(purse, { model: 'one-each' })
      expect(status).toBeGreaterThanOrEqual(400)
      expect(json.error.message).toEqual(expect.any(String))
      expect(await purse.money()).toEqual({ balance: 1_000, reserved: 0 })
      expect(await purse.tasks()).toMatchObject([{ status: 'FAILED', charged: 0 }])
    },
  )

  test('one of four that fails: three are delivered and three are paid', async () => {
    const purse = await openPurse(database.db, { credit: 10_000 })
    await upstream.play('500', 1)
    const { status, json } = await draw(purse, { model: 'one-each', n: 4 })
    expect([status, json.data.length, json.warnings.length]).toEqual([200, 3, 1])
    expect(json).toMatchObject({ usage: { generated_images: 3 }, cost: { micros: 3_000 } })
    expect(await purse.money()).toEqual({ balance: 7_000, reserved: 0 })
    expect(await purse.tasks()).toMatchObject([{ images: 3, charged: 3_000 }])
  })
})

test('a client that hangs up after dispatch pays once, and gets its picture by the task id', async () => {
  const slow = await startFakeOpenAi({ apiKey: null, latencyMs: 1_000 })
  const patient = await openDrawingWorld(
    `providers: { openai: { base_url: "${slow.url}" } }\nprices: { models: { gpt-image-2: { items: [{ per: image, micros: 9 }] } } }`,
  )
  const rows = openDatabase({ connectionString: patient.databaseUrl }, { poolSize: 1 })
  try {
    const purse = await openPurse(rows.db, { credit: 100 })
    const headers = { ...purse.as, 'content-type': 'application/json' }
    const body = JSON.stringify({ model: 'gpt-image-2', prompt: 'a fox', size: '1024x1024' })
    const client = new AbortController()
    const { signal } = client
    const call = fetch(`${patient.url}/v1/images/generations`, { method: 'POST', headers, body, signal })
    await expect.poll(() => slow.submissions(), { interval: 5 }).toBe(1)
    client.abort()
    await expect(call).rejects.toThrow()
    expect(await purse.money()).toEqual({ balance: 100, reserved: 9 })
    await expect.poll(async () => (await purse.money()).reserved).toBe(0)
    expect(await purse.money()).toEqual({ balance: 91, reserved: 0 })
    const [task] = await purse.tasks()
    const found = await fetch(`${patient.url}/v1/images/generations/${task?.id}`, { headers: purse.as })
    const { result } = (await found.json()) as { result: { data: { url: string }[]; cost: object } }
    expect(result.cost).toMatchObject({ micros: 9, source: 'credits' })
    expect((await fetch(result.data[0]?.url ?? '')).status).toBe(200)
    expect(slow.submissions()).toBe(1)
  } finally {
    await rows[Symbol.asyncDispose]()
    await patient[Symbol.asyncDispose]()
    await slow.close()
  }
})

describe('a model without a price', () => {
  test('is refused where credit would pay, or a spend limit holds, before anybody is asked', async () => {
    const purse = await openPurse(database.db, { credit: 10_000_000 })
    const before = upstream.requests.length
    const { status, json } = await draw(purse, { model: 'unpriced' })
    expect([status, json.error]).toMatchObject([
      402,
      { type: 'billing_error', code: 'unpriced_model', param: 'model' },
    ])
    const limited = await openPurse(database.db, {
      account: { billing: 'unmetered' },
      key: { spendPerDayMicros: 1_000 },
    })
    expect((await draw(limited, { model: 'unpriced' })).json.error.code).toBe('unpriced_model')
    expect(upstream.requests.length).toBe(before)
  })

  test('works where nothing is charged, and is told as unpriced, which is not 0', async () => {
    const { status, json, headers } = await world.draw({
      model: 'unpriced',
      prompt: 'a fox',
      size: '1024x1024',
    })
    expect(status).toBe(200)
    expect(json.cost).toEqual({ micros: null, currency: 'USD', source: 'unmetered', unpriced: true })
    expect(headers.has('x-gesso-cost-micros')).toBe(false)
  })

  test('a priced one is recorded there, though nothing is charged', async () => {
    const { json } = await world.draw({ model: 'one-each', prompt: 'a fox', size: '1024x1024' })
    expect(json.cost).toEqual({ micros: 1_000, currency: 'USD', source: 'unmetered' })
  })
})

describe('a provider that lies about its work', () => {
  test.each([
    ['a hundred times the tokens', 700_000],
    ['fewer than none', -1],
    ['text', 'NaN'],
    ['more than there are', 1e308],
    ['nothing', undefined],
  ])('%s: never a credit, never beyond what was held, never a crash', async (_name, tokens) => {
    const purse = await openPurse(database.db, { credit: 10_000_000 })
    const { json: dry } = await draw(purse, { model: 'gpt-image-2', quality: 'low', dry_run: true })
    const { json: honest } = await draw(purse, {
      model: 'gpt-image-2',
      quality: 'low',
      response_format: 'b64_json',
    })
    const usage = { input_tokens: 10, output_tokens: tokens, total_tokens: tokens }
    const data = [{ b64_json: honest.data[0].b64_json }]
    await upstream.play({ status: 200, body: { created: 1, data, usage } })
    const { status, json, text } = await draw(purse, { model: 'gpt-image-2', quality: 'low' })
    expect(status, text).toBe(200)
    expect(json.cost.micros).toBeGreaterThan(0)
    expect(json.cost.micros).toBeLessThanOrEqual(dry.cost.micros)
    expect((await purse.money()).balance).toBe(10_000_000 - honest.cost.micros - json.cost.micros)
  })
})

test('an account sees neither the balance nor the tasks of another', async () => {
  const [one, other] = [
    await openPurse(database.db, { credit: 5_000 }),
    await openPurse(database.db, { credit: 7 }),
  ]
  await draw(one, { model: 'one-each' })
  const [task] = await one.tasks()
  const ask = async (purse: Purse, path: string) => {
    const response = await world.call(path, undefined, purse.as)
    // biome-ignore lint/suspicious/noExplicitAny: looked into freely.
    return { status: response.status, json: (await response.json()) as any }
  }
  expect(await ask(one, '/v1/billing/balance')).toMatchObject({
    status: 200,
    json: { balance_micros: 4_000, balance_usd: 0.004, currency: 'USD' },
  })
  expect((await ask(other, '/v1/billing/balance')).json.balance_micros).toBe(7)
  expect((await ask(other, `/v1/images/generations/${task?.id}`)).status).toBe(404)
})
