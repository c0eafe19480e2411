/**
 * A relay of many vendors' models: OpenAI's fields with an input picture in the same body, and tasks to fetch again.
 * Every field, default, allowed value, response and example of its documentation.
 */
import { request as httpRequest } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  as,
  dataOf,
  dataUri,
  expectError,
  openService,
  pictureAt,
  pictureOf,
  pixelsOf,
  type Service,
} from './open-service.ts'

let service: Service
let relayKey: string
beforeAll(async () => {
  service = await openService(`models:
  - id: qwen-image-2.0
    provider: openai
    supports: [quality, style, image, safety_identifier, seed]
  - id: seedream
    provider: openai
    supports: [image, watermark, sequential_image_generation]
    images_per_call: 1
  - id: plain
    provider: openai
`)
  relayKey = await service.key({ defaults: { response_format: 'b64_json' } })
})
afterAll(() => service[Symbol.asyncDispose]())

const path = '/v1/images/generations'
const prompt = 'Generate an image showcasing AI image generation capabilities.'
const good = { model: 'qwen-image-2.0', prompt, size: '64x64' }
const plain = { ...good, model: 'plain' }
const collage = { ...good, model: 'gesso-collage' }
const gptImage = { model: 'gpt-image-2', prompt }
const example = { model: 'qwen-image-2.0', prompt, size: '1024x1024', n: 1, quality: 'auto' }

const curl = `curl -X POST "https://example.com/v1/images/generations" \\
-H "Authorization: Bearer $API_KEY" \\
-H "Content-Type: application/json" \\
-d '{
"model": "qwen-image-2.0",
"prompt": "Generate an image showcasing AI image generation capabilities.",
"size": "1024x1024",
"n": 1,
"quality": "auto"
}'`

const editCurl = `-d '{
"model": "qwen-image-2.0",
"prompt": "Keep the subject and change the background to a clean product studio.",
"image": "https://example.com/input.png",
"size": "1024x1024",
"quality": "auto"
}'`

describe('the examples', () => {
  const text =
    '{"model":"qwen-image-2.0","prompt":"Generate an image showcasing AI image generation capabilities.","size":"1024x1024","n":1,"quality":"auto"}'

  test('cURL: created, data and usage', async () => {
    const { status, body } = await service.call(path, dataOf(curl), as(relayKey))
    expect(status).toBe(200)
    expect(Math.abs(body.created - Date.now() / 1_000)).toBeLessThan(30)
    expect(body.usage).toMatchObject({ generated_images: 1 })
    expect(body.data).toHaveLength(1)
    expect(await pictureOf(Buffer.from(body.data[0].b64_json, 'base64'))).toBe('png 1024x1024')
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked()).toEqual({ ...example, response_format: 'b64_json' })
  })

  test.each([
    ['JavaScript, Go, Java', { 'content-type': 'application/json' }],
    ['Python', { 'content-type': 'application/json', accept: '*/*', 'accept-encoding': 'gzip, deflate' }],
    ['C#', { 'content-type': 'application/json; charset=utf-8' }],
  ])('%s', async (_name, headers) => {
    const response = await fetch(`${service.world.url}${path}`, {
      method: 'POST',
      headers: { ...as(relayKey), ...headers },
      body: text,
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      created: expect.any(Number),
      data: [{ b64_json: expect.any(String) }],
      usage: { generated_images: 1 },
    })
  })

  test('a Java client that offers HTTP/2 with its first request is answered in HTTP/1.1', async () => {
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const request = httpRequest(`${service.world.url}${path}`, {
        method: 'POST',
        headers: {
          ...as(relayKey),
          'content-type': 'application/json',
          connection: 'Upgrade, HTTP2-Settings',
          upgrade: 'h2c',
          'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
        },
      })
      request.on('response', resolve).on('error', reject).end(text)
    })
    expect(response.statusCode).toBe(200)
    expect(await json(response)).toMatchObject({ data: [{ b64_json: expect.any(String) }] })
  })

  test('image input: the call is an edit', async () => {
    const body = dataOf(editCurl.replace('https://example.com', service.pictures))
    expect((await service.call(path, body)).status).toBe(200)
    expect(service.lastPath()).toBe('/v1/images/edits')
    const { image: _, ...fields } = body
    expect(service.lastAsked()).toMatchObject({ ...fields, image: { format: 'png', width: 120 } })
  })
})

