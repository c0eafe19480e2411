/** All vendors at once, each behind its own fake: what is listed, and what everybody can rely on whoever draws. */
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeArkKey, startFakeArk } from '../../upstreams/ark.ts'
import { fakeAzureKey, startFakeAzure } from '../../upstreams/azure.ts'
import { fakeBflKey, startFakeBfl } from '../../upstreams/bfl.ts'
import { fakeDashScopeKey, startFakeDashScope } from '../../upstreams/dashscope.ts'
import type { FakeUpstream } from '../../upstreams/fake-upstream.ts'
import { fakeFalKey, startFakeFal } from '../../upstreams/fal.ts'
import { fakeGeminiKey, startFakeGemini } from '../../upstreams/gemini.ts'
import { fakeOpenAiKey, startFakeOpenAi } from '../../upstreams/openai.ts'
import { fakeReplicateKey, startFakeReplicate } from '../../upstreams/replicate.ts'
import { type DrawingWorld, type Json, openDrawingWorld } from '../drawing-world.ts'

/** A model that each vendor serves here. */
const models = {
  openai: 'gpt-image-2',
  azure: 'own-azure',
  replicate: 'z-image-turbo',
  bfl: 'flux-2-pro',
  dashscope: 'qwen-image-max',
  ark: 'seedream-4.5',
  gemini: 'gemini-3.1-flash-image',
  fal: 'own-fal',
}
type Vendor = keyof typeof models
const vendors = Object.keys(models) as Vendor[]

const cleanUps = new AsyncDisposableStack()
let fakes: Record<Vendor, FakeUpstream>
let world: DrawingWorld
let client: OpenAI
beforeAll(async () => {
  const [openai, azure, replicate, bfl, dashscope, ark, gemini, fal] = await Promise.all([
    startFakeOpenAi(),
    startFakeAzure(),
    startFakeReplicate(),
    startFakeBfl(),
    startFakeDashScope(),
    startFakeArk(),
    startFakeGemini(),
    startFakeFal(),
  ])
  fakes = { openai, azure, replicate, bfl, dashscope, ark, gemini, fal }
  for (const fake of Object.values(fakes)) cleanUps.use(fake)
  const yaml = `
keys: { requests_per_minute: 100000 }
models:
  - { id: own-azure, provider: azure, upstream_model: gpt-image-2, sizes: [1024x1024] }
  - { id: own-fal, provider: fal, upstream_model: fal-ai/flux/schnell, images_per_call: 4 }
`
  world = cleanUps.use(
    await openDrawingWorld(yaml, {
      OPENAI_API_KEY: fakeOpenAiKey,
      OPENAI_BASE_URL: openai.url,
      AZURE_OPENAI_API_KEY: fakeAzureKey,
      AZURE_OPENAI_ENDPOINT: azure.url,
      REPLICATE_API_TOKEN: fakeReplicateKey,
      REPLICATE_BASE_URL: replicate.url,
      BFL_API_KEY: fakeBflKey,
      BFL_BASE_URL: bfl.url,
      DASHSCOPE_API_KEY: fakeDashScopeKey,
      DASHSCOPE_BASE_URL: dashscope.url,
      ARK_API_KEY: fakeArkKey,
      ARK_BASE_URL: ark.url,
      GEMINI_API_KEY: fakeGeminiKey,
      GEMINI_BASE_URL: gemini.url,
      FAL_KEY: fakeFalKey,
      FAL_BASE_URL: fal.url,
    }),
  )
  client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: world.key, maxRetries: 0 })
})
afterAll(() => cleanUps.disposeAsync())

