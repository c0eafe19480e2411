/** The official client, newest version, with nothing changed but base URL and key. */
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { createKey } from '../../src/keys/create-key.ts'
import { generateKey } from '../../src/keys/key-format.ts'
import { openWorld, type World } from '../setup/world.ts'

let world: World
let client: OpenAI
beforeAll(async () => {
  world = await openWorld()
  client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: world.key, maxRetries: 0 })
})
afterAll(() => world[Symbol.asyncDispose]())

const good = { model: 'gesso-collage', prompt: 'a red fox in a snowy forest', size: '512x512' } as const

async function sizeOf(bytes: Buffer): Promise<string> {
  const { width, height, format } = await sharp(bytes).metadata()
  return `${format} ${width}x${height}`
}

test('response_format url: a link to a PNG of the asked size', async () => {
  const { data, created } = await client.images.generate({ ...good, response_format: 'url' })
  expect(Math.abs(created - Date.now() / 1_000)).toBeLessThan(30)
  const picture = await fetch(data?.[0]?.url ?? '')
  expect(await sizeOf(Buffer.from(await picture.arrayBuffer()))).toBe('png 512x512')
})

test('response_format b64_json: the PNG itself', async () => {
  const { data } = await client.images.generate({ ...good, response_format: 'b64_json', n: 2 })
  expect(data).toHaveLength(2)
  for (const one of data ?? [])
    expect(await sizeOf(Buffer.from(one.b64_json ?? '', 'base64'))).toBe('png 512x512')
})

test('models are listed and retrieved', async () => {
  const ids = []
  for await (const model of client.models.list()) ids.push(model.id)
  expect(ids).toContain('gesso-collage')
  expect((await client.models.retrieve('gesso-collage')).owned_by).toBe('gesso')
})

async function failure(call: Promise<unknown>): Promise<APIError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof APIError) return error
  throw new Error('the call did not fail as an APIError')
}

test('a bad value is a BadRequestError with code, param and request id', async () => {
  const error = await failure(client.images.generate({ ...good, n: 11 }))
  expect(error).toBeInstanceOf(BadRequestError)
  expect(error).toMatchObject({
    status: 400,
    code: 'invalid_image_request',
    param: 'n',
    type: 'invalid_request_error',
  })
  expect(error.requestID).toMatch(/^req_/)
})

test('an unknown key is an AuthenticationError', async () => {
  const stranger = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: generateKey(), maxRetries: 0 })
  const error = await failure(stranger.images.generate(good))
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(error.code).toBe('invalid_api_key')
})

test('an unknown model is a NotFoundError', async () => {
  const error = await failure(client.images.generate({ ...good, model: 'no-such-model' }))
  expect(error).toBeInstanceOf(NotFoundError)
  expect(error.code).toBe('model_not_found')
})

test('a used-up rate is a RateLimitError, a missing scope a PermissionDeniedError', async () => {
  await using database = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
  const { id: accountId } = await database.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow()
  const limited = await createKey(database.db, {
    accountId,
    name: 'limited',
    scopes: ['images:write'],
    requestsPerMinute: 1,
  })
  const reader = await createKey(database.db, { accountId, name: 'reader', scopes: ['images:read'] })
  const as = (apiKey: string) => new OpenAI({ baseURL: `${world.url}/v1`, apiKey, maxRetries: 0 })
  await as(limited.key).images.generate(good)
  expect(await failure(as(limited.key).images.generate(good))).toBeInstanceOf(RateLimitError)
  expect(await failure(as(reader.key).images.generate(good))).toBeInstanceOf(PermissionDeniedError)
})

test('a refused request is sent once: the client does not retry what must not be retried', async () => {
  let sent = 0
  const counting = new OpenAI({
    baseURL: `${world.url}/v1`,
    apiKey: world.key,
    maxRetries: 5,
    fetch: (url, init) => {
      sent++
      return fetch(url, init)
    },
  })
  await failure(counting.images.generate({ ...good, size: '1x1' }))
  expect(sent).toBe(1)
})
