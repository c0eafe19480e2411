/** A key that fills in what its caller leaves out: the caller's own word always wins, and no default breaks a call. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KeyDefaults } from '../../src/keys/key-defaults.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import { type Answer, type DrawingWorld, dataUri, type Json, openDrawingWorld } from './drawing-world.ts'

let upstream: FakeUpstream
let world: DrawingWorld
let database: pg.Client
beforeAll(async () => {
  upstream = await startFakeOpenAi({ apiKey: null, otherSize: { width: 64, height: 64 } })
  world = await openDrawingWorld(
    'models:\n  - { id: own, provider: openai, upstream_model: gpt-image-2, dialect: gpt-image }\n',
    {
      OPENAI_BASE_URL: upstream.url,
    },
  )
  database = new pg.Client({ connectionString: world.databaseUrl })
  await database.connect()
})
afterAll(async () => {
  await database.end()
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

/** Callers of a key with these defaults. */
async function withKey(defaults: KeyDefaults) {
  const authorization = `Bearer ${await world.createKey({ defaults })}`
  return (body: object, headers: Record<string, string> = {}, path?: string): Promise<Answer> =>
    world.draw({ prompt: 'a fox', ...body }, { headers: { authorization, ...headers }, path })
}

const lastSent = () => upstream.requests.at(-1)?.body as Json

async function bucketOf(imageId: string): Promise<string | undefined> {
  const { rows } = await database.query(
    'select buckets.name from images left join buckets on buckets.id = images.bucket_id where images.id = $1',
    [imageId],
  )
  return rows[0]?.name ?? undefined
}

describe('what the caller leaves out', () => {
  test('is filled in: model, form, format, compression, quality, bucket', async () => {
    const call = await withKey({
      model: 'gpt-image-2',
      response_format: 'b64_json',
      output_format: 'webp',
      output_compression: 40,
      quality: 'hd',
      moderation: 'low',
      bucket: 'Team Alpha',
    })
    const { status, json, text } = await call({})
    expect(status, text).toBe(200)
    expect(json).toMatchObject({ model: 'gpt-image-2', output_format: 'webp', bucket: 'team-alpha' })
    expect(json.warnings).toBeUndefined()
    expect(Object.keys(json.data[0])).toContain('b64_json')
    expect(await bucketOf(json.data[0].image_id)).toBe('team-alpha')
    expect(lastSent()).toMatchObject({
      model: 'gpt-image-2',
      quality: 'high',
      moderation: 'low',
      output_format: 'webp',
      output_compression: 40,
    })
  })

  test('null counts as left out', async () => {
    const call = await withKey({ model: 'gpt-image-2', quality: 'low' })
    expect((await call({ model: null, quality: null })).status).toBe(200)
    expect(lastSent().quality).toBe('low')
  })

  test('is filled in for edits and variations too', async () => {
    const call = await withKey({ model: 'gpt-image-2', quality: 'low' })
    const image = await dataUri({ width: 64, height: 64 })
    const { status, text, json } = await call({ image }, {}, '/v1/images/edits')
    expect(status, text).toBe(200)
    expect([json.model, lastSent().quality]).toEqual(['gpt-image-2', 'low'])
  })

  test('without a default model a model must be named', async () => {
    const call = await withKey({ quality: 'low' })
    const { status, json } = await call({})
    expect([status, json.error.param]).toEqual([400, 'model'])
  })

  test('the key’s form wins over what a client is known for', async () => {
    const call = await withKey({ model: 'gpt-image-2', response_format: 'url' })
    const { json } = await call({}, { 'user-agent': 'ai-sdk/openai/4' })
    expect(Object.keys(json.data[0])).toContain('url')
  })
})

describe('the caller’s own word wins', () => {
  test('over every default', async () => {
    const call = await withKey({
      model: 'nobody',
      response_format: 'b64_json',
      output_format: 'jpeg',
      output_compression: 10,
      quality: 'low',
      bucket: 'theirs',
      size: '1536x1024',
      enhance_prompt: true,
      watermark: true,
    })
    const { status, json, text } = await call({
      model: 'gpt-image-2',
      response_format: 'url',
      output_format: 'webp',
      output_compression: 90,
      quality: 'medium',
      bucket: 'mine',
      size: '1024x1024',
      enhance_prompt: false,
      watermark: false,
    })
    expect(status, text).toBe(200)
    expect(json).toMatchObject({ model: 'gpt-image-2', output_format: 'webp', bucket: 'mine' })
    expect(json.prompt_optimization).toBeUndefined()
    expect(Object.keys(json.data[0])).toContain('url')
    expect(lastSent()).toMatchObject({
      quality: 'medium',
      size: '1024x1024',
      output_format: 'webp',
      output_compression: 90,
    })
  })

  // What is said in other words is said all the same.
  test.each<[KeyDefaults, object, object]>([
    [{ size: '1024x1024' }, { aspect_ratio: '3:2' }, { size: '1248x832' }],
    [{ size: '1024x1024' }, { image_size: '2K' }, { size: '2048x2048' }],
    [
      { output_format: 'jpeg', output_compression: 10 },
      { output_quality: 90 },
      { output_format: 'jpeg', output_compression: 90 },
    ],
    [{ output_format: 'jpeg', output_compression: 10 }, { output_format: 'png' }, { output_format: 'png' }],
    [
      { output_compression: 10 },
      { output_format: 'webp' },
      { output_format: 'webp', output_compression: 10 },
    ],
    [{ output_format: 'jpeg' }, { background: 'transparent' }, { background: 'transparent' }],
    [{ background: 'transparent' }, { output_format: 'jpeg' }, { output_format: 'jpeg' }],
    [{ enhance_prompt: true }, { optimize_prompt: false }, { prompt: 'a fox' }],
  ])('default %j, asked %j: %j', async (defaults, body, told) => {
    const call = await withKey({ model: 'gpt-image-2', ...defaults })
    const { status, json, text } = await call(body)
    expect(status, text).toBe(200)
    expect(lastSent()).toMatchObject(told)
    const dropped = ['output_format', 'output_compression', 'background'].filter((name) => !(name in told))
    for (const name of dropped) expect(lastSent(), name).not.toHaveProperty(name)
    expect(json.prompt_optimization).toBeUndefined()
  })

  test('and is judged as strictly as without a key’s defaults', async () => {
    const call = await withKey({ model: 'gpt-image-2', negative_prompt: 'dogs' })
    // A default must not take away what the caller got wrong.
    const lone = await call({ output_compression: 50 })
    expect([lone.status, lone.json.error?.param], lone.text).toEqual([400, 'output_compression'])
    const seed = await call({ seed: 1 })
    expect([seed.status, seed.json.error?.param]).toEqual([400, 'seed'])
    const both = await call({ size: '1024x1024', aspect_ratio: '16:9' })
    expect([both.status, both.json.error?.param]).toEqual([400, 'aspect_ratio'])
  })
})

