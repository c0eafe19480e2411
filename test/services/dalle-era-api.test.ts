/**
 * A service of the days of DALL·E: OpenAI's older fields and model ids, which clients still send. Every field, default,
 * allowed value, model and error of its documentation.
 */
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RecordedRequest } from '../upstreams/fake-upstream.ts'
import { readImageCall } from '../upstreams/openai-rules.ts'
import {
  as,
  dataOf,
  dataUri,
  expectError,
  openService,
  pictureAt,
  pictureOf,
  type Service,
} from './open-service.ts'

let service: Service
let movedMs = 0
beforeAll(async () => {
  service = await openService(
    `models:
  - id: flux-pro
    provider: openai
    supports: [quality, style, safety_identifier]
`,
    { clock: { now: () => new Date(Date.now() + movedMs) } },
  )
})
afterAll(() => service[Symbol.asyncDispose]())

const path = '/v1/images/generations'
const prompt = 'A serene Japanese garden'
const collage = { model: 'gesso-collage', prompt, size: '64x64' }
const flux = { model: 'flux-pro', prompt, size: '64x64' }
const minuteMs = 60_000

const curl = `curl https://example.com/v1/images/generations \\
  -H "Authorization: Bearer $API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "dall-e-3",
    "prompt": "A serene Japanese garden with cherry blossoms in spring",
    "n": 1,
    "size": "1024x1024",
    "quality": "hd"
  }'`

/** Warnings but that the vendor has closed the model. */
function otherWarnings(body: { warnings?: { code: string }[] }) {
  return (body.warnings ?? []).filter((warning) => warning.code !== 'deprecated_model')
}

describe('the example', () => {
  test('the curl command: a link, and what draws in the place of a closed model', async () => {
    const { status, body } = await service.call(path, dataOf(curl))
    expect(status).toBe(200)
    expect(Math.abs(body.created - Date.now() / 1_000)).toBeLessThan(30)
    expect(body.model).toBe('dall-e-3')
    expect(body.data).toHaveLength(1)
    expect(await pictureAt(body.data[0].url)).toBe('png 1024x1024')
    expect(body.warnings).toMatchObject([{ param: 'model', code: 'deprecated_model' }])
    expect(service.lastAsked()).toEqual({
      model: 'gpt-image-2',
      prompt: 'A serene Japanese garden with cherry blossoms in spring',
      n: 1,
      size: '1024x1024',
      quality: 'high',
    })
  })

  test('the official client with another base URL', async () => {
    const client = new OpenAI({
      baseURL: `${service.world.url}/v1`,
      apiKey: service.world.key,
      maxRetries: 0,
    })
    const { data } = await client.images.generate({ model: 'dall-e-3', prompt, quality: 'hd', n: 1 })
    expect(await pictureAt(data?.[0]?.url ?? '')).toBe('png 1024x1024')
  })

  test('revised_prompt is told where the model rewrote the prompt', async () => {
    const b64_json = (await dataUri()).split(',')[1]
    const data = [{ b64_json, revised_prompt: 'A tranquil Japanese garden' }]
    await service.upstream.play({ status: 200, body: { created: 1, data } }, 1)
    const { body } = await service.call(path, { model: 'flux-pro', prompt })
    expect(body.data[0].revised_prompt).toBe('A tranquil Japanese garden')
  })

  test('the documented models are listed', async () => {
    const { body } = await service.call('/v1/models')
    const ids = body.data.map((model: { id: string }) => model.id)
    expect(ids).toEqual(expect.arrayContaining(['dall-e-2', 'dall-e-3', 'gpt-image-1', 'flux-pro']))
  })
})

