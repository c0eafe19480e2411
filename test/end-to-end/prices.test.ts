/** What pictures cost by each kind of price, to the micro-USD: a whole Gesso in front of several vendors at once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { fakeArkKey, startFakeArk } from '../upstreams/ark.ts'
import { fakeBflKey, startFakeBfl } from '../upstreams/bfl.ts'
import type { FakeUpstream } from '../upstreams/fake-upstream.ts'
import { type FakeGeminiOptions, fakeGeminiKey, startFakeGemini } from '../upstreams/gemini.ts'
import { fakeReplicateKey, startFakeReplicate } from '../upstreams/replicate.ts'
import { type DrawingWorld, dataUri, type Json, openDrawingWorld } from './drawing-world.ts'
import { openPurse, wrongBooks } from './purse.ts'

const yaml = `
prices:
  models:
    flux-2-max: { margin_percent: 12.5 }
    flux-2-flex: { provider: replicate, items: [{ per: image, usd: 1 }] }
    gesso-collage: { items: [{ per: image, usd: 0 }] }
models:
  - id: by-report
    provider: bfl
    upstream_model: flux-2-pro
    supports: [aspect_ratio]
    price: { margin_percent: 10, items: [{ per: reported cost, usd: "0.08" }] }
  - id: by-report-capped
    provider: bfl
    upstream_model: flux-2-pro
    price: { margin_percent: 50, items: [{ per: reported cost, micros: 10001 }] }
  - id: by-second
    provider: replicate
    upstream_model: prunaai/z-image-turbo
    price: { items: [{ per: second, micros: 975, at_most_seconds: 30 }] }
  - { id: unpriced, provider: replicate, upstream_model: prunaai/z-image-turbo }
`

const drawing: FakeGeminiOptions = {}
let ark: FakeUpstream
let fakes: FakeUpstream[]
let world: DrawingWorld
let database: ReturnType<typeof openDatabase>
beforeAll(async () => {
  const started = await Promise.all([
    startFakeArk(),
    startFakeBfl(),
    startFakeGemini(drawing),
    startFakeReplicate(),
  ])
  fakes = started
  const [first, bfl, gemini, replicate] = started
  ark = first
  world = await openDrawingWorld(yaml, {
    ARK_API_KEY: fakeArkKey,
    ARK_BASE_URL: ark.url,
    BFL_API_KEY: fakeBflKey,
    BFL_BASE_URL: bfl.url,
    GEMINI_API_KEY: fakeGeminiKey,
    GEMINI_BASE_URL: gemini.url,
    REPLICATE_API_TOKEN: fakeReplicateKey,
    REPLICATE_BASE_URL: replicate.url,
  })
  database = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
})
afterEach(async () => {
  drawing.otherSize = undefined
  expect(await wrongBooks(database.db)).toEqual([])
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
  for (const fake of fakes) await fake.close()
})

interface Paid {
  /** By a dry run. */
  quoted: number
  charged: number
  list: number | null
  provider: number | null
}

/** Draws on credit: what was quoted, and the three figures of the task's row, which answer and account must agree with. */
async function pay(body: { model: string } & Record<string, unknown>): Promise<Paid & { answer: Json }> {
  const credit = 10_000_000
  const purse = await openPurse(database.db, { credit })
  const draw = (more: object) => world.draw({ prompt: 'a fox', ...body, ...more }, { headers: purse.as })
  const dry = await draw({ dry_run: true })
  expect(dry.status, dry.text).toBe(200)
  const { micros: quoted, components } = dry.json.cost
  const parts = components.reduce((sum: number, one: { micros: number }) => sum + one.micros, 0)
  expect(Math.round(parts * 1e6)).toBeLessThanOrEqual(quoted * 1e6)
  expect(parts).toBeGreaterThan(quoted - 1)
  const drawn = await draw({})
  expect(drawn.status, drawn.text).toBe(200)
  const row = await database.db
    .selectFrom('tasks')
    .select(['charged_micros as charged', 'list_micros as list', 'provider_micros as provider'])
    .where('account_id', '=', purse.accountId)
    .executeTakeFirstOrThrow()
  expect(drawn.json.cost).toEqual({ micros: row.charged, currency: 'USD', source: 'credits' })
  expect(await purse.money()).toEqual({ balance: credit - row.charged, reserved: 0 })
  expect(row.charged).toBeLessThanOrEqual(quoted)
  return { quoted, ...row, answer: drawn.json }
}

const sized = (width: number, height: number) => ({ size: `${width}x${height}` })
const same = (micros: number) => ({ quoted: micros, charged: micros, list: micros, provider: micros })