describe('response_format', () => {
  test.each([
    ['url', 'url'],
    ['b64_json', 'b64_json'],
    [undefined, 'b64_json'],
  ])('%s with a key whose default is b64_json: %s', async (response_format, key) => {
    const { body } = await service.call(path, { ...good, response_format }, as(relayKey))
    expect(Object.keys(body.data[0])).toContain(key)
    expect(Object.keys(body.data[0])).not.toContain(key === 'url' ? 'b64_json' : 'url')
  })

  test('another word is the documented error', async () => {
    const answer = await service.call(path, { ...good, response_format: 'base64' })
    const code = 'invalid_image_request'
    expectError(answer, { status: 400, code, param: 'response_format', says: /response_format .*b64_json/ })
  })
})

describe('size', () => {
  test.each(['1024×1024', '1024*1024', '1024X1024', '1024 × 1024'])(
    '%s instead of x is an error that says to use x',
    async (size) => {
      const answer = await service.call(path, { ...good, size })
      expectError(answer, { status: 400, code: 'invalid_image_request', param: 'size' })
      expect(answer.body.error.message).toContain(size)
      expect(answer.body.error.message).toMatch(/lower-case letter x/)
    },
  )

  test('1024x1024 by default on the built-in model', async () => {
    const { body } = await service.call(path, { ...collage, size: undefined })
    expect(body.size).toBe('1024x1024')
  })
})

describe('fields of GPT Image style models', () => {
  test.each([
    ['output_format', { output_format: 'jpeg' }],
    ['output_compression', { output_format: 'webp', output_compression: 50 }],
    ['background', { background: 'transparent' }],
    ['moderation', { moderation: 'low' }],
    ['quality', { quality: 'high' }],
  ])('%s is passed through', async (_name, fields) => {
    const { status, body } = await service.call(path, { ...gptImage, ...fields })
    expect(status).toBe(200)
    expect((body.warnings ?? []).filter((one: { code: string }) => one.code !== 'not_transparent')).toEqual(
      [],
    )
    expect(service.lastAsked()).toMatchObject(fields)
  })

  test.each([0, 100])(
    'output_compression %i beside a PNG is a default, and asks for nothing',
    async (value) => {
      for (const format of [undefined, 'png']) {
        const body = { ...gptImage, output_format: format, output_compression: value }
        const answer = await service.call(path, body)
        expect(answer.status).toBe(200)
        expect(answer.body.warnings).toBeUndefined()
        expect(service.lastAsked().output_compression).toBeUndefined()
      }
    },
  )

  test('output_compression below 100 beside a PNG is refused', async () => {
    const answer = await service.call(path, { ...gptImage, output_compression: 50 })
    expectError(answer, { status: 400, param: 'output_compression', says: /jpeg, webp/ })
  })

  test('style is not theirs: a hint, ignored with a warning', async () => {
    const { status, body } = await service.call(path, { ...gptImage, style: 'vivid' })
    expect(status).toBe(200)
    expect(body.warnings).toMatchObject([{ param: 'style', code: 'unsupported_parameter' }])
    expect(service.lastAsked().style).toBeUndefined()
  })

  test.each([
    ['moderation', { moderation: 'low' }],
    ['quality', { quality: 'high' }],
    ['style', { style: 'vivid' }],
    ['user', { user: 'u-1' }],
  ])('%s is a hint for a model that does not know it', async (param, fields) => {
    const { status, body } = await service.call(path, { ...plain, ...fields })
    expect(status).toBe(200)
    expect(body.warnings).toMatchObject([{ param, code: 'unsupported_parameter' }])
    const strict = await service.call(path, { ...plain, ...fields }, { prefer: 'handling=strict' })
    expectError(strict, { status: 400, code: 'unsupported_parameter', param })
  })

  test.each([
    ['quality auto', { quality: 'auto' }],
    ['moderation auto', { moderation: 'auto' }],
    ['background auto', { background: 'auto' }],
    ['background opaque', { background: 'opaque' }],
  ])('%s is what any model does', async (_name, fields) => {
    expect((await service.call(path, { ...plain, ...fields })).body.warnings).toBeUndefined()
  })
})

