import { createHash } from 'node:crypto'
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

const redSize = { width: 48, height: 32 }
const red = await sharp({ create: { ...redSize, channels: 3, background: '#ff0000' } })
  .png()
  .toBuffer()

function upload(bytes: Buffer, name: string, type: string) {
  return toFile(bytes, name, { type })
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function middleOf(picture: Buffer): Promise<number[]> {
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
  const at = (info.width * (info.height >> 1) + (info.width >> 1)) * info.channels
  return [...data.subarray(at, at + 3)]
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

describe('the official client, editing at the fake OpenAI', () => {
  it('sends one picture as it is, and gets one made of it, as upright as it', async () => {
    const { fake, client } = await start()
    const reply = await client.images.edit({ ...ask, image: await upload(red, 'a.png', 'image/png') })
    expect(reply).toMatchObject({ size: '1536x1024', usage: { input_tokens_details: { image_tokens: 256 } } })
    const base64 = reply.data?.[0]?.b64_json
    expect(await sizeOf(base64)).toEqual({ width: 1536, height: 1024, format: 'png' })
    expect(await middleOf(Buffer.from(base64 ?? '', 'base64'))).toEqual([255, 0, 0])
    expect(fake.requests[0]?.body).toEqual({
      ...ask,
      image: expect.objectContaining({
        filename: 'a.png',
        mediaType: 'image/png',
        sizeBytes: red.length,
        sha256: sha256(red),
        format: 'png',
        width: 48,
        height: 32,
        hasAlpha: false,
      }),
    })
  })

  it('sends four pictures and a mask, each as it is', async () => {
    const { fake, client } = await start()
    const webp = await sharp(red).webp().toBuffer()
    const jpeg = await sharp(red).rotate(90).jpeg().toBuffer()
    const mask = await sharp({ create: { ...redSize, channels: 4, background: 'transparent' } })
      .png()
      .toBuffer()
    const reply = await client.images.edit({
      ...ask,
      model: 'gpt-image-1.5',
      image: [
        await upload(webp, '1.webp', 'image/webp'),
        await upload(red, '2.png', 'image/png'),
        await upload(jpeg, '3.jpg', 'image/jpeg'),
        await upload(red, '4.png', 'image/png'),
      ],
      mask: await upload(mask, 'mask.png', 'image/png'),
      n: 2,
      size: '1024x1024',
      input_fidelity: 'high',
      output_format: 'webp',
      quality: 'low',
    })
    expect(reply.data).toHaveLength(2)
    expect(reply.data?.[0]?.b64_json).not.toBe(reply.data?.[1]?.b64_json)
    expect(await sizeOf(reply.data?.[1]?.b64_json)).toEqual({ width: 1024, height: 1024, format: 'webp' })
    expect(reply.usage?.input_tokens_details?.image_tokens).toBe(4 * 256)
    expect(fake.requests[0]?.body).toMatchObject({
      'image[]': [
        { sha256: sha256(webp), format: 'webp', width: 48, height: 32 },
        { sha256: sha256(red), format: 'png' },
        { sha256: sha256(jpeg), format: 'jpeg', width: 32, height: 48 },
        { sha256: sha256(red), filename: '4.png' },
      ],
      mask: { sha256: sha256(mask), hasAlpha: true },
      n: '2',
      input_fidelity: 'high',
    })
  })

  const transparent = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 4, background: 'transparent' } })
      .png()
      .toBuffer()

  it.each<[string, () => Promise<object>, object]>([
    [
      'what is no picture',
      async () => ({ image: await upload(Buffer.from('text'), 'a.png', 'image/png') }),
      { code: 'invalid_image_file', param: 'image' },
    ],
    [
      'a GIF that calls itself a PNG',
      async () => ({ image: await upload(await sharp(red).gif().toBuffer(), 'a.png', 'image/png') }),
      { code: 'invalid_image_file' },
    ],
    [
      'too many pictures',
      async () => ({ image: Array(17).fill(await upload(red, 'a.png', 'image/png')) }),
      { code: 'array_above_max_length', param: 'image' },
    ],
    ['an empty list', async () => ({ image: [] }), { code: 'missing_required_parameter', param: 'image' }],
    [
      'a mask of another size',
      async () => ({ mask: await upload(await transparent(48, 33), 'm.png', 'image/png') }),
      { code: 'invalid_mask_image_size', param: 'mask' },
    ],
    [
      'a mask without transparency',
      async () => ({ mask: await upload(red, 'm.png', 'image/png') }),
      { code: 'invalid_mask_image_format', param: 'mask' },
    ],
    [
      'a mask that is no PNG',
      async () => ({ mask: await upload(await sharp(red).webp().toBuffer(), 'm.png', 'image/png') }),
      { code: 'invalid_mask_image_format' },
    ],
    ['unknown fields', async () => ({ strength: 0.5 }), { code: 'unknown_parameter', param: 'strength' }],
    ['response_format', async () => ({ response_format: 'b64_json' }), { code: 'unknown_parameter' }],
    [
      'input_fidelity with GPT Image 2',
      async () => ({ input_fidelity: 'high' }),
      { code: 'invalid_input_fidelity_model', type: 'image_generation_user_error' },
    ],
  ])('is refused %s', async (_, change, expected) => {
    const { client } = await start()
    const image = await upload(red, 'a.png', 'image/png')
    const call = client.images.edit({ ...ask, image, ...(await change()) })
    await expect(call).rejects.toMatchObject({ status: 400, ...expected })
  })

  it('is refused a picture of 50 MB', async () => {
    const { client } = await start()
    const image = await upload(Buffer.concat([red, Buffer.alloc(50 * 1024 * 1024)]), 'a.png', 'image/png')
    await expect(client.images.edit({ ...ask, image }, { timeout: 20_000 })).rejects.toMatchObject({
      status: 413,
    })
  })
})

