/**
 * A service that mirrors OpenAI's operation for FLUX models: every field, default, limit and example of its
 * documentation, through the official client as well.
 */
import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf, expectError, openService, pictureAt, pictureOf, type Service } from './open-service.ts'

let service: Service
beforeAll(async () => {
  service = await openService(`models:
  - id: flux-1.1-pro
    provider: openai
    prompt_characters: 4000
    images_per_call: 1
  - id: flux-1.1-pro-ultra
    provider: openai
    sizes: [2048x2048, 4096x4096]
    max_n: 1
    prompt_characters: 4000
  - id: flux-1-schnell
    provider: openai
    upstream_model: schnell-v1
    images_per_call: 4
    prompt_characters: 4000
`)
})
afterAll(() => service[Symbol.asyncDispose]())

const path = '/v1/images/generations'
const good = { model: 'flux-1.1-pro', prompt: 'a cat in space, photorealistic', size: '64x64' }
const documentedModels = ['flux-1.1-pro', 'dall-e-3', 'flux-1.1-pro-ultra', 'flux-1-schnell']

const curl = `curl https://example.com/v1/images/generations \\
  -H "Authorization: Bearer YOUR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "flux-1.1-pro",
    "prompt": "a cat in space, photorealistic",
    "n": 1,
    "size": "1024x1024"
  }'`

function newClient(): OpenAI {
  return new OpenAI({ apiKey: service.world.key, baseURL: `${service.world.url}/v1`, maxRetries: 0 })
}

describe('the examples', () => {
  test('the SDK pointed at another base URL prints the address of a picture', async () => {
    const response = await newClient().images.generate({
      model: 'flux-1.1-pro',
      prompt: 'a cat in space, photorealistic',
      n: 1,
      size: '1024x1024',
    })
    expect(await pictureAt(response.data?.[0]?.url ?? '')).toBe('png 1024x1024')
  })

  test('the curl command', async () => {
    const { status, body } = await service.call(path, dataOf(curl))
    expect(status).toBe(200)
    expect(Math.abs(body.created - Date.now() / 1_000)).toBeLessThan(30)
    expect(body.data).toHaveLength(1)
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked()).toEqual({ ...dataOf(curl), response_format: 'b64_json' })
  })
})

describe('models', () => {
  test.each(documentedModels)('%s is listed, and available', async (id) => {
    const { body } = await service.call(`/v1/models/${id}`)
    expect(body).toMatchObject({ id, object: 'model', available: true, limits: { prompt_characters: 4_000 } })
  })

  test('a model keeps its own name in the answer, whatever the upstream calls it', async () => {
    const { body } = await service.call(path, { ...good, model: 'flux-1-schnell' })
    expect(body.model).toBe('flux-1-schnell')
    expect(service.lastAsked().model).toBe('schnell-v1')
  })

  test('a model that nobody serves here says what is missing', async () => {
    const answer = await service.call(path, { ...good, model: 'flux-pro', size: undefined })
    expectError(answer, { status: 400, code: 'provider_not_configured', param: 'model', says: /flux-pro/ })
  })

  test('an unknown model', async () => {
    const answer = await service.call(path, { ...good, model: 'flux-9' })
    expectError(answer, { status: 404, type: 'not_found_error', code: 'model_not_found', param: 'model' })
  })
})

describe('prompt', () => {
  test.each(documentedModels)('may have 4,000 characters with %s, and not one more', async (model) => {
    const most = { model, prompt: '🦊'.repeat(4_000), dry_run: true }
    expect((await service.call(path, most)).status).toBe(200)
    const answer = await service.call(path, { ...most, prompt: 'x'.repeat(4_001) })
    expectError(answer, { status: 400, param: 'prompt', says: /4001 .*4000/ })
  })

  test.each([
    ['missing', undefined],
    ['null', null],
    ['blank', ' \n'],
    ['a number', 4],
  ])('%s', async (_name, prompt) => {
    expectError(await service.call(path, { ...good, prompt }), { status: 400, param: 'prompt' })
  })
})