describe('by the picture', () => {
  test.each<[string, object, number]>([
    ['seedream-5.0', {}, 35_000],
    ['seedream-4.0', { n: 3, ...sized(1024, 1024) }, 90_000],
    ['seedream-5.0-pro', {}, 45_000],
    ['seedream-5.0-pro', sized(2048, 2048), 90_000],
    ['gemini-3.1-flash-image', { image_size: '512' }, 45_000],
    ['gemini-3.1-flash-image', {}, 67_000],
    ['gemini-3.1-flash-image', { image_size: '2K', n: 2 }, 202_000],
    ['gemini-3.1-flash-image', { image_size: '4K' }, 151_000],
    ['gemini-3-pro-image', sized(2048, 2048), 134_000],
    // Drawn as 1376x768, and scaled here.
    ['gemini-2.5-flash-image', sized(1344, 768), 67_000],
  ])('%s, %j, is %d', async (model, asked, micros) => {
    expect(await pay({ model, ...asked })).toMatchObject(same(micros))
  })

  test('of a series only what came is paid', async () => {
    await ark.play('partial', 1)
    const series = {
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 3 },
    }
    const paid = await pay({ model: 'seedream-4.0', ...sized(1024, 1024), ...series })
    expect(paid).toMatchObject({ ...same(60_000), quoted: 90_000 })
    expect(paid.answer).toMatchObject({ data: [{}, {}], usage: { generated_images: 2 } })
  })

  test('drawn smaller or larger than it was asked for is charged as it was drawn, and never above the quote', async () => {
    const flash = { model: 'gemini-3.1-flash-image', ...sized(1024, 1024) }
    drawing.otherSize = { width: 512, height: 512 }
    expect(await pay(flash)).toMatchObject({ ...same(45_000), quoted: 67_000 })
    drawing.otherSize = { width: 2048, height: 2048 }
    expect(await pay(flash)).toMatchObject({
      quoted: 67_000,
      charged: 67_000,
      list: 101_000,
      provider: 101_000,
    })
  })
})

describe('by the megapixel', () => {
  test.each<[object, number]>([
    [sized(1024, 1024), 30_000],
    [sized(512, 512), 30_000],
    [sized(1040, 1024), 45_000],
    [sized(2048, 2048), 75_000],
    [{ n: 2, ...sized(1024, 1024) }, 60_000],
  ])('flux-2-pro, %j, is %d', async (asked, micros) => {
    expect(await pay({ model: 'flux-2-pro', ...asked })).toMatchObject({
      quoted: micros,
      charged: micros,
      list: micros,
    })
  })

  test('an input picture counts as it is, which a dry run cannot know', async () => {
    const image = await dataUri({ width: 1536, height: 1024 })
    const paid = await pay({ model: 'flux-2-pro', image, ...sized(1024, 1024) })
    expect(paid).toMatchObject({ quoted: 90_000, charged: 60_000, list: 60_000 })
  })

  test('a margin is in what is quoted, listed and charged, and not in what the provider asks', async () => {
    const paid = await pay({ model: 'flux-2-max', ...sized(1024, 1024) })
    expect(paid).toMatchObject({ ...same(78_750), provider: 70_000 })
  })
})

describe('by the provider’s word', () => {
  test('a cost is what was told, with the margin, and the provider’s without', async () => {
    const paid = await pay({ model: 'by-report', n: 2, ...sized(1024, 1024) })
    expect(paid).toMatchObject({ quoted: 176_000, charged: 66_000, list: 66_000, provider: 60_000 })
  })

  test('never more than was agreed; what is beyond it is the operator’s, and shown', async () => {
    const paid = await pay({ model: 'by-report-capped', ...sized(1024, 1024) })
    expect(paid).toMatchObject({ ...same(15_002), provider: 30_000 })
  })

  test('seconds add up over the calls, and are rounded once', async () => {
    // 0.9 seconds each.
    expect(await pay({ model: 'by-second' })).toMatchObject({ ...same(878), quoted: 29_250 })
    expect(await pay({ model: 'by-second', n: 2 })).toMatchObject({ ...same(1_755), quoted: 58_500 })
  })
})

describe('GET /v1/models', () => {
  const pricingOf = async (model: string): Promise<Json> => {
    const response = await world.call(`/v1/models/${model}`)
    return ((await response.json()) as Json).pricing
  }

  test('tells prices as callers pay them, by the route in use', async () => {
    expect((await pricingOf('flux-2-max')).items).toEqual([
      { per: 'image', micros: 78_750 },
      { per: 'megapixel', micros: 33_750, from: 1, begun: true },
      { per: 'input megapixel', micros: 33_750, at_most: 4 },
    ])
    expect((await pricingOf('by-report-capped')).items).toEqual([{ per: 'reported cost', micros: 15_001.5 }])
    // Its own price is meant for another route than the one in use.
    expect((await pricingOf('flux-2-flex')).items[0]).toEqual({ per: 'image', micros: 50_000 })
  })

  test('free is a price, and no price is none', async () => {
    expect((await pricingOf('gesso-collage')).items).toEqual([{ per: 'image', micros: 0 }])
    expect(await pay({ model: 'gesso-collage', ...sized(64, 64) })).toMatchObject(same(0))
    expect(await pricingOf('unpriced')).toBeNull()
  })
})