describe('an edit in JSON, at the fake OpenAI', () => {
  async function edit(body: object) {
    const { fake } = await start()
    const headers = { authorization: `Bearer ${fakeOpenAiKey}`, 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify({ ...ask, ...body }) }
    const response = await fetch(`${fake.url}/images/edits`, init)
    return { fake, status: response.status, json: (await response.json()) as { error?: object } }
  }
  const image_url = `data:image/png;base64,${red.toString('base64')}`

  it('has its pictures as data URIs', async () => {
    const { fake, status } = await edit({ images: [{ image_url }] })
    expect(status).toBe(200)
    expect(fake.requests[0]?.body).toMatchObject({ images: [{ image_url: { sha256: sha256(red) } }] })
  })

  it.each<[string, object, string]>([
    ['no pictures', {}, 'missing_required_parameter'],
    ['a picture by a name of the form', { image: image_url }, 'unknown_parameter'],
    ['a bare data URI', { images: [image_url] }, 'invalid_value'],
    ['two references in one', { images: [{ image_url, file_id: 'file-1' }] }, 'invalid_value'],
    [
      'an address that it cannot reach',
      { images: [{ image_url: 'https://a.test/a.png' }] },
      'invalid_image_url',
    ],
  ])('is refused with %s', async (_, body, code) => {
    expect(await edit(body)).toMatchObject({ status: 400, json: { error: { code } } })
  })
})

describe('the official client, talking to a fake compatible server', () => {
  it.each([
    ['b64', false, 'full'],
    ['url', true, undefined],
    ['both', true, 'full'],
    ['empty-b64', true, ''],
    ['empty-url', '', 'full'],
  ] as const)('gets each picture as %s when told so, of the size told', async (answerAs, url, b64) => {
    const otherSize = { width: 40, height: 30 }
    const { client } = await start({ dialect: 'openai-compatible', answerAs, otherSize })
    const { data } = await client.images.generate({
      model: 'z-image-turbo',
      prompt: 'a heron',
      size: '512x512',
    })
    const [item] = data ?? []
    expect(item?.url).toEqual(url === true ? expect.stringMatching(/^http/) : url === false ? undefined : url)
    if (b64 !== 'full') expect(item?.b64_json).toBe(b64)
    const bytes = item?.b64_json
      ? Buffer.from(item.b64_json, 'base64')
      : await (await fetch(item?.url ?? '')).arrayBuffer()
    expect(await sharp(bytes).metadata()).toMatchObject(otherSize)
  })

  it('edits pictures of any kind, and ignores what it does not know', async () => {
    const { client } = await start({ dialect: 'openai-compatible' })
    const image = await upload(await sharp(red).gif().toBuffer(), 'a.gif', 'image/gif')
    const more = { response_format: 'b64_json', seed: 7, guidance: 3 } as const
    const { data } = await client.images.edit({ model: 'qwen-image', prompt: 'a hat', image, ...more })
    expect(data).toMatchObject([{ seed: 7 }])
    expect(await middleOf(Buffer.from(data?.[0]?.b64_json ?? '', 'base64'))).toEqual([255, 0, 0])
  })

  it('makes one picture per call, or fails at some calls, when told so', async () => {
    const options = { onePerCall: true, failCalls: [2], failEvery: 4 }
    const { fake, client } = await start({ dialect: 'openai-compatible', ...options })
    const told: unknown[] = []
    for (let call = 1; call <= 8; call += 1) {
      const generation = client.images.generate({ model: 'z-image-turbo', prompt: 'a heron', n: 3 })
      told.push(await generation.then(({ data }) => data?.length).catch((error) => error.status))
    }
    expect(told).toEqual([1, 500, 1, 500, 1, 1, 1, 500])
    expect(fake.submissions()).toBe(8)
  })

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