describe('other fields', () => {
  test.each([
    ['style', { style: 'natural' }, { style: 'natural' }],
    ['user', { user: 'end-user-7' }, { user: 'end-user-7' }],
    ['n', { n: 2 }, { n: 2 }],
    ['quality', { quality: 'auto' }, { quality: 'auto' }],
  ])('%s is passed upstream', async (_name, fields, arrived) => {
    const { body } = await service.call(path, { ...good, ...fields })
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked()).toMatchObject(arrived)
  })

  test('n is 1 by default', async () => {
    expect((await service.call(path, good)).body.data).toHaveLength(1)
    expect(service.lastAsked().n).toBe(1)
  })
})

describe('image', () => {
  test.each<[string, () => Promise<unknown>, number]>([
    ['a URL', async () => `${service.pictures}/photo.jpg`, 1],
    ['a data URL', () => dataUri(), 1],
    ['bare base64', async () => (await dataUri()).split(',')[1], 1],
    ['an object with url', async () => ({ url: `${service.pictures}/a.png` }), 1],
    ['an object with image_url', async () => ({ image_url: await dataUri() }), 1],
    ['an object with image_url.url', async () => ({ image_url: { url: `${service.pictures}/a.png` } }), 1],
    ['an object with type', async () => ({ type: 'image_url', image_url: { url: await dataUri() } }), 1],
    ['an object with b64_json', async () => ({ b64_json: (await dataUri()).split(',')[1] }), 1],
    ['a list of one', async () => [await dataUri()], 1],
    [
      'a list of all kinds',
      async () => [`${service.pictures}/a.png`, await dataUri(), { url: await dataUri() }],
      3,
    ],
    ['sixteen', async () => Array(16).fill(await dataUri()), 16],
  ])('%s makes it an edit', async (_name, image, count) => {
    const { status } = await service.call(path, { ...good, image: await image() })
    expect(status).toBe(200)
    expect(service.lastPath()).toBe('/v1/images/edits')
    const { image: one, 'image[]': several } = service.lastAsked()
    expect(several ?? [one]).toHaveLength(count)
  })

  test('an object with image_id: a picture that was made before, of this account only', async () => {
    const made = await service.call(path, collage)
    const image = { image_id: made.body.data[0].image_id }
    expect((await service.call(path, { ...good, image })).status).toBe(200)
    expect(service.lastAsked().image).toMatchObject({ width: 64, height: 64 })
    const stranger = as(await service.key({ otherAccount: true }))
    expectError(await service.call(path, { ...good, image }, stranger), {
      status: 400,
      param: 'image.image_id',
    })
  })

  test('null is none', async () => {
    expect((await service.call(path, { ...good, image: null })).status).toBe(200)
    expect(service.lastPath()).toBe(path)
  })

  test.each<[string, unknown, string]>([
    ['text that is no picture', 'hello world', 'image'],
    ['an empty text', '', 'image'],
    ['an empty list', [], 'image'],
    ['an empty object', {}, 'image'],
    ['an object with an unknown key', { href: 'https://example.com' }, 'image.href'],
    ['an object that names two', { url: 'https://example.com/a', b64_json: 'aaaa' }, 'image'],
    ['an object with a number', { url: 5 }, 'image.url'],
    ['a number', 5, 'image'],
    ['true', true, 'image'],
    ['base64 of no picture', Buffer.from('hello world, this is text').toString('base64'), 'image'],
    ['a bad one in a list', ['data:image/png;base64,####'], 'image[0]'],
    ['a list in a list', [[]], 'image[0]'],
    ['seventeen', Array(17).fill('https://example.com/a.png'), 'image'],
    ['a URL that cannot be had', 'http://127.0.0.1:1/a.png', 'image'],
    ['a URL into another private network', 'http://10.0.0.1/a.png', 'image'],
    ['another scheme', 'ftp://example.com/a.png', 'image'],
  ])('%s is refused by name', async (_name, image, param) => {
    const before = service.upstream.submissions()
    expectError(await service.call(path, { ...good, image }), { status: 400, param })
    expect(service.upstream.submissions()).toBe(before)
  })
})

