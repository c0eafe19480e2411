/** The official client, newest version, with nothing changed but base URL, key and model. */
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { createKey } from '../../src/keys/create-key.ts'
import { generateKey } from '../../src/keys/key-format.ts'
import { download, type Gateway, openGateway, pictureOf } from './open-gateway.ts'

let gateway: Gateway
let client: OpenAI
/** How many requests the client has sent, retries included. */
let sent = 0
beforeAll(async () => {
  gateway = await openGateway()
  client = new OpenAI({
    baseURL: gateway.baseURL,
    apiKey: gateway.apiKey,
    fetch: (url, init) => {
      sent++
      return fetch(url, init)
    },
  })
})
afterEach(() => gateway.upstream.play('ok'))
afterAll(() => gateway[Symbol.asyncDispose]())

const prompt = 'a red fox in a snowy forest'
const collage = { model: 'gesso-collage', prompt, size: '256x256' } as const

function bytesOf(one: OpenAI.Image | undefined): Buffer {
  return Buffer.from(one?.b64_json ?? '', 'base64')
}

/** What Gesso says beside OpenAI's own answer. */
function warningsOf(answer: OpenAI.ImagesResponse): unknown {
  return (answer as { warnings?: unknown }).warnings
}

async function failure(call: Promise<unknown>): Promise<APIError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof APIError) return error
  throw new Error('the call did not fail as an APIError')
}

describe('the built-in model', () => {
  test('response_format url, also where nobody says so: a link to a PNG of the asked size', async () => {
    for (const format of ['url', undefined, null] as const) {
      const { data, created } = await client.images.generate({ ...collage, response_format: format })
      expect(Math.abs(created - Date.now() / 1_000)).toBeLessThan(30)
      expect(data?.[0]).not.toHaveProperty('b64_json')
      expect(await pictureOf(await download(data?.[0]?.url))).toBe('png 256x256')
    }
  })

  test('response_format b64_json: the PNG itself, n times another one', async () => {
    const answer = await client.images.generate({ ...collage, response_format: 'b64_json', n: 3 })
    expect(new Set(answer.data?.map((one) => one.b64_json)).size).toBe(3)
    for (const one of answer.data ?? []) {
      expect(one).not.toHaveProperty('url')
      expect(await pictureOf(bytesOf(one))).toBe('png 256x256')
    }
    expect(answer._request_id).toMatch(/^req_/)
  })

  test.each<[string, Partial<OpenAI.ImageGenerateParamsNonStreaming>, string]>([
    ['size auto', { size: 'auto' }, 'png 1024x1024'],
    ['quality hd', { quality: 'hd' }, 'png 256x256'],
    ['quality low', { quality: 'low' }, 'png 256x256'],
    ['style', { style: 'natural' }, 'png 256x256'],
    ['moderation', { moderation: 'low' }, 'png 256x256'],
    ['user', { user: 'user-1' }, 'png 256x256'],
    ['safety_identifier', { safety_identifier: 'hash-1' }, 'png 256x256'],
    ['stream false', { stream: false, partial_images: 0 }, 'png 256x256'],
    ['output_format webp', { output_format: 'webp', output_compression: 40 }, 'webp 256x256'],
    ['output_format jpeg', { output_format: 'jpeg', output_compression: 100 }, 'jpeg 256x256'],
    [
      'null wherever it may stand',
      {
        n: null,
        size: null,
        quality: null,
        style: null,
        background: null,
        moderation: null,
        output_format: null,
        output_compression: null,
        partial_images: null,
        stream: null,
        safety_identifier: null,
      },
      'png 1024x1024',
    ],
  ])('%s is drawn without a warning', async (_name, fields, picture) => {
    const answer = await client.images.generate({ ...collage, ...fields, response_format: 'b64_json' })
    expect(await pictureOf(bytesOf(answer.data?.[0]))).toBe(picture)
    expect(warningsOf(answer)).toBeUndefined()
  })

  test('background transparent is transparent', async () => {
    const wish = { background: 'transparent', response_format: 'b64_json' } as const
    const answer = await client.images.generate({ ...collage, ...wish })
    expect((await sharp(bytesOf(answer.data?.[0])).stats()).isOpaque).toBe(false)
    expect(answer.background).toBe('transparent')
  })

  test('fields beside OpenAI’s, as an object spread into the typed body, work', async () => {
    const beside = {
      watermark: true,
      seed: 41,
      negative_prompt: 'fog',
      aspect_ratio: '1:1',
      guidance: 7,
      num_inference_steps: 12,
      metadata: { order: '12' },
    }
    const answer = await client.images.generate({ ...collage, n: 2, ...beside })
    expect(warningsOf(answer)).toBeUndefined()
    expect(answer.data).toMatchObject([{ seed: 41 }, { seed: 42 }])
  })
})