describe('size', () => {
  const outcomes: Record<string, readonly [string, string | undefined][]> = {
    'dall-e-3': [
      ['1024x1024', '1024x1024'],
      ['1792x1024', '1792x1024'],
      ['1024x1792', '1024x1792'],
      ['256x256', undefined],
      ['512x512', undefined],
      ['1536x1024', undefined],
    ],
    'dall-e-2': [
      ['256x256', '1024x1024'],
      ['512x512', '1024x1024'],
      ['1024x1024', '1024x1024'],
      ['1792x1024', undefined],
      ['1024x1792', undefined],
    ],
    'gpt-image-1': [
      ['1024x1024', '1024x1024'],
      ['1536x1024', '1536x1024'],
      ['1024x1536', '1024x1536'],
      ['auto', 'auto'],
      ['256x256', undefined],
      ['1792x1024', undefined],
    ],
  }
  const table = Object.entries(outcomes).flatMap(([model, rows]) =>
    rows.map((row) => [model, ...row] as const),
  )

  test.each(table.filter(([, , asked]) => asked !== undefined))('%s draws %s', async (model, size, asked) => {
    const { status, body } = await service.call(path, { model, prompt, size })
    expect(status).toBe(200)
    expect(otherWarnings(body)).toEqual([])
    expect(service.lastAsked().size).toBe(asked)
    if (size === 'auto') return
    expect(body.size).toBe(size)
    expect(await pictureAt(body.data[0].url)).toBe(`png ${size}`)
  })

  test.each(table.filter(([, , asked]) => asked === undefined))('%s refuses %s', async (model, size) => {
    const answer = await service.call(path, { model, prompt, size })
    expectError(answer, { status: 400, param: 'size', says: new RegExp(`${size}.*${model}.*1024x1024`) })
  })

  test.each(['dall-e-3', 'dall-e-2'])('is 1024x1024 by default with %s', async (model) => {
    expect((await service.call(path, { model, prompt })).body.size).toBe('1024x1024')
    expect(service.lastAsked().size).toBe('1024x1024')
  })

  test.each(['256x256', '512x512', '1024x1024', '1792x1024', '1024x1792'])(
    'the built-in model draws %s',
    async (size) => {
      const { status } = await service.call(path, { ...collage, size, dry_run: true })
      expect(status).toBe(200)
    },
  )
})

describe('quality', () => {
  test.each([
    ['dall-e-3', 'standard', 'medium'],
    ['dall-e-3', 'hd', 'high'],
    ['dall-e-2', 'standard', 'medium'],
    ['gpt-image-1', 'low', 'low'],
    ['gpt-image-1', 'medium', 'medium'],
    ['gpt-image-1', 'high', 'high'],
    ['gpt-image-1', 'standard', 'medium'],
    ['gpt-image-1', 'hd', 'high'],
    ['flux-pro', 'hd', 'hd'],
  ])('%s: %s arrives as %s', async (model, quality, arrived) => {
    const { body } = await service.call(path, { model, prompt, quality })
    expect(otherWarnings(body)).toEqual([])
    expect(service.lastAsked().quality).toBe(arrived)
  })

  test.each(['dall-e-3', 'dall-e-2'])('is standard by default with %s', async (model) => {
    await service.call(path, { model, prompt })
    expect(service.lastAsked().quality).toBe('medium')
  })

  test.each([
    ['dall-e-3', 'low'],
    ['dall-e-2', 'hd'],
  ])('%s has no %s: a hint, ignored with a warning', async (model, quality) => {
    const { status, body } = await service.call(path, { model, prompt, quality })
    expect(status).toBe(200)
    expect(otherWarnings(body)).toMatchObject([{ param: 'quality' }])
  })
})

