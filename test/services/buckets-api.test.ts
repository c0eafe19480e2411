/**
 * A service whose pictures lie in buckets, under links that stay (base `/api/v1`): every field, default, limit and
 * example of its documentation, and the listing of a bucket.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  as,
  dataOf,
  dataUri,
  expectError,
  openService,
  pictureAt,
  type Service,
} from './open-service.ts'

let service: Service
let frozenAtMs: number | undefined
let movedMs = 0
const clock = { now: () => new Date(frozenAtMs ?? Date.now() + movedMs) }
beforeAll(async () => {
  service = await openService(
    `models:
  - id: z-image-turbo
    provider: openai
    supports: [seed]
  - id: wide
    provider: openai
    sizes: [1664x928]
`,
    { clock },
  )
})
afterAll(() => service[Symbol.asyncDispose]())

const path = '/api/v1/images/generations'
const good = { model: 'gpt-image-2', prompt: 'A neon orange fox in a forest' }
const daySeconds = 86_400

function call(body?: unknown, headers?: Record<string, string>): Promise<Answer> {
  return service.call(path, body, headers)
}

/** A picture of 64x64 pixels, or several of the same second, into a bucket. */
async function fill(bucket: string, n = 1, key?: string): Promise<string[]> {
  const small = { model: 'gesso-collage', prompt: 'a fox', size: '64x64', bucket, n }
  const { status, body } = await service.call('/v1/images/generations', small, key ? as(key) : {})
  expect(status).toBe(200)
  return body.data.map((one: { image_id: string }) => one.image_id)
}

async function list(query: string, key?: string): Promise<Answer['body']> {
  const { status, body } = await service.call(`${path}?${query}`, undefined, key ? as(key) : {})
  expect(status).toBe(200)
  return body
}

describe('the examples', () => {
  const curl = `curl https://example.com/api/v1/images/generations \\
-H "Authorization: Bearer YOUR_KEY" \\
-H "Content-Type: application/json" \\
-d '{ "model": "gpt-image-2", "prompt": "A neon orange fox" }'`
  const pictures = ['https://example.com/character.png', 'https://example.com/scene.png']

  test('minimal text-to-image', async () => {
    const { status, body } = await call(dataOf(curl))
    expect(status).toBe(200)
    expect(Object.keys(body).sort()).toEqual([
      'bucket',
      'completion_ms',
      'created_at',
      'data',
      'key_source',
      'model',
      'prompt',
      'quality',
      'rate_limit',
      'size',
    ])
    expect(body).toMatchObject({
      model: 'gpt-image-2',
      quality: 'low',
      prompt: 'A neon orange fox',
      bucket: 'default',
      size: '1024x1024',
      key_source: 'free',
      rate_limit: { limit: null, remaining: null },
    })
    expect(Math.abs(body.created_at - Date.now() / 1_000)).toBeLessThan(30)
    expect(body.completion_ms).toBeGreaterThan(0)
    expect(Number.isInteger(body.completion_ms)).toBe(true)
    expect(Object.keys(body.rate_limit).sort()).toEqual(['limit', 'next_available_at', 'remaining', 'used'])
    expect(body.data).toEqual([{ url: expect.stringMatching(/\/api\/i\/[^/?]+\.png$/) }])
    expect(await pictureAt(body.data[0].url)).toBe('png 1024x1024')
  })

  test('remix an existing image', async () => {
    const example = `-d '{
      "model": "gpt-image-2",
      "prompt": "Make it Studio Ghibli style",
      "image": "https://example.com/photo.jpg"
    }'`
    const { status } = await call(dataOf(example.replace('https://example.com', service.pictures)))
    expect(status).toBe(200)
    expect(service.lastPath()).toBe('/v1/images/edits')
    expect(service.lastAsked()).toMatchObject({ image: { format: 'jpeg', width: 120, height: 80 } })
  })

  test('combine multiple inputs, and the answer is as large as ever', async () => {
    const { status, body } = await call({
      model: 'gpt-image-2',
      prompt: 'Put the character from image 1 into the scene from image 2',
      image: pictures.map((url) => url.replace('https://example.com', service.pictures)),
    })
    expect(status).toBe(200)
    expect(service.lastAsked()['image[]']).toHaveLength(2)
    expect(body.size).toBe('1024x1024')
    expect(await pictureAt(body.data[0].url)).toBe('png 1024x1024')
  })

  test('save into a custom bucket', async () => {
    const example = { model: 'gpt-image-2', prompt: 'A logo for a coffee shop', bucket: 'client-acme' }
    expect((await call(example)).body.bucket).toBe('client-acme')
    expect((await list('bucket=client-acme')).data).toMatchObject([{ prompt: example.prompt }])
  })

  test('optimize the prompt before generating', async () => {
    const { body } = await call({ model: 'gpt-image-2', prompt: 'a fox', optimize_prompt: true })
    const { original, optimized, model } = body.prompt_optimization
    expect([original, model]).toEqual(['a fox', 'gpt-5-nano'])
    expect(optimized).toContain('a fox, full of light')
    expect(body.prompt).toBe(optimized)
    expect(service.lastAsked().prompt).toBe(optimized)
  })
})