describe('n', () => {
  test('is 1 by default, and so is null', async () => {
    expect((await service.call(path, good)).body.data).toHaveLength(1)
    expect((await service.call(path, { ...good, n: null })).body.data).toHaveLength(1)
    expect(service.lastAsked().n).toBe(1)
  })

  test('of a model that makes one at a time takes several calls', async () => {
    const before = service.upstream.submissions()
    const { body } = await service.call(path, { ...good, n: 3 })
    expect(body.data).toHaveLength(3)
    expect(body.usage.generated_images).toBe(3)
    expect(service.upstream.submissions()).toBe(before + 3)
    expect(service.lastAsked().n).toBe(1)
  })

  test('beyond the model’s limit is a 400 that describes it', async () => {
    const answer = await service.call(path, { ...good, model: 'flux-1.1-pro-ultra', size: '2048x2048', n: 2 })
    expectError(answer, { status: 400, param: 'n', says: /n is 2, but flux-1.1-pro-ultra takes only 1/ })
  })

  test.each([0, -1, 11, 1.5, '2', true])('%j is refused', async (n) => {
    expectError(await service.call(path, { ...good, n }), { status: 400, param: 'n', says: /1 to 10/ })
  })
})

describe('size', () => {
  test('defaults to the model’s own: the upstream is told none', async () => {
    const { body } = await service.call(path, { ...good, size: undefined })
    expect(service.lastAsked().size).toBeUndefined()
    expect(body.size).toBe('1024x1024')
  })

  test('reaches the upstream, and the picture has it', async () => {
    const { body } = await service.call(path, { ...good, size: '320x192' })
    expect(service.lastAsked().size).toBe('320x192')
    expect(await pictureAt(body.data[0].url)).toBe('png 320x192')
  })

  test('up to 4K where the model has it', async () => {
    const wish = { ...good, model: 'flux-1.1-pro-ultra', size: '4096x4096', dry_run: true }
    expect((await service.call(path, wish)).status).toBe(200)
  })

  test('that the model has not is a 400 that describes what it has', async () => {
    const answer = await service.call(path, { ...good, model: 'flux-1.1-pro-ultra', size: '1024x1024' })
    expectError(answer, { status: 400, param: 'size', says: /1024x1024.*2048x2048, 4096x4096/ })
  })

  test.each([
    '1024',
    '1024x',
    'x1024',
    '0x0',
    '1024x1024x3',
    '-1x5',
    '1e3x1e3',
    ' 64x64',
    1024,
    [1024, 1024],
  ])('%j is refused', async (size) => {
    expectError(await service.call(path, { ...good, size }), { status: 400, param: 'size', says: /WxH/ })
  })
})

describe('response_format', () => {
  test('is url by default', async () => {
    const { body } = await service.call(path, good)
    expect(body.data[0].url).toMatch(/^http:/)
    expect(body.data[0].b64_json).toBeUndefined()
  })

  test('b64_json is a PNG in base64', async () => {
    const { data } = await newClient().images.generate({
      ...good,
      size: '1024x1024',
      response_format: 'b64_json',
    })
    const base64 = data?.[0]?.b64_json ?? ''
    expect(base64).toMatch(/^iVBORw0KGgo/)
    expect(data?.[0]?.url).toBeUndefined()
    expect(await pictureOf(Buffer.from(base64, 'base64'))).toBe('png 1024x1024')
  })

  test.each(['base64', '', 'URL', 1])('%j is refused', async (response_format) => {
    const answer = await service.call(path, { ...good, response_format })
    expectError(answer, { status: 400, param: 'response_format', says: /url, b64_json/ })
  })
})

test('the SDK understands a refusal', async () => {
  const error: unknown = await newClient()
    .images.generate({ ...good, size: '1024x1024', n: 11 })
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(APIError)
  expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param: 'n' })
})

test('every answer says where the key stands against its rate', async () => {
  const { headers } = await service.call(path, good)
  expect(Number(headers.get('x-ratelimit-limit-requests'))).toBe(100_000)
  expect(Number(headers.get('x-ratelimit-remaining-requests'))).toBeGreaterThan(99_000)
  expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^[\d.]+s$/)
})