describe('style, background, user', () => {
  test.each(['vivid', 'natural'])('style %s reaches a model that knows it', async (style) => {
    const { body } = await service.call(path, { ...flux, style })
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked().style).toBe(style)
  })

  test.each(['dall-e-3', 'gpt-image-1'])('style on %s is a hint, ignored with a warning', async (model) => {
    const { status, body } = await service.call(path, { model, prompt, style: 'natural' })
    expect(status).toBe(200)
    expect(otherWarnings(body)).toMatchObject([{ param: 'style' }])
    expect(service.lastAsked().style).toBeUndefined()
  })

  test.each(['transparent', 'opaque', 'auto'])('background %s reaches gpt-image-1', async (background) => {
    expect((await service.call(path, { model: 'gpt-image-1', prompt, background })).status).toBe(200)
    expect(service.lastAsked().background).toBe(background)
  })

  test.each(['opaque', 'auto'])('background %s is what dall-e-3 does anyway', async (background) => {
    const { body } = await service.call(path, { model: 'dall-e-3', prompt, background })
    expect(otherWarnings(body)).toEqual([])
    expect(service.lastAsked().background).toBeUndefined()
  })

  test.each(['dall-e-3', 'dall-e-2', 'flux-pro'])(
    'background transparent is refused by %s',
    async (model) => {
      const answer = await service.call(path, { model, prompt, background: 'transparent' })
      expectError(answer, { status: 400, code: 'unsupported_parameter', param: 'background' })
    },
  )

  test.each([
    ['user', { user: 'u-1' }, 'u-1'],
    ['safety_identifier, an alias', { safety_identifier: 's-1' }, 's-1'],
    ['both: the alias wins', { user: 'u-1', safety_identifier: 's-1' }, 's-1'],
  ])('%s', async (_name, fields, arrived) => {
    expect((await service.call(path, { ...flux, ...fields })).body.warnings).toBeUndefined()
    expect(service.lastAsked().user).toBe(arrived)
    await service.call(path, { model: 'gpt-image-1', prompt, ...fields })
    expect(service.lastAsked().safety_identifier).toBe(arrived)
    expect(service.lastAsked().user).toBeUndefined()
  })
})

describe('n', () => {
  test('is 1 by default', async () => {
    expect((await service.call(path, flux)).body.data).toHaveLength(1)
    expect(service.lastAsked().n).toBe(1)
  })

  test('several of a model that makes several', async () => {
    const { body } = await service.call(path, { ...flux, n: 3 })
    expect(body.data).toHaveLength(3)
    expect(body.usage.generated_images).toBe(3)
  })

  test('2 of dall-e-3, which makes one', async () => {
    const answer = await service.call(path, { model: 'dall-e-3', prompt, n: 2 })
    expectError(answer, { status: 400, param: 'n', says: /n is 2, but dall-e-3 takes only 1/ })
  })
})

describe('response_format', () => {
  test('is url by default, good for an hour and not for long after it', async () => {
    const { body } = await service.call(path, collage)
    const { url, url_expires_at: expiresAt } = body.data[0]
    expect(body.data[0].b64_json).toBeUndefined()
    expect(expiresAt - body.created).toBeGreaterThanOrEqual(3_600)
    expect(expiresAt - body.created).toBeLessThanOrEqual(3_600 * 1.25 + 1)
    movedMs = 59 * minuteMs
    expect(await pictureAt(url)).toBe('png 64x64')
    movedMs = 76 * minuteMs
    const expired = await fetch(url)
    movedMs = 0
    expect(expired.status).toBe(403)
    expect(await expired.text()).toMatch(/expired/)
  })

  test('b64_json is the picture itself', async () => {
    const { body } = await service.call(path, { ...collage, response_format: 'b64_json' })
    expect(body.data[0].url).toBeUndefined()
    expect(await pictureOf(Buffer.from(body.data[0].b64_json, 'base64'))).toBe('png 64x64')
  })
})

describe('inpainting', () => {
  test.each(['gpt-image-1', 'dall-e-2'])('%s: picture and mask reach the upstream', async (model) => {
    const image = await dataUri()
    const answer = await service.call(path, { model, prompt, image, mask: await dataUri('jpeg') })
    expectError(answer, { status: 400, code: 'unsupported_image', param: 'mask', says: /transparen/ })
    const clear = await dataUri('clear')
    expect((await service.call(path, { model, prompt, image, mask: clear })).status).toBe(200)
    expect(service.lastPath()).toBe('/v1/images/edits')
    expect(service.lastAsked()).toMatchObject({
      image: { width: 120 },
      mask: { format: 'png', hasAlpha: true },
    })
  })

  test('dall-e-3 does not edit', async () => {
    const answer = await service.call(path, { model: 'dall-e-3', prompt, image: await dataUri() })
    expectError(answer, { status: 400, code: 'unsupported_parameter', param: 'image' })
  })
})