describe('fields', () => {
  test.each(['low', 'medium', 'high'])('quality %s is used and answered', async (quality) => {
    expect((await call({ ...good, quality })).body.quality).toBe(quality)
    expect(service.lastAsked().quality).toBe(quality)
  })

  test('quality is low by default', async () => {
    await call(good)
    expect(service.lastAsked().quality).toBe('low')
  })

  test('a model without quality is not told the default, and there is nothing to warn of', async () => {
    const { body } = await call({ ...good, model: 'z-image-turbo' })
    expect(body.quality).toBeNull()
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked().quality).toBeUndefined()
  })

  test('a quality that was asked of a model without one is a warning', async () => {
    const { body } = await call({ ...good, model: 'z-image-turbo', quality: 'high' })
    expect(body.warnings).toMatchObject([{ param: 'quality' }])
  })

  test('image as a data URI, alone and in a list', async () => {
    const uri = await dataUri('jpeg')
    expect((await call({ ...good, image: uri })).status).toBe(200)
    expect((await call({ ...good, image: [uri] })).status).toBe(200)
    expect(service.lastAsked()).toMatchObject({ image: { format: 'jpeg' } })
  })

  test('optimize_prompt is false by default: no chat model is asked, nothing is said', async () => {
    const before = service.chat.requests.length
    const { body } = await call(good)
    expect((await call({ ...good, optimize_prompt: false })).body.prompt_optimization).toBeUndefined()
    expect(service.chat.requests).toHaveLength(before)
    expect(body.prompt).toBe(good.prompt)
    expect(body.prompt_optimization).toBeUndefined()
  })

  test('null is absent', async () => {
    const nothing = { quality: null, image: null, bucket: null, optimize_prompt: null }
    expect((await call({ ...good, ...nothing })).body).toMatchObject({ quality: 'low', bucket: 'default' })
  })

  test('a model that draws no squares: its picture is made 1024x1024, with a warning', async () => {
    const { body } = await call({ ...good, model: 'wide' })
    expect(body.size).toBe('1024x1024')
    expect(body.warnings).toMatchObject([{ param: 'size' }])
    expect(await pictureAt(body.data[0].url)).toBe('png 1024x1024')
  })

  test('a key whose defaults are for another door', async () => {
    const key = await service.key({
      defaults: {
        model: 'gesso-collage',
        size: '64x64',
        output_format: 'jpeg',
        output_compression: 50,
        response_format: 'b64_json',
        bucket: 'From The Key',
        enhance_prompt: true,
        quality: 'hd',
      },
    })
    const { status, body } = await call({ prompt: 'a fox', optimize_prompt: false }, as(key))
    expect(status).toBe(200)
    expect(body).toMatchObject({ model: 'gesso-collage', bucket: 'from-the-key', size: '64x64' })
    expect(body.prompt_optimization).toBeUndefined()
    expect(await pictureAt(body.data[0].url)).toBe('png 64x64')
  })

  test.each<[string, string, unknown, RegExp]>([
    ['model is missing', 'model', undefined, /required/],
    ['model is a number', 'model', 3, /model id/],
    ['prompt is missing', 'prompt', undefined, /required/],
    ['prompt is blank', 'prompt', '  ', /blank/],
    ['prompt is a list', 'prompt', ['a fox'], /text/],
    ['quality of another service', 'quality', 'hd', /low, medium, high/],
    ['quality auto', 'quality', 'auto', /low, medium, high/],
    ['image is no address', 'image', 'photo.jpg', /https URL, a data URI/],
    ['image is an address of a file', 'image', 'file:///etc/passwd', /https URL, a data URI/],
    ['image is a number', 'image', 5, /https URL/],
    ['bucket is no text', 'bucket', 5, /text/],
    ['bucket is longer than any label', 'bucket', 'a'.repeat(501), /500 characters/],
    ['bucket has no letter', 'bucket', '!!!', /at least one letter/],
    ['bucket is empty', 'bucket', '', /at least one letter/],
    ['optimize_prompt is text', 'optimize_prompt', 'yes', /true or false/],
  ])('%s', async (_name, param, value, says) => {
    const before = service.upstream.submissions()
    const answer = await call({ ...good, [param]: value })
    expectError(answer, { status: 400, code: 'invalid_image_request', param, says })
    expect(service.upstream.submissions()).toBe(before)
  })

  test('a bad picture of a list is named by its place', async () => {
    const answer = await call({ ...good, image: [await dataUri(), 'nonsense!'] })
    expectError(answer, { status: 400, param: 'image[1]' })
  })

  test.each(['size', 'n', 'response_format'])('%s is no field here', async (param) => {
    expectError(await call({ ...good, [param]: 1 }), { status: 400, code: 'unknown_parameter', param })
  })

  test('an unknown model', async () => {
    const answer = await call({ ...good, model: 'no-such' })
    expectError(answer, { status: 404, type: 'not_found_error', code: 'model_not_found' })
  })

  test('no key, and a key of the service that was left', async () => {
    const missing = await call(good, { authorization: '' })
    expectError(missing, { status: 401, type: 'authentication_error', code: 'missing_api_key' })
    const foreign = await call(good, as('sk_other_0123456789'))
    expectError(foreign, { status: 401, type: 'authentication_error', code: 'invalid_api_key' })
  })

  test('a body that is not JSON', async () => {
    const answer = await call(good, { 'content-type': 'text/plain' })
    expectError(answer, { status: 415, code: 'unsupported_media_type' })
  })
})

