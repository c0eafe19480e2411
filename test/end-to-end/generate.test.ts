import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pixelsOf } from '../setup/pixels.ts'
import { openWorld, type World } from '../setup/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({ GESSO_BODY_LIMIT_BYTES: '100000' })
})
afterAll(() => world[Symbol.asyncDispose]())

const path = '/v1/images/generations'
const good = { model: 'gesso-collage', prompt: 'a red fox', size: '256x128' }

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
async function json(response: Response): Promise<any> {
  return response.json()
}

describe('200', () => {
  test('a prompt gives a link, the link gives a PNG of the asked size without any header', async () => {
    const response = await world.call(path, good)
    expect(response.status).toBe(200)
    const body = await json(response)
    expect(body).toMatchObject({
      model: 'gesso-collage',
      size: '256x128',
      output_format: 'png',
      usage: { generated_images: 1 },
      cost: { micros: 0, currency: 'USD', source: 'unmetered' },
    })
    expect(body.id).toMatch(/^image_[0-9a-f]{24}$/)
    expect(body.warnings).toBeUndefined()
    const picture = await fetch(body.data[0].url)
    expect(picture.headers.get('content-type')).toBe('image/png')
    const { width, height, format } = await sharp(Buffer.from(await picture.arrayBuffer())).metadata()
    expect([width, height, format]).toEqual([256, 128, 'png'])
  })

  test('the answer carries the request, task, rate and cost headers', async () => {
    const { headers } = await world.call(path, good)
    expect(headers.get('x-request-id')).toMatch(/^req_/)
    expect(headers.get('x-gesso-task-id')).toMatch(/^image_/)
    expect(headers.get('x-gesso-cost-micros')).toBe('0')
    expect(headers.get('x-ratelimit-limit-requests')).toBe('600')
    expect(Number(headers.get('x-ratelimit-remaining-requests'))).toBeLessThan(600)
    expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^[\d.]+s$/)
  })

  test('b64_json gives the same bytes as the link of the same picture', async () => {
    const body = await json(await world.call(path, { ...good, response_format: 'b64_json' }))
    expect(body.data[0].url).toBeUndefined()
    const image = await json(await world.call(`/v1/images/${body.data[0].image_id}`))
    const hosted = Buffer.from(await (await fetch(image.url)).arrayBuffer())
    expect(hosted.equals(Buffer.from(body.data[0].b64_json, 'base64'))).toBe(true)
  })

  test('without a wish the answer is a link, and base64 for the AI SDK', async () => {
    const plain = await json(await world.call(path, good))
    const aiSdk = await json(
      await world.call(path, good, { 'user-agent': 'ai/7 ai-sdk/openai-compatible/3.0' }),
    )
    expect(Object.keys(plain.data[0])).toContain('url')
    expect(Object.keys(aiSdk.data[0])).toContain('b64_json')
  })

  test('the same request with the same seed gives the same pixels, another seed others', async () => {
    const make = async (seed: number) => {
      const body = await json(await world.call(path, { ...good, seed, response_format: 'b64_json' }))
      return pixelsOf(Buffer.from(body.data[0].b64_json, 'base64'))
    }
    const [first, second, other] = [await make(7), await make(7), await make(8)]
    expect(second).toBe(first)
    expect(other).not.toBe(first)
  })

  test('n pictures have the seeds s, s+1, …', async () => {
    const body = await json(await world.call(path, { ...good, n: 3, seed: 4_294_967_290 }))
    expect(body.data.map((one: { seed: number }) => one.seed)).toEqual([
      4_294_967_290, 4_294_967_291, 4_294_967_292,
    ])
    expect(body.usage.generated_images).toBe(3)
  })

  test.each(['png', 'jpeg', 'webp', 'avif'])('output_format %s is what arrives', async (format) => {
    const body = await json(
      await world.call(path, { ...good, output_format: format, response_format: 'b64_json' }),
    )
    expect(body.output_format).toBe(format)
    const bytes = Buffer.from(body.data[0].b64_json, 'base64')
    expect((await sharp(bytes).metadata()).format).toBe(format === 'avif' ? 'heif' : format)
  })

  test('lower compression values make smaller files', async () => {
    const size = async (compression: number) =>
      (
        await json(
          await world.call(path, {
            ...good,
            seed: 1,
            output_format: 'jpeg',
            output_compression: compression,
            response_format: 'b64_json',
          }),
        )
      ).data[0].b64_json.length
    expect(await size(10)).toBeLessThan(await size(95))
  })

  test('null means absent, and a gzipped body is read', async () => {
    const body = { ...good, n: null, quality: null, stream: false, user: null, style: null }
    const response = await fetch(new URL(path, world.url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${world.key}`,
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      },
      body: gzipSync(JSON.stringify(body)),
    })
    expect(response.status).toBe(200)
  })

  test('no field of the answer is an empty string', async () => {
    const text = await (await world.call(path, { ...good, user: 'u', metadata: { a: 'b' } })).text()
    expect(text).not.toContain('""')
  })

  test('an unknown field is a warning under handling=lenient, and the answer says what was applied', async () => {
    const response = await world.call(path, { ...good, wibble: 1 }, { prefer: 'handling=lenient' })
    expect(response.headers.get('preference-applied')).toBe('handling=lenient')
    const body = await json(response)
    expect(body.warnings).toMatchObject([{ param: 'wibble', code: 'unknown_parameter' }])
    // Also for whoever fetches it later.
    expect((await json(await world.call(`${path}/${body.id}`))).result.warnings).toEqual(body.warnings)
  })

  test('the finished task shows the same picture again, with its metadata', async () => {
    const made = await json(await world.call(path, { ...good, metadata: { order: '42' } }))
    const task = await json(await world.call(`${path}/${made.id}`))
    expect(task).toMatchObject({
      id: made.id,
      task_id: made.id,
      object: 'image.generation.task',
      status: 'SUCCEEDED',
      mode: 'generation',
      prompt: good.prompt,
      metadata: { order: '42' },
      result: { data: [{ image_id: made.data[0].image_id }], usage: { generated_images: 1 } },
    })
    expect(task.expires_at - task.completed_at).toBe(86_400)
  })

  test('a caller that hangs up loses nothing: the picture is made, kept and can be fetched', async () => {
    const gone = new AbortController()
    const label = `hangup-${Date.now()}`
    const call = fetch(new URL(path, world.url), {
      method: 'POST',
      signal: gone.signal,
      headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...good, size: '2048x2048', output_format: 'avif', metadata: { label } }),
    })
    setTimeout(() => gone.abort(), 60)
    await expect(call).rejects.toThrow()
    await expect.poll(async () => (await findTask(label))?.status, { timeout: 15_000 }).toBe('SUCCEEDED')
    const task = await json(await world.call(`${path}/${(await findTask(label))?.id}`))
    expect((await fetch(task.result.data[0].url)).status).toBe(200)
  })
})

async function findTask(label: string): Promise<{ id: string; status: string } | undefined> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: world.databaseUrl })
  await client.connect()
  const { rows } = await client.query(
    `select id, status from tasks where request -> 'metadata' ->> 'label' = $1`,
    [label],
  )
  await client.end()
  return rows[0]
}

describe('400 names the field, the value and what is allowed', () => {
  test.each<[string, object, string, string, RegExp]>([
    ['no prompt', { model: 'gesso-collage' }, 'prompt', 'invalid_image_request', /prompt is required/],
    [
      'a blank prompt',
      { ...good, prompt: '  ' },
      'prompt',
      'invalid_image_request',
      /prompt is " {2}".*not blank/,
    ],
    ['no model', { prompt: 'x' }, 'model', 'invalid_image_request', /model is required/],
    [
      'n as text',
      { ...good, n: '2' },
      'n',
      'invalid_image_request',
      /n is "2", but must be a whole number from 1 to 10/,
    ],
    ['n of 11', { ...good, n: 11 }, 'n', 'invalid_image_request', /n is 11.*1 to 10/],
    ['half an image', { ...good, n: 1.5 }, 'n', 'invalid_image_request', /n is 1.5/],
    ['× in the size', { ...good, size: '1024×1024' }, 'size', 'invalid_image_request', /lower-case letter x/],
    ['* in the size', { ...good, size: '1024*1024' }, 'size', 'invalid_image_request', /lower-case letter x/],
    ['X in the size', { ...good, size: '1024X1024' }, 'size', 'invalid_image_request', /lower-case letter x/],
    [
      'a size too large',
      { ...good, size: '9000x9000' },
      'size',
      'unsupported_parameter',
      /9000x9000.*64 to 4096/,
    ],
    [
      'an unknown quality',
      { ...good, quality: 'ultra' },
      'quality',
      'invalid_image_request',
      /"ultra".*auto, low, medium/,
    ],
    [
      'a seed beyond 32 bits',
      { ...good, seed: 4_294_967_296 },
      'seed',
      'invalid_image_request',
      /0 to 4294967295/,
    ],
    [
      'an unknown field',
      { ...good, wibble: 1 },
      'wibble',
      'unknown_parameter',
      /"wibble" is not a parameter/,
    ],
    ['a base URL', { ...good, api_base: 'http://evil' }, 'api_base', 'unknown_parameter', /api_base/],
    [
      'an input image that is none of the ways to name one',
      { ...good, image: 'file:///etc/passwd' },
      'image',
      'invalid_image_request',
      /must be an https URL, a data URI, base64/,
    ],
    ['a stream in words', { ...good, stream: 'yes' }, 'stream', 'invalid_image_request', /stream is "yes"/],
    ['asynchronous use', { ...good, async: true }, 'async', 'unsupported_parameter', /async is true/],
    [
      'metadata of numbers',
      { ...good, metadata: { a: 1 } },
      'metadata.a',
      'invalid_image_request',
      /metadata.a is 1/,
    ],
    [
      'compression of a png',
      { ...good, output_compression: 5 },
      'output_compression',
      'invalid_image_request',
      /jpeg, webp and avif only/,
    ],
    [
      'a model whose provider is off',
      { ...good, model: 'gpt-image-2', size: 'auto' },
      'model',
      'provider_not_configured',
      /OPENAI_API_KEY/,
    ],
  ])('%s', async (_name, body, param, code, message) => {
    const response = await world.call(path, body)
    expect(response.status).toBe(400)
    const { error } = await json(response)
    expect(error).toMatchObject({ type: 'invalid_request_error', code, param })
    expect(error.message).toMatch(message)
    expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type'])
    expect(response.headers.get('x-should-retry')).toBe('false')
  })

  test('broken JSON, NUL, depth, too many keys, __proto__', async () => {
    const send = (body: string) =>
      fetch(new URL(path, world.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' },
        body,
      })
    const keys = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`k${n}`, n]))
    const cases: [string, RegExp][] = [
      ['{', /not valid JSON/],
      ['', /body is empty/],
      ['null', /must be a JSON object/],
      ['{"prompt":"\\u0000"}', /prompt holds a NUL/],
      [`${'{"a":'.repeat(90)}1${'}'.repeat(90)}`, /nested more than 64 deep/],
      [JSON.stringify({ ...good, ...keys }), /more than 1000 keys/],
      [
        `{"__proto__":{"a":1},"prompt":"x","model":"gesso-collage"}`,
        /__proto__ is a key that is not allowed/,
      ],
      [`{"metadata":{"__proto__":"x"},"prompt":"x","model":"gesso-collage"}`, /metadata\.__proto__ is a key/],
    ]
    for (const [body, message] of cases) {
      const response = await send(body)
      expect(response.status, body.slice(0, 30)).toBe(400)
      expect((await json(response)).error.message).toMatch(message)
    }
  })

  test('a refused request leaves no task behind', async () => {
    const label = 'refused-one'
    await world.call(path, { ...good, n: 99, metadata: { label } })
    expect(await findTask(label)).toBeUndefined()
  })
})

describe('404, 413, 415', () => {
  test('an unknown model, task, image and route', async () => {
    const cases: [string, unknown, string][] = [
      [path, { ...good, model: '../../v1/files' }, 'model_not_found'],
      [`${path}/image_${'0'.repeat(24)}`, undefined, 'task_not_found'],
      [`${path}/nonsense`, undefined, 'task_not_found'],
      [`/v1/images/img_${'0'.repeat(24)}`, undefined, 'image_not_found'],
      ['/v1/models/none', undefined, 'model_not_found'],
      ['/v1/nowhere', undefined, 'route_not_found'],
      [path, undefined, 'route_not_found'],
    ]
    for (const [where, body, code] of cases) {
      const response = await world.call(where, body)
      expect(response.status, where).toBe(404)
      expect((await json(response)).error).toMatchObject({ type: 'not_found_error', code })
    }
  })

  test('a body over the limit is 413, also when gzip hides it', async () => {
    const big = JSON.stringify({ ...good, prompt: 'a '.repeat(60_000) })
    const send = (body: string | Buffer<ArrayBuffer>, headers: Record<string, string>) =>
      fetch(new URL(path, world.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json', ...headers },
        body,
      })
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20))
    expect(bomb.length).toBeLessThan(100_000)
    for (const response of [
      await send(big, {}),
      await send(gzipSync(big), { 'content-encoding': 'gzip' }),
      await send(bomb, { 'content-encoding': 'gzip' }),
    ]) {
      expect(response.status).toBe(413)
      expect((await json(response)).error.code).toBe('request_too_large')
    }
  })

  test('another content type or encoding is 415', async () => {
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json', 'content-encoding': 'rot13' },
    ]) {
      const response = await fetch(new URL(path, world.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${world.key}`, ...headers } as Record<string, string>,
        body: '{}',
      })
      expect(response.status).toBe(415)
      expect((await json(response)).error.code).toBe('unsupported_media_type')
    }
  })
})