describe('sequential_image_generation', () => {
  test('disabled is what every model does', async () => {
    const fields = { sequential_image_generation: 'disabled' }
    for (const model of ['seedream', 'plain', 'gesso-collage']) {
      const { status, body } = await service.call(path, { ...good, ...fields, model })
      expect(status).toBe(200)
      expect(body.data).toHaveLength(1)
      expect(body.warnings).toBeUndefined()
    }
  })

  test('auto is one call for a series of pictures', async () => {
    const before = service.upstream.submissions()
    const { body } = await service.call(path, {
      ...good,
      model: 'seedream',
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 3 },
    })
    expect(service.upstream.submissions()).toBe(before + 1)
    expect(service.lastAsked()).toMatchObject({
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 3 },
    })
    expect(body.data).toHaveLength(3)
    expect(body.usage.generated_images).toBe(3)
    expect(body.warnings).toBeUndefined()
  })

  test('auto on the built-in model', async () => {
    const wish = {
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 2 },
    }
    const { body } = await service.call(path, { ...collage, ...wish })
    expect(body.data.length).toBeGreaterThan(0)
    expect(body.data.length).toBeLessThanOrEqual(2)
  })

  test.each<[string, object, string]>([
    [
      'auto on a model that has none',
      { model: 'plain', sequential_image_generation: 'auto' },
      'sequential_image_generation',
    ],
    ['another word', { sequential_image_generation: 'on' }, 'sequential_image_generation'],
    ['true', { sequential_image_generation: true }, 'sequential_image_generation'],
    ['auto beside n', { sequential_image_generation: 'auto', n: 2 }, 'n'],
    [
      'more pictures than a series has',
      { sequential_image_generation: 'auto', sequential_image_generation_options: { max_images: 16 } },
      'sequential_image_generation_options.max_images',
    ],
  ])('%s is refused', async (_name, fields, param) => {
    expectError(await service.call(path, { ...good, model: 'seedream', ...fields }), { status: 400, param })
  })
})

describe('watermark', () => {
  test('true reaches a model that has its own', async () => {
    const { body } = await service.call(path, { ...good, model: 'seedream', watermark: true })
    expect(service.lastAsked().watermark).toBe(true)
    expect(body.warnings).toBeUndefined()
  })

  test('false is the default, and the same', async () => {
    const asked = []
    for (const watermark of [undefined, null, false]) {
      await service.call(path, { ...good, model: 'seedream', watermark })
      asked.push(service.lastAsked())
    }
    expect(asked[1]).toEqual(asked[0])
    expect(asked[2]).toEqual(asked[0])
    expect(asked[0].watermark ?? false).toBe(false)
  })

  test.each(['plain', 'gesso-collage'])('true is drawn by Gesso where %s has none', async (model) => {
    const wish = { ...good, model, size: '256x256', response_format: 'b64_json' }
    const pixels = []
    for (const watermark of [false, true]) {
      const { body } = await service.call(path, { ...wish, watermark })
      expect(body.warnings).toBeUndefined()
      pixels.push(await pixelsOf(body.data[0].b64_json))
    }
    expect(pixels[1]).not.toBe(pixels[0])
    expect(service.lastAsked().watermark).toBeUndefined()
  })

  test.each(['true', 1])('%j is refused', async (watermark) => {
    expectError(await service.call(path, { ...good, watermark }), { status: 400, param: 'watermark' })
  })
})