describe('a default that the model cannot do', () => {
  test.each(['', 'handling=strict', 'handling=lenient'])('is no error: %s', async (prefer) => {
    const call = await withKey({ model: 'gpt-image-2', negative_prompt: 'dogs', style: 'vivid' })
    const { status, json, text } = await call({}, prefer ? { prefer } : {})
    expect(status, text).toBe(200)
    // A picture field is told; a hint that nobody asked for is not worth a word.
    expect(json.warnings.map((one: Json) => one.param)).toEqual(['negative_prompt'])
    expect(lastSent()).not.toHaveProperty('negative_prompt')
    expect(lastSent()).not.toHaveProperty('style')
  })

  test('a size it cannot draw becomes the nearest', async () => {
    const call = await withKey({ model: 'gpt-image-2', size: '512x512' })
    const { status, json, text } = await call({})
    expect(status, text).toBe(200)
    expect(json.size).toBe('512x512')
    expect(json.warnings).toMatchObject([{ param: 'size' }])
  })

  test('does its work with a model that can', async () => {
    const call = await withKey({ model: 'gpt-image-2', negative_prompt: 'dogs' })
    const { status, json, text } = await call({ model: 'gesso-collage', size: '64x64' })
    expect(status, text).toBe(200)
    expect(json.warnings).toBeUndefined()
  })

  test('`auto` and the like ask for nothing at all', async () => {
    const call = await withKey({ model: 'own', size: 'auto', quality: 'auto', background: 'auto' })
    const { status, json, text } = await call({}, { prefer: 'handling=strict' })
    expect([status, json.warnings], text).toEqual([200, undefined])
  })
})

// The command line makes no such key; one may have been made before it looked.
describe('a default that is nonsense', () => {
  test.each<[KeyDefaults, string]>([
    [{ quality: 'ultra' }, 'quality'],
    [{ output_format: 'tiff' }, 'output_format'],
    [{ background: 'pink' }, 'background'],
    [{ style: 'loud' }, 'style'],
    [{ size: 'large' }, 'size'],
    [{ size: '1024X1024' }, 'size'],
    [{ bucket: '!!!' }, 'bucket'],
  ])('%j is a 400 that names it, and the caller can overrule it', async (defaults, name) => {
    const call = await withKey({ model: 'gpt-image-2', ...defaults })
    const before = upstream.requests.length
    const { status, json } = await call({})
    expect([status, json.error?.param]).toEqual([400, name])
    expect(json.error.message).toContain(name)
    expect(upstream.requests.length).toBe(before)
    const good = {
      quality: 'low',
      output_format: 'png',
      background: 'opaque',
      size: '1024x1024',
      bucket: 'b',
    }
    const own = await call({ ...good, ...(name === 'style' ? { style: 'vivid' } : {}) })
    expect(own.status, own.text).toBe(200)
  })

  test('a default model that does not exist is a 404', async () => {
    const call = await withKey({ model: 'nobody' })
    expect((await call({})).json.error.code).toBe('model_not_found')
  })
})

describe('/api/v1 with a key that has defaults', () => {
  test.each<[KeyDefaults]>([
    [{ output_format: 'jpeg', output_compression: 40 }],
    [{ output_format: 'webp', background: 'transparent' }],
    [{ response_format: 'b64_json', style: 'vivid', bucket: 'Mine', quality: 'high' }],
  ])('%j still answers with links to PNG files', async (defaults) => {
    const call = await withKey({ model: 'gpt-image-2', ...defaults })
    const { status, json, text } = await call({}, {}, '/api/v1/images/generations')
    expect(status, text).toBe(200)
    expect(json.data[0].url).toMatch(/\.png$/)
    expect(json).toMatchObject({
      quality: defaults.quality ?? 'low',
      bucket: defaults.bucket ? 'mine' : 'default',
    })
  })

  test('optimize_prompt false overrules a key that always rewrites', async () => {
    const call = await withKey({ model: 'gpt-image-2', enhance_prompt: true })
    const path = '/api/v1/images/generations'
    expect((await call({ optimize_prompt: false }, {}, path)).json.prompt_optimization).toBeUndefined()
    expect((await call({}, {}, path)).json.prompt_optimization).toMatchObject({ model: 'gesso-optimizer' })
  })
})
