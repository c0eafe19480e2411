/** A whole Gesso in front of ByteDance Ark: what becomes of its requests there, and of the answers here. */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fakeArkKey, startFakeArk } from '../../upstreams/ark.ts'
import type { FakeUpstream } from '../../upstreams/fake-upstream.ts'
import { type DrawingWorld, dataUri, type Json, openDrawingWorld, picturesOf } from '../drawing-world.ts'

let fake: FakeUpstream
let world: DrawingWorld

beforeAll(async () => {
  fake = await startFakeArk({ echo: true })
  world = await openDrawingWorld('', { ARK_API_KEY: fakeArkKey, ARK_BASE_URL: fake.url })
})
afterEach(async () => {
  await fake.play('ok')
  fake.requests.length = 0
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await fake?.close()
})

const ask = { prompt: 'a heron at dawn', response_format: 'b64_json' }
const four = { ...ask, model: 'seedream-4.0', size: '1280x720' }

/** What was asked of Ark for pictures, in order. */
function submitted() {
  return fake.requests.filter(({ method }) => method === 'POST')
}

/** What reached the addresses of results. */
function downloads() {
  return fake.requests.filter(({ method }) => method === 'GET')
}

async function kindOf(bytes: Buffer | undefined) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

const nativeHeaders = { authorization: `Bearer ${fakeArkKey}`, 'content-type': 'application/json' }

describe('a generation', () => {
  // "Image generation API", request parameters, https://docs.byteplus.com/en/docs/ModelArk/1541523, read 2026-11-20.
  it('with every field becomes one call in Ark’s words', async () => {
    const drawn = await world.draw({
      ...ask,
      model: 'seedream-5.0',
      size: '2560x1440',
      output_format: 'png',
      watermark: true,
      n: 1,
    })
    expect(drawn.status, drawn.text).toBe(200)
    expect(submitted()).toMatchObject([{ path: '/api/v3/images/generations', headers: nativeHeaders }])
    expect(submitted()[0]?.body).toEqual({
      model: 'doubao-seedream-5-0-260128',
      prompt: 'a heron at dawn',
      response_format: 'b64_json',
      watermark: true,
      sequential_image_generation: 'disabled',
      size: '2560x1440',
      output_format: 'png',
    })
    expect(drawn.json.usage).toMatchObject({
      generated_images: 1,
      output_tokens: 14_400,
      total_tokens: 14_400,
    })
    expect(await kindOf(picturesOf(drawn)[0])).toEqual({ width: 2_560, height: 1_440, format: 'png' })
    expect(downloads()).toEqual([])
  })

  it('of several pictures is as many calls, without labels and in the format of the caller', async () => {
    const drawn = await world.draw({ ...four, n: 2, output_format: 'webp' })
    expect(drawn.status, drawn.text).toBe(200)
    expect(submitted().map(({ body }) => body)).toEqual(
      Array.from({ length: 2 }, () => ({
        model: 'doubao-seedream-4-0-250828',
        prompt: 'a heron at dawn',
        response_format: 'b64_json',
        watermark: false,
        sequential_image_generation: 'disabled',
        size: '1280x720',
      })),
    )
    for (const picture of picturesOf(drawn)) expect(await kindOf(picture)).toMatchObject({ format: 'webp' })
  })

  it('with a ratio or a class gets a size that Ark takes', async () => {
    await world.draw({ ...ask, model: 'seedream-5.0-pro', aspect_ratio: '16:9' })
    await world.draw({ ...ask, model: 'seedream-5.0-pro', image_size: '1K' })
    const sizes = submitted().map(({ body }) => body)
    expect(sizes).toMatchObject([{ size: '1360x765' }, { size: '1K' }])
    expect(sizes[0]).not.toHaveProperty('sequential_image_generation')
  })

  it('in a size that Ark refuses never gets there', async () => {
    const drawn = await world.draw({ ...ask, model: 'seedream-4.5', size: '1024x1024' })
    expect(drawn.status).toBe(400)
    expect(drawn.json.error).toMatchObject({
      param: 'size',
      message: expect.stringContaining('at least 3686400 pixels in all'),
    })
    expect(submitted()).toEqual([])
  })

  it('is warned of hints that Seedream lacks', async () => {
    const drawn = await world.draw({ ...four, style: 'vivid', num_inference_steps: 9 })
    expect(drawn.json.warnings).toMatchObject([
      { param: 'style', code: 'unsupported_parameter' },
      { param: 'num_inference_steps', code: 'unsupported_parameter' },
    ])
  })

  it('with a seed is refused: Seedream takes none', async () => {
    const drawn = await world.draw({ ...four, seed: 7 })
    expect(drawn).toMatchObject({ status: 400, json: { error: { param: 'seed' } } })
    expect(submitted()).toEqual([])
  })
})