test('every model of every vendor is listed as available, with what it takes and its price where it is known', async () => {
  const { data } = (await (await world.call('/v1/models')).json()) as { data: Json[] }
  const expected = [
    'gesso-collage gpt-image-2 gpt-image-2.5-sunburst gpt-image-2.5-flare gpt-image-2.6-sunburst',
    'gpt-image-2.6-flare chatgpt-image-latest gpt-image-1 dall-e-2 dall-e-3 z-image-turbo qwen-image',
    'flux-1-schnell flux-1-dev flux-1.1-pro flux-1.1-pro-ultra flux-kontext-pro flux-kontext-max flux-fill-pro',
    'flux-2-pro flux-2-max flux-2-flex flux-2-klein-4b flux-2-klein-9b flux-3-image qwen-image-2.0',
    'qwen-image-2.0-pro qwen-image-max qwen-image-plus qwen-image-edit qwen-image-edit-plus qwen-image-edit-max',
    'wan2.7-image-pro wan2.7-image wan2.6-t2i wan2.6-image wan2.5-t2i-preview wan2.5-i2i-preview',
    'seedream-4.0 seedream-4.5 seedream-5.0 seedream-5.0-pro',
    'gemini-3-pro-image gemini-3.1-flash-image gemini-3.1-flash-lite-image gemini-2.5-flash-image',
  ].flatMap((line) => line.split(' '))
  expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(expected))
  for (const model of data) {
    expect(model, model.id).toMatchObject({
      object: 'model',
      available: true,
      limits: { n: expect.any(Number) },
    })
  }
  const priceOf = (id: string) => data.find((one) => one.id === id)?.pricing
  expect(priceOf('flux-2-pro')).toMatchObject({ currency: 'USD', as_of: expect.any(String) })
  expect(priceOf('gesso-collage')).toMatchObject({ items: [{ per: 'image', micros: 0 }] })
})

describe.each(vendors)('%s', (vendor) => {
  const asked = { model: models[vendor], prompt: 'a red fox in the snow' } as const

  test('draws, and says what was drawn', async () => {
    const before = fakes[vendor].submissions()
    const answer = await client.images.generate({ ...asked, response_format: 'b64_json' })
    expect(answer.data?.[0]?.b64_json).toMatch(/^[A-Za-z0-9+/]{100}/)
    expect(fakes[vendor].submissions()).toBe(before + 1)
  })

  test('makes three pictures, in as many calls as it takes', async () => {
    const answer = await client.images.generate({ ...asked, n: 3 })
    expect(answer.data).toHaveLength(3)
    expect(new Set(answer.data?.map(({ url }) => url)).size).toBe(3)
  })

  test('answers a stream with the final event', async () => {
    const types: string[] = []
    const stream = await client.images.generate({ ...asked, stream: true })
    for await (const event of stream) types.push(event.type)
    expect(types).toEqual(['image_generation.completed'])
  })

  test('refuses in the one way in which everybody refuses', async () => {
    await fakes[vendor].play('moderation')
    const refused = await client.images.generate(asked).catch((error: unknown) => error)
    await fakes[vendor].play('ok')
    expect(refused).toMatchObject({
      status: 400,
      code: 'moderation_blocked',
      type: 'invalid_request_error',
    })
    expect(String((refused as Error).message)).not.toContain(asked.prompt)
  })

  test.for([
    ['401', 502, 'upstream_failed', 'false'],
    ['402', 502, 'upstream_failed', 'false'],
    ['429', 429, 'rate_limit_exceeded', 'true'],
    ['500', 502, 'upstream_failed', 'false'],
    ['503', 503, 'upstream_unavailable', 'true'],
    ['empty', 502, 'upstream_invalid_response', 'false'],
    ['garbage', 502, 'upstream_invalid_response', 'false'],
  ] as const)('tells its %s as %d %s', async ([scenario, status, code, mayRetry]) => {
    await fakes[vendor].play(scenario)
    const before = fakes[vendor].submissions()
    const failed = await world.draw(asked)
    await fakes[vendor].play('ok')
    expect([failed.status, failed.json.error.code]).toEqual([status, code])
    expect(failed.headers.get('x-should-retry')).toBe(mayRetry)
    expect(failed.text).not.toContain(asked.prompt)
    expect(fakes[vendor].submissions()).toBe(before + 1)
  })
})