describe('GPT Image 2', () => {
  test('gets what the client says, and no response_format', async () => {
    const wish = {
      n: 2,
      quality: 'low',
      background: 'opaque',
      moderation: 'low',
      output_format: 'jpeg',
    } as const
    const size = '1536x1024'
    const answer = await client.images.generate({
      model: 'gpt-image-2',
      prompt,
      size,
      ...wish,
      output_compression: 60,
      user: 'user-1',
      response_format: 'b64_json',
    })
    expect(gateway.lastAsked()).toEqual({
      model: 'gpt-image-2',
      prompt,
      size,
      ...wish,
      output_compression: 60,
      safety_identifier: 'user-1',
    })
    expect(warningsOf(answer)).toBeUndefined()
    expect(answer).toMatchObject({ size, quality: 'low', background: 'opaque', output_format: 'jpeg' })
    expect(answer.usage).toMatchObject({
      input_tokens: expect.any(Number),
      input_tokens_details: { text_tokens: expect.any(Number), image_tokens: 0 },
    })
    expect(await pictureOf(bytesOf(answer.data?.[1]))).toBe('jpeg 1536x1024')
  })

  test('a style, which it has none of, is a warning; a seed is a 400', async () => {
    const ask = { model: 'gpt-image-2', prompt } as const
    const answer = await client.images.generate({ ...ask, style: 'vivid' })
    expect(warningsOf(answer)).toMatchObject([{ param: 'style', code: 'unsupported_parameter' }])
    const error = await failure(client.images.generate({ ...ask, ...{ seed: 1 } }))
    expect(error).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'seed' })
  })
})

describe('ids that OpenAI has closed, as old clients call them', () => {
  const retirement = { param: 'model', code: 'deprecated_model' }

  test.each<[string, OpenAI.ImageGenerateParamsNonStreaming, object, string, object[]]>([
    [
      'DALL·E 3 as its documentation shows it',
      { model: 'dall-e-3', prompt, n: 1, size: '1024x1024' },
      { n: 1, size: '1024x1024', quality: 'medium' },
      'png 1024x1024',
      [],
    ],
    [
      'DALL·E 3 with everything it had',
      {
        model: 'dall-e-3',
        prompt,
        n: 1,
        size: '1792x1024',
        quality: 'hd',
        style: 'natural',
        response_format: 'url',
        user: 'u-1',
      },
      { n: 1, size: '1792x1024', quality: 'high', safety_identifier: 'u-1' },
      'png 1792x1024',
      [{ param: 'style' }],
    ],
    [
      'DALL·E 3 in standard quality, with nothing else',
      { model: 'dall-e-3', prompt, quality: 'standard' },
      { n: 1, size: '1024x1024', quality: 'medium' },
      'png 1024x1024',
      [],
    ],
    [
      'DALL·E 2 in its smallest size, five at once',
      { model: 'dall-e-2', prompt, n: 5, size: '256x256', quality: 'standard' },
      { n: 5, size: '1024x1024', quality: 'medium' },
      'png 256x256',
      [],
    ],
    [
      'DALL·E 2 with nothing else',
      { model: 'dall-e-2', prompt },
      { n: 1, size: '1024x1024', quality: 'medium' },
      'png 1024x1024',
      [],
    ],
    [
      'GPT Image 1',
      { model: 'gpt-image-1', prompt, size: '1024x1536', background: 'auto' },
      { n: 1, size: '1024x1536', background: 'auto' },
      'png 1024x1536',
      [],
    ],
  ])('%s', async (_name, ask, asked, picture, warnings) => {
    const answer = await client.images.generate(ask)
    expect(gateway.lastAsked()).toEqual({ model: 'gpt-image-2', prompt, ...asked })
    expect(answer).toMatchObject({ model: ask.model })
    expect(answer.data).toHaveLength(ask.n ?? 1)
    for (const one of answer.data ?? []) expect(await pictureOf(await download(one.url))).toBe(picture)
    expect(warningsOf(answer)).toMatchObject([retirement, ...warnings])
    expect(warningsOf(answer)).toHaveLength(1 + warnings.length)
  })

  test.each<[string, OpenAI.ImageGenerateParamsNonStreaming, object]>([
    ['DALL·E 3 makes one', { model: 'dall-e-3', prompt, n: 2 }, { param: 'n' }],
    ['DALL·E 3 has no small sizes', { model: 'dall-e-3', prompt, size: '512x512' }, { param: 'size' }],
    ['DALL·E 2 has no wide ones', { model: 'dall-e-2', prompt, size: '1792x1024' }, { param: 'size' }],
    [
      'DALL·E 2 reads 1,000 characters',
      { model: 'dall-e-2', prompt: 'a'.repeat(1_001) },
      { param: 'prompt' },
    ],
    [
      'DALL·E 3 edits nothing',
      { model: 'dall-e-3', prompt, ...{ image: 'iVBORw0KGgo=' } },
      { param: 'image' },
    ],
  ])('keep their limits: %s', async (_name, ask, expected) => {
    const before = gateway.upstream.submissions()
    const error = await failure(client.images.generate(ask))
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', ...expected })
    expect(gateway.upstream.submissions()).toBe(before)
  })
})

