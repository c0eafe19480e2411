import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeOpenAiOptions, fakeOpenAiKey, startFakeOpenAi } from './openai.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
})

/** The fake, and the official client that judges it. */
async function start(options: FakeOpenAiOptions = {}, apiKey = fakeOpenAiKey) {
  const fake = await startFakeOpenAi(options)
  opened.push(fake)
  const client = new OpenAI({ apiKey, baseURL: fake.url, maxRetries: 0, timeout: 2_000 })
  return { fake, client }
}

async function sizeOf(base64: string | undefined) {
  const { width, height, format } = await sharp(Buffer.from(base64 ?? '', 'base64')).metadata()
  return { width, height, format }
}

const ask = { model: 'gpt-image-2', prompt: 'a heron at dawn' } as const

describe('the official client, talking to the fake OpenAI', () => {
  it('generates pictures of the size and format it asks for', async () => {
    const { fake, client } = await start()
    const reply = await client.images.generate({
      ...ask,
      n: 2,
      size: '1536x1024',
      output_format: 'webp',
      quality: 'low',
    })
    const data = reply.data ?? []
    expect(data).toHaveLength(2)
    expect(await sizeOf(data[1]?.b64_json)).toEqual({ width: 1536, height: 1024, format: 'webp' })
    expect(data[0]?.b64_json).not.toBe(data[1]?.b64_json)
    expect(reply._request_id).toMatch(/^req_/)
    expect(fake.submissions()).toBe(1)
    expect(fake.requests[0]).toMatchObject({ method: 'POST', body: { ...ask, n: 2 } })
  })

  it('reads effective values and usage, with the tokens of the price table', async () => {
    const { client } = await start()
    const reply = await client.images.generate({ ...ask, quality: 'high', size: '1024x1024' })
    expect(reply).toMatchObject({
      size: '1024x1024',
      quality: 'high',
      background: 'opaque',
      output_format: 'png',
    })
    expect(reply.usage).toMatchObject({ output_tokens: 7_024, input_tokens_details: { image_tokens: 0 } })
  })

  it('edits by form', async () => {
    const { fake, client } = await start()
    const image = await toFile(Buffer.from('picture'), 'a.png', { type: 'image/png' })
    const reply = await client.images.edit({ ...ask, image: [image, image] })
    expect(await sizeOf(reply.data?.[0]?.b64_json)).toMatchObject({ format: 'png' })
    expect(fake.requests[0]?.body).toMatchObject({
      'image[]': [Buffer.from('picture'), Buffer.from('picture')],
    })
  })

  it('lists models', async () => {
    const { client } = await start()
    expect((await client.models.list()).data.map((model) => model.id)).toContain('gpt-image-2')
  })

  it.each<[string, object, object]>([
    [
      'response_format',
      { response_format: 'b64_json' },
      { status: 400, code: 'unknown_parameter', message: "400 Unknown parameter: 'response_format'." },
    ],
    ['unknown fields', { seed: 7 }, { status: 400, code: 'unknown_parameter', param: 'seed' }],
    ['a bad size', { size: '1000x1000' }, { status: 400, code: 'invalid_value', param: 'size' }],
    ['a bad quality', { quality: 'hd' }, { status: 400, code: 'invalid_value', param: 'quality' }],
    ['too many', { n: 11 }, { status: 400, code: 'integer_above_max_value', param: 'n' }],
    ['no prompt', { prompt: '' }, { status: 400, code: 'missing_required_parameter', param: 'prompt' }],
    ['a retired model', { model: 'dall-e-3' }, { status: 404, code: 'model_not_found' }],
  ])('is refused %s', async (_, change, expected) => {
    const { client } = await start()
    await expect(client.images.generate({ ...ask, ...change })).rejects.toMatchObject(expected)
  })

  it('is refused with a bad key', async () => {
    const { client } = await start({}, 'sk-wrong')
    const generation = client.images.generate(ask)
    await expect(generation).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  it('meets failures on demand, and then none', async () => {
    const { fake, client } = await start()
    await fake.play('moderation')
    await expect(client.images.generate(ask)).rejects.toMatchObject({
      status: 400,
      code: 'moderation_blocked',
    })
    await fake.play('429', 1)
    await expect(client.images.generate(ask)).rejects.toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
    })
    expect((await client.images.generate(ask)).data).toHaveLength(1)
    await fake.play('refused')
    await expect(client.images.generate(ask)).rejects.toThrow('Connection error')
    await fake.play('ok')
    expect((await client.images.generate(ask)).data).toHaveLength(1)
    expect(fake.submissions()).toBe(4)
  })

  it('waits as long as it is told to', async () => {
    const { client } = await start({ latencyMs: 80 })
    const started = performance.now()
    await client.images.generate(ask)
    expect(performance.now() - started).toBeGreaterThanOrEqual(75)
  })
})

describe('the official client, talking to a fake compatible server', () => {
  it('gets URLs by default, base64 on request, and needs no key', async () => {
    const { client } = await start({ dialect: 'openai-compatible' }, 'none')
    const compatible = { model: 'z-image-turbo', prompt: 'a heron', size: '512x512' } as const
    const { data: hosted } = await client.images.generate(compatible)
    const file = await fetch(hosted?.[0]?.url ?? '')
    expect(file.headers.get('content-type')).toBe('image/png')
    expect((await sharp(await file.arrayBuffer()).metadata()).width).toBe(512)
    const { data: inline } = await client.images.generate({ ...compatible, response_format: 'b64_json' })
    expect(await sizeOf(inline?.[0]?.b64_json)).toEqual({ width: 512, height: 512, format: 'png' })
  })
})