describe('buckets', () => {
  test.each([
    ['Cats And Dogs', 'cats-and-dogs'],
    ['  Cats   And\tDogs  ', 'cats-and-dogs'],
    ['--a--', 'a'],
    ['a__b..c', 'a-b-c'],
    ['Café Crème', 'caf-cr-me'],
    ['日本 2026', '2026'],
    ['x 🦊 y', 'x-y'],
    ['2026', '2026'],
    ['a'.repeat(200), 'a'.repeat(64)],
    [`${'a'.repeat(63)} b`, 'a'.repeat(63)],
    [`!!${'ab '.repeat(60)}`, `${'ab-'.repeat(21)}a`],
  ])('%j becomes %s, also in a listing', async (label, name) => {
    const [id] = await fill(label)
    const page = await list(`bucket=${encodeURIComponent(label)}`)
    expect(page.bucket).toBe(name)
    expect(page.data[0]).toMatchObject({ id, bucket: name })
  })

  test.each(['!!!', '---', '日本', '🦊', ' '])('%j is no name', async (label) => {
    expectError(await call({ ...good, bucket: label }), { status: 400, param: 'bucket' })
    const listing = await service.call(`${path}?bucket=${encodeURIComponent(label)}`)
    expectError(listing, { status: 400, param: 'bucket' })
  })

  test('five requests that make the same bucket make one', async () => {
    await Promise.all(Array.from({ length: 5 }, () => fill('at-once')))
    expect((await list('bucket=at-once')).count).toBe(5)
  })

  test('a refused or failed generation leaves no bucket behind', async () => {
    await service.upstream.play('500', 1)
    expectError(await call({ ...good, bucket: 'failed' }), { status: 502, type: 'upstream_error' })
    await call({ ...good, quality: 'best', bucket: 'failed' })
    expect(await list('bucket=failed')).toMatchObject({ bucket_id: null, count: 0 })
  })
})