describe('stream', () => {
  // Its page says "not supported yet"; a client that asks all the same has OpenAI's events, which it was written for.
  test.each([
    ['generation', 'image_generation.completed', async () => ({})],
    ['edit, because of its image', 'image_generation.completed', async () => ({ image: await dataUri() })],
  ])('true is a stream of events: a %s', async (_name, type, own) => {
    const before = service.upstream.submissions()
    const response = await service.world.call(path, { ...good, ...(await own()), stream: true })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const [, event, data = ''] = /^event: (.*)\ndata: (.*)$/m.exec(await response.text()) ?? []
    expect(event).toBe(type)
    const completed = JSON.parse(data)
    expect(completed).toMatchObject({ type, usage: { generated_images: 1 } })
    expect(await pictureOf(Buffer.from(completed.b64_json, 'base64'))).toBe('png 64x64')
    expect(service.upstream.submissions()).toBe(before + 1)
  })

  test('true with a field at fault is the usual error, before any event', async () => {
    const answer = await service.call(path, { ...good, size: '64×64', stream: true })
    expectError(answer, { status: 400, param: 'size' })
  })

  test.each([false, null])('%j is the usual answer', async (stream) => {
    expect((await service.call(path, { ...good, stream })).status).toBe(200)
  })
})

describe('the answer', () => {
  test('has no empty strings, whatever the upstream fills its fields with', async () => {
    const b64_json = (await dataUri()).split(',')[1]
    const url = `${service.pictures}/a.png`
    const body = {
      created: 1_777_440_000,
      size: '',
      quality: '',
      background: '',
      data: [
        { url, b64_json: '', revised_prompt: prompt },
        { url: '', b64_json, revised_prompt: '' },
      ],
      usage: {
        generated_images: 2,
        total_tokens: 100,
        input_tokens: 24,
        output_tokens: 76,
        input_tokens_details: { text_tokens: 24, image_tokens: 0 },
      },
    }
    for (const response_format of ['url', 'b64_json']) {
      await service.upstream.play({ status: 200, body }, 1)
      const answer = await service.call(path, { ...good, size: undefined, n: 2, response_format })
      expect(answer.body.data).toHaveLength(2)
      expect(answer.body.data[0].revised_prompt).toBe(prompt)
      expect(Object.keys(answer.body.data[1])).not.toContain('revised_prompt')
      expect(answer.body.usage).toEqual(body.usage)
      for (const one of answer.body.data) {
        expect(Object.keys(one)).toContain(response_format)
        expect(Object.keys(one)).not.toContain(response_format === 'url' ? 'b64_json' : 'url')
      }
      const again = await service.call(`${path}/${answer.body.id}`)
      expect(again.body.result.data).toHaveLength(2)
    }
  })

  test('can be had again as a task, with public links though it was base64, for 24 hours', async () => {
    const made = await service.call(path, { ...collage, quality: 'auto', response_format: 'b64_json' })
    const task = await service.call(`${path}/${made.headers.get('x-gesso-task-id')}`)
    expect(task.body).toMatchObject({
      id: made.body.id,
      task_id: made.body.id,
      object: 'image.generation.task',
      status: 'SUCCEEDED',
      model: 'gesso-collage',
      prompt,
      size: '64x64',
      quality: 'auto',
      mode: 'generation',
      result: { created: made.body.created, usage: made.body.usage },
    })
    expect(task.body.id).toMatch(/^image_[0-9a-f]{24}$/)
    expect(task.body.expires_at - task.body.completed_at).toBe(86_400)
    expect(task.body.created_at).toBeLessThanOrEqual(task.body.completed_at)
    expect(task.body.error).toBeUndefined()
    expect(await pictureAt(task.body.result.data[0].url)).toBe('png 64x64')
  })

  test('of an edit is a task of mode edit', async () => {
    const { body } = await service.call(path, { ...collage, image: await dataUri() })
    expect((await service.call(`${path}/${body.id}`)).body.mode).toBe('edit')
  })

  test('of a failure is a task with the error', async () => {
    await service.upstream.play('moderation', 1)
    const failed = await service.call(path, good)
    const task = await service.call(`${path}/${failed.headers.get('x-gesso-task-id')}`)
    expect(task.body).toMatchObject({ status: 'FAILED', error: failed.body.error })
    expect(task.body.result).toBeUndefined()
  })

  test('is nobody else’s: a stranger’s task is not there, nor is one that never was', async () => {
    const { body } = await service.call(path, collage)
    const stranger = as(await service.key({ otherAccount: true }))
    const missing = { status: 404, type: 'not_found_error', code: 'task_not_found' }
    expectError(await service.call(`${path}/${body.id}`, undefined, stranger), missing)
    expectError(await service.call(`${path}/image_${'0'.repeat(24)}`), missing)
    expectError(await service.call(`${path}/nonsense`), missing)
  })
})