describe('models', () => {
  test('the list says what is available, and one can be had by id', async () => {
    const { object, data } = await json(await world.call('/v1/models'))
    expect(object).toBe('list')
    const available = Object.fromEntries(
      data.map((one: { id: string; available: boolean }) => [one.id, one.available]),
    )
    expect(available).toMatchObject({ 'gesso-collage': true, 'gpt-image-2': false })
    expect(await json(await world.call('/v1/models/gesso-collage'))).toMatchObject({
      id: 'gesso-collage',
      object: 'model',
    })
  })
})

describe('operations', () => {
  test('health, readiness, the OpenAPI document and its page need no key', async () => {
    for (const where of ['/healthz', '/readyz', '/openapi.json', '/docs']) {
      expect((await fetch(new URL(where, world.url))).status, where).toBe(200)
    }
    const document = await json(await fetch(new URL('/openapi.json', world.url)))
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/v1/images/generations',
        '/v1/images/generations/{task_id}',
        '/v1/images/{image_id}',
        '/v1/models',
        '/v1/models/{model}',
      ]),
    )
    for (const made of ['/v1/images/generations', '/v1/images/edits', '/api/v1/images/generations']) {
      const { parameters } = document.paths[made].post
      expect(parameters, made).toMatchObject([{ in: 'header', name: 'idempotency-key', required: false }])
    }
  })
})