describe('listing', () => {
  test('has every documented field', async () => {
    const { body } = await call({ ...good, bucket: 'listed' })
    expect(await list('bucket=listed')).toEqual({
      bucket: 'listed',
      bucket_id: expect.any(String),
      is_public: false,
      bucket_link: null,
      limit: 50,
      count: 1,
      next_before: null,
      data: [
        {
          id: expect.any(String),
          url: body.data[0].url,
          prompt: good.prompt,
          bucket: 'listed',
          created_at: body.created_at,
        },
      ],
    })
  })

  test('of a bucket that is not there is empty, and makes none', async () => {
    const empty = { bucket: 'nowhere', bucket_id: null, count: 0, next_before: null, data: [] }
    expect(await list('bucket=Nowhere')).toMatchObject(empty)
    expect(await list('bucket=Nowhere')).toMatchObject(empty)
  })

  test('without a bucket is that of default', async () => {
    expect((await list('')).bucket).toBe('default')
  })

  test.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1.5',
    'limit=ten',
    'limit=',
    'before=now',
    'before=1.5',
    'bucket=a&bucket=b',
    `bucket=${'a'.repeat(501)}`,
  ])('%s is refused', async (query) => {
    const answer = await service.call(`${path}?${query}`)
    expectError(answer, { status: 400, code: 'invalid_image_request', param: query.split('=')[0] })
  })

  test('a name that nobody knows is refused', async () => {
    const answer = await service.call(`${path}?bucket=a&after=1`)
    expectError(answer, { status: 400, code: 'unknown_parameter', param: 'after' })
  })

  test.each(['limit=1', 'limit=100', 'before=0', 'before=1778833800'])('%s is taken', async (query) => {
    expect((await list(`${query}&bucket=nowhere`)).count).toBe(0)
  })

  describe('pages lose and repeat nothing, however many pictures a second has', () => {
    const all: string[] = []
    const start = Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000
    beforeAll(async () => {
      for (const [afterMs, n] of [
        [0, 1],
        [1_000, 10],
        [1_999, 10],
        [2_000, 1],
        [3_500, 2],
        [3_501, 1],
        [9_000, 1],
      ] as const) {
        frozenAtMs = start + afterMs
        all.unshift(...(await fill('crowd', n)))
      }
      frozenAtMs = undefined
    })

    test.each([1, 2, 3, 7, 10, 26, 100])('limit %i', async (limit) => {
      const seen: { id: string; created_at: number }[] = []
      let pages = 0
      for (let before: number | null | undefined; before !== null; pages++) {
        const page = await list(
          `bucket=crowd&limit=${limit}${before === undefined ? '' : `&before=${before}`}`,
        )
        expect(page.limit).toBe(limit)
        expect(page.count).toBe(page.data.length)
        seen.push(...page.data)
        before = page.next_before
        expect(pages).toBeLessThan(30)
      }
      expect(seen.map((one) => one.id).sort()).toEqual(all.toSorted())
      const times = seen.map((one) => one.created_at)
      expect(times).toEqual(times.toSorted((a, b) => b - a))
    })

    test('before leaves out what was made in that second and later', async () => {
      const page = await list(`bucket=crowd&before=${start / 1_000 + 2}`)
      expect(page.count).toBe(21)
    })
  })

  test('another account has buckets of its own, also of the same name', async () => {
    const stranger = await service.key({ otherAccount: true })
    await fill('shared-name')
    expect(await list('bucket=shared-name', stranger)).toMatchObject({ bucket_id: null, count: 0 })
    const [own] = await fill('shared-name', 1, stranger)
    const theirs = await list('bucket=shared-name', stranger)
    const ours = await list('bucket=shared-name')
    expect(theirs.data.map((one: { id: string }) => one.id)).toEqual([own])
    expect(ours.count).toBe(1)
    expect(ours.bucket_id).not.toBe(theirs.bucket_id)
    const picture = { model: 'gesso-collage', prompt: 'a fox', image: { image_id: ours.data[0].id } }
    expectError(await call(picture, as(stranger)), { status: 400, param: 'image.image_id' })
  })

  test('another key of the account sees the same; one that may not read sees nothing', async () => {
    const [id] = await fill('two-keys')
    expect((await list('bucket=two-keys', await service.key({}))).data[0].id).toBe(id)
    const writer = await service.key({ scopes: ['images:write'] })
    const answer = await service.call(`${path}?bucket=two-keys`, undefined, as(writer))
    expectError(answer, { status: 403, type: 'permission_error', code: 'missing_scope' })
  })
})

describe('links', () => {
  test('stay: without a header, after ten years, from another account’s key too', async () => {
    const { body } = await call({ ...good, bucket: 'for-ever' })
    const { url } = body.data[0]
    movedMs = 10 * 365 * daySeconds * 1_000
    expect(await pictureAt(url)).toBe('png 1024x1024')
    expect((await list('bucket=for-ever')).data[0].url).toBe(url)
    movedMs = 0
    const stranger = await service.key({ otherAccount: true })
    expect((await fetch(url, { headers: as(stranger) })).status).toBe(200)
    const head = await fetch(url, { method: 'HEAD' })
    expect(head.headers.get('content-type')).toBe('image/png')
    expect(head.headers.get('cache-control')).toMatch(/public/)
    expect((await fetch(`${url}?width=5`)).status).toBe(200)
  })

  test('of a picture that was made on /v1 there is none: neither listed nor guessed', async () => {
    const [id] = await fill('mixed')
    const { data } = await list('bucket=mixed')
    expect(data[0].url).toMatch(/\/i\/[^/]+\?exp=/)
    expect(await pictureAt(data[0].url)).toBe('png 64x64')
    for (const file of [
      `${id}.png`,
      `${id}.jpg`,
      `${id}`,
      `${id}.png.png`,
      `x/../${id}.png`,
      `%2e/${id}.png`,
    ]) {
      const guessed = await fetch(`${service.world.url}/api/i/${file}`)
      expect(guessed.status).toBe(404)
      expect(guessed.headers.get('content-type')).toMatch(/json/)
    }
  })

  test.each([
    ['another ending', (url: string) => url.replace('.png', '.jpg')],
    ['no ending', (url: string) => url.replace('.png', '')],
    ['two endings', (url: string) => url.replace('.png', '.png.png')],
    ['another id', (url: string) => url.replace(/.\.png/, (end) => (end[0] === '0' ? '1.png' : '0.png'))],
    ['the signed address without a signature', (url: string) => url.replace('/api/i/', '/i/')],
  ])('%s opens nothing', async (_name, change) => {
    const { data } = await list('bucket=listed')
    expect([403, 404]).toContain((await fetch(change(data[0].url))).status)
  })
})