test('whatever stands in for a closed model is asked only what its vendor takes', () => {
  const posts = service.upstream.requests.filter((request) => request.method === 'POST')
  const about = (request: RecordedRequest) => (request.body as { model: string }).model
  const official = posts.filter((request) => about(request) === 'gpt-image-2')
  expect(official.length).toBeGreaterThan(20)
  for (const request of official) expect(() => readImageCall(request)).not.toThrow()
})

describe('errors', () => {
  test.each<[string, string, unknown, RegExp]>([
    ['prompt is missing', 'prompt', undefined, /required/],
    ['prompt is empty', 'prompt', '', /blank/],
    ['model is missing', 'model', undefined, /required/],
    ['n is 0', 'n', 0, /1 to 10/],
    ['n is 11', 'n', 11, /1 to 10/],
    ['n is text', 'n', '1', /whole number/],
    ['size is a word', 'size', 'large', /WxH/],
    ['size is empty', 'size', '', /WxH/],
    ['quality is an unknown word', 'quality', 'ultra', /standard, hd/],
    ['style is an unknown word', 'style', 'moody', /vivid, natural/],
    ['background is an unknown word', 'background', 'none', /transparent, opaque, auto/],
    ['response_format is an unknown word', 'response_format', 'base64', /url, b64_json/],
    ['user is a number', 'user', 5, /text/],
  ])('400: %s', async (_name, param, value, says) => {
    const answer = await service.call(path, { ...collage, [param]: value })
    expectError(answer, { status: 400, code: 'invalid_image_request', param, says })
  })

  test.each([
    ['a list', []],
    ['text', 'a fox'],
    ['null', null],
  ])('400: the body is %s', async (_name, body) => {
    const answer = await service.call(path, body)
    expectError(answer, { status: 400, param: null })
  })

  test.each(['steps', ''])('400: an unknown field, named %j', async (name) => {
    const answer = await service.call(path, { ...collage, [name]: 4 })
    expectError(answer, { status: 400, code: 'unknown_parameter' })
  })

  test.each([
    ['dall-e-3', 4_000],
    ['dall-e-2', 1_000],
  ])('400: a prompt that is too long for %s', async (model, most) => {
    const longest = await service.call(path, { model, prompt: 'x'.repeat(most), dry_run: true })
    expect(longest.status).toBe(200)
    const answer = await service.call(path, { model, prompt: 'x'.repeat(most + 1) })
    expectError(answer, { status: 400, param: 'prompt', says: new RegExp(String(most)) })
  })

  test('400: what the provider will not draw', async () => {
    await service.upstream.play('moderation', 1)
    const answer = await service.call(path, { model: 'dall-e-3', prompt })
    expectError(answer, { status: 400, code: 'moderation_blocked' })
    expect(answer.headers.get('x-should-retry')).toBe('false')
  })

  test.each([
    ['missing', ''],
    ['of another service', 'Bearer sk-0123456789abcdef'],
    ['without its scheme', 'gs_0123'],
  ])('401: a key that is %s', async (_name, authorization) => {
    const answer = await service.call(path, collage, { authorization })
    expectError(answer, { status: 401, type: 'authentication_error' })
  })

  test('403: a key without the scope', async () => {
    const reader = await service.key({ scopes: ['images:read'] })
    const answer = await service.call(path, collage, as(reader))
    expectError(answer, { status: 403, type: 'permission_error', code: 'missing_scope' })
  })

  test('429: too many requests in a minute, with Retry-After', async () => {
    const limited = as(await service.key({ requestsPerMinute: 1 }))
    expect((await service.call(path, collage, limited)).status).toBe(200)
    const answer = await service.call(path, collage, limited)
    expectError(answer, { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.headers.get('x-should-retry')).toBe('true')
  })

  test.each([
    ['500', 502, 'false'],
    ['garbage', 502, 'false'],
    ['empty', 502, 'false'],
    ['503', 503, 'true'],
  ] as const)('the provider’s %s is a %i', async (scenario, status, retry) => {
    await service.upstream.play(scenario, 1)
    const answer = await service.call(path, flux)
    expectError(answer, { status, type: 'upstream_error' })
    expect(answer.headers.get('x-should-retry')).toBe(retry)
  })
})