describe('models', () => {
  test('are listed and retrieved', async () => {
    const ids = []
    for await (const model of client.models.list()) ids.push(model.id)
    expect(ids).toEqual(expect.arrayContaining(['gesso-collage', 'gpt-image-2', 'dall-e-3', 'dall-e-2']))
    for (const id of ids) {
      const model = { id, object: 'model', owned_by: expect.any(String), created: expect.any(Number) }
      expect(await client.models.retrieve(id)).toMatchObject(model)
    }
  })

  test('snapshots of OpenAI are known by their dated ids', async () => {
    const dated = [
      'gpt-image-2-2026-04-21',
      'gpt-image-2.5-sunburst-2026-09-08',
      'gpt-image-2.5-flare-2026-09-08',
    ]
    for (const id of dated) expect(id).toContain((await client.models.retrieve(id)).id)
  })

  test('an unknown one is a NotFoundError', async () => {
    const error = await failure(client.models.retrieve('no-such-model'))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error.code).toBe('model_not_found')
  })
})

describe('errors', () => {
  test.each<[string, object, object]>([
    ['a number out of range', { n: 11 }, { code: 'invalid_image_request', param: 'n' }],
    ['a size that is none', { size: '1x1' }, { code: 'unsupported_parameter', param: 'size' }],
    ['a size with another letter', { size: '256×256' }, { code: 'invalid_image_request', param: 'size' }],
    ['an unknown word', { quality: 'best' }, { code: 'invalid_image_request', param: 'quality' }],
    ['a format that nobody makes', { output_format: 'gif' }, { param: 'output_format' }],
    ['a field that no model knows', { colour: 'red' }, { code: 'unknown_parameter', param: 'colour' }],
    ['no prompt', { prompt: undefined }, { code: 'invalid_image_request', param: 'prompt' }],
    ['no model', { model: undefined }, { code: 'invalid_image_request', param: 'model' }],
  ])('%s: a BadRequestError with its parts and a request id, sent once', async (_name, change, expected) => {
    const before = sent
    const error = await failure(client.images.generate({ ...collage, ...change }))
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', ...expected })
    expect(error.message).toContain((expected as { param: string }).param)
    expect(error.requestID).toMatch(/^req_/)
    expect(sent).toBe(before + 1)
  })

  test('an unknown key is an AuthenticationError', async () => {
    const stranger = new OpenAI({ baseURL: gateway.baseURL, apiKey: generateKey() })
    const error = await failure(stranger.images.generate(collage))
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' })
  })

  test('an unknown model is a NotFoundError', async () => {
    const error = await failure(client.images.generate({ ...collage, model: 'no-such-model' }))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ code: 'model_not_found', type: 'not_found_error', param: 'model' })
  })

  test('a used-up rate is a RateLimitError, a missing scope a PermissionDeniedError', async () => {
    await using database = openDatabase({ connectionString: gateway.world.databaseUrl }, { poolSize: 1 })
    const { id: accountId } = await database.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow()
    const limited = await createKey(database.db, {
      accountId,
      name: 'limited',
      scopes: ['images:write'],
      requestsPerMinute: 1,
    })
    const reader = await createKey(database.db, { accountId, name: 'reader', scopes: ['images:read'] })
    const as = (apiKey: string) => new OpenAI({ baseURL: gateway.baseURL, apiKey, maxRetries: 0 })
    await as(limited.key).images.generate(collage)
    expect(await failure(as(limited.key).images.generate(collage))).toBeInstanceOf(RateLimitError)
    expect(await failure(as(reader.key).images.generate(collage))).toBeInstanceOf(PermissionDeniedError)
  })
})

describe('a provider that fails, and a client that would repeat a 5xx twice', () => {
  const ask = { model: 'gpt-image-2', prompt } as const

  test.each([
    ['moderation', BadRequestError, 'moderation_blocked'],
    ['500', InternalServerError, 'upstream_failed'],
    ['empty', InternalServerError, 'upstream_invalid_response'],
    ['truncated', InternalServerError, expect.any(String)],
  ] as const)('%s: asked once, because it may have cost money', async (scenario, kind, code) => {
    const before = { sent, submissions: gateway.upstream.submissions() }
    await gateway.upstream.play(scenario)
    const error = await failure(client.images.generate(ask))
    expect(error).toBeInstanceOf(kind)
    expect(error.code).toEqual(code)
    expect(sent).toBe(before.sent + 1)
    expect(gateway.upstream.submissions()).toBe(before.submissions + 1)
  })

  test('503 before any work: the client asks again by itself, and gets its picture', async () => {
    const before = sent
    await gateway.upstream.play('503', 1)
    const { data } = await client.images.generate(ask)
    expect(data).toHaveLength(1)
    expect(sent).toBe(before + 2)
  })
})