describe('what a key fills in gives way to what the caller writes', () => {
  test.each<[string, object, object, object]>([
    ['a format', { output_format: 'webp' }, {}, { output_format: 'webp' }],
    ['another format', { output_format: 'webp' }, { output_format: 'png' }, { output_format: 'png' }],
    [
      'a compression beside a lossless format',
      { output_format: 'jpeg', output_compression: 50 },
      { output_format: 'png' },
      { output_format: 'png' },
    ],
    ['a size beside a ratio', { size: '64x64' }, { size: undefined, aspect_ratio: '2:1' }, {}],
    [
      'transparency beside jpeg',
      { background: 'transparent' },
      { output_format: 'jpeg' },
      { output_format: 'jpeg' },
    ],
    [
      'jpeg beside transparency',
      { output_format: 'jpeg' },
      { background: 'transparent' },
      { output_format: 'png' },
    ],
    [
      'jpeg and its compression beside transparency',
      { output_format: 'jpeg', output_compression: 50 },
      { background: 'transparent' },
      { output_format: 'png' },
    ],
    ['a rewriting', { enhance_prompt: true }, { optimize_prompt: false }, { size: '64x64' }],
    ['a watermark', { watermark: true }, { watermark: false }, {}],
    ['a model', { model: 'plain' }, {}, { model: 'gesso-collage' }],
  ])('%s', async (_name, defaults, fields, wanted) => {
    const key = await service.key({ defaults })
    const { status, body } = await service.call(path, { ...collage, ...fields }, as(key))
    expect(status).toBe(200)
    expect(body.warnings).toBeUndefined()
    expect(body.prompt_optimization).toBeUndefined()
    expect(body).toMatchObject(wanted)
  })

  test('and drops nothing of what the caller wrote', async () => {
    const answer = await service.call(path, { ...collage, output_compression: 50 }, as(relayKey))
    expectError(answer, { status: 400, param: 'output_compression' })
  })

  test('a default that the model does not know is a warning, not an error', async () => {
    const key = await service.key({ defaults: { negative_prompt: 'fog', quality: 'high' } })
    const { status, body } = await service.call(path, plain, as(key))
    expect(status).toBe(200)
    expect(body.warnings).toMatchObject([{ param: 'negative_prompt' }])
  })
})

test('models say whether they answer with a task only', async () => {
  const { body } = await service.call('/v1/models')
  for (const model of body.data) expect(typeof model.features.async_only).toBe('boolean')
})

describe('wrong values are refused by name', () => {
  test.each<[string, unknown]>([
    ['model', ''],
    ['model', 5],
    ['prompt', undefined],
    ['prompt', ''],
    ['n', 0],
    ['n', '1'],
    ['quality', 'best'],
    ['quality', ''],
    ['output_format', 'gif'],
    ['output_compression', -1],
    ['output_compression', '50'],
    ['background', 'white'],
    ['moderation', 'high'],
    ['style', 'anime'],
    ['user', {}],
    ['stream', 'true'],
    ['async', 'yes'],
    ['metadata', { ['k'.repeat(65)]: 'v' }],
    ['metadata', Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v']))],
  ])('%s: %j', async (param, value) => {
    const answer = await service.call(path, { ...good, [param]: value })
    expectError(answer, { status: 400, param, says: new RegExp(param) })
  })
})