describe('an edit', () => {
  // "Image generation API", parameter `image`, https://docs.byteplus.com/en/docs/ModelArk/1541523, read 2026-11-20.
  it('is the same call with its pictures as data URIs', async () => {
    const image = [
      await dataUri({ width: 96, height: 64 }),
      await dataUri({ width: 64, height: 96 }, { r: 20, g: 200, b: 90 }),
    ]
    const drawn = await world.draw({ ...four, image })
    expect(drawn.status, drawn.text).toBe(200)
    expect(submitted()).toHaveLength(1)
    expect(submitted()[0]?.body).toEqual({
      model: 'doubao-seedream-4-0-250828',
      prompt: 'a heron at dawn',
      image: [
        expect.objectContaining({ mediaType: 'image/png', width: 96, height: 64 }),
        expect.objectContaining({ mediaType: 'image/png', width: 64, height: 96 }),
      ],
      response_format: 'b64_json',
      watermark: false,
      sequential_image_generation: 'disabled',
      size: '1280x720',
    })
  })

  it('with a mask is refused: Seedream takes none', async () => {
    const size = { width: 96, height: 64 }
    const mask = await dataUri(size, { r: 0, g: 0, b: 0, alpha: 0 })
    const drawn = await world.draw({ ...four, image: await dataUri(size), mask })
    expect(drawn).toMatchObject({ status: 400, json: { error: { param: 'mask' } } })
    expect(submitted()).toEqual([])
  })
})

describe('a series', () => {
  const series = {
    ...four,
    sequential_image_generation: 'auto',
    sequential_image_generation_options: { max_images: 3 },
  }

  // "Image generation API", example "Batch image generation", read 2026-11-20; addresses live for 24 hours.
  it('is one call, whose pictures are fetched at once and without the key', async () => {
    const drawn = await world.draw(series)
    expect(drawn.status, drawn.text).toBe(200)
    expect(picturesOf(drawn)).toHaveLength(3)
    expect(submitted()).toHaveLength(1)
    expect(submitted()[0]?.body).toMatchObject({
      response_format: 'url',
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 3 },
    })
    expect(downloads()).toHaveLength(3)
    for (const request of downloads()) {
      expect(request.headers).not.toHaveProperty('authorization')
      expect(JSON.stringify(request)).not.toContain(fakeArkKey)
    }
  })

  it('that lacks a picture is delivered with a warning', async () => {
    await fake.play('partial')
    const drawn = await world.draw(series)
    expect(drawn.status, drawn.text).toBe(200)
    expect(picturesOf(drawn)).toHaveLength(2)
    expect(drawn.json.warnings).toMatchObject([{ code: 'moderation_blocked' }])
    expect(drawn.text).not.toContain(fakeArkKey)
  })

  it('whose addresses lead nowhere is a 502', async () => {
    await fake.play('expired')
    const drawn = await world.draw(series)
    expect(drawn.status).toBe(502)
    expect(drawn.json.error).toMatchObject({ type: 'upstream_error', code: 'upstream_invalid_response' })
  })
})

describe('a failure', () => {
  it.each([
    ['moderation', 400, 'moderation_blocked'],
    ['401', 502, 'upstream_failed'],
    ['402', 502, 'upstream_failed'],
    ['429', 429, 'rate_limit_exceeded'],
    ['500', 502, 'upstream_failed'],
    ['503', 503, 'upstream_unavailable'],
    ['empty', 502, 'upstream_invalid_response'],
  ] as const)('"%s" is a %i, without secrets', async (scenario, status, code) => {
    await fake.play(scenario)
    const drawn = await world.draw(four)
    expect(drawn.status).toBe(status)
    expect(drawn.json.error.code).toBe(code)
    expect(drawn.text).not.toMatch(/heron|6f1c2d3e/)
  })

  it('of one call of several is told beside the other’s picture', async () => {
    await fake.play('moderation', 1)
    const drawn = await world.draw({ ...four, n: 2 })
    expect(drawn.status, drawn.text).toBe(200)
    expect(picturesOf(drawn)).toHaveLength(1)
    expect(drawn.json.warnings).toMatchObject([{ code: 'moderation_blocked' }])
  })
})

describe('the list of models', () => {
  it('has all of Seedream, and says that they are there', async () => {
    const list: Json = await (await world.call('/v1/models')).json()
    const seedream: Json[] = list.data.filter(({ id }: Json) => id.startsWith('seedream-'))
    expect(seedream.map(({ id }) => id)).toEqual([
      'seedream-5.0-pro',
      'seedream-5.0',
      'seedream-4.5',
      'seedream-4.0',
    ])
    for (const model of seedream) expect(model).toMatchObject({ owned_by: 'bytedance', available: true })
  })
})
