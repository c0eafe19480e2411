import OpenAI from 'openai'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeArkOptions, fakeArkKey, startFakeArk } from './ark.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
})

/** The fake, a plain caller as in the documentation's cURL examples, and the OpenAI client that ByteDance recommends. */
async function start(options: FakeArkOptions = {}, apiKey = fakeArkKey) {
  const fake = await startFakeArk({ otherSize: { width: 96, height: 64 }, ...options })
  opened.push(fake)
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` }
  const post = async (body: object) => {
    const response = await fetch(`${fake.url}/images/generations`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const client = new OpenAI({ apiKey, baseURL: fake.url, maxRetries: 0, timeout: 2_000 })
  return { fake, post, client }
}

const ask = { model: 'doubao-seedream-4-0-250828', prompt: 'an interstellar train' }
const red = await sharp({ create: { width: 48, height: 32, channels: 3, background: '#ff0000' } })
  .png()
  .toBuffer()
const redUri = `data:image/png;base64,${red.toString('base64')}`

async function kindOf(bytes: Buffer) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

describe('the documented calls', () => {
  // "Image generation API", examples "Text to image" and "Image to image", read 2026-11-20.
  it('give an address, under which the picture lies for anyone', async () => {
    const { post } = await start()
    const body = { ...ask, size: '2K', sequential_image_generation: 'disabled', watermark: true }
    const { status, headers, text } = await post({ ...body, stream: false, response_format: 'url' })
    expect(status).toBe(200)
    expect(headers.get('x-request-id')).toMatch(/^021/)
    const reply = JSON.parse(text)
    expect(reply).toEqual({
      model: ask.model,
      created: expect.any(Number),
      data: [{ url: expect.stringMatching(/\.jpeg\?X-Tos-Expires=86400/), size: '96x64' }],
      usage: { generated_images: 1, output_tokens: 16_384, total_tokens: 16_384 },
    })
    const bytes = Buffer.from(await (await fetch(reply.data[0].url)).arrayBuffer())
    expect(await kindOf(bytes)).toEqual({ width: 96, height: 64, format: 'jpeg' })
  })

  it('change the pictures that come along, as data URIs or addresses', async () => {
    const { fake, post } = await start()
    const image = [redUri, 'https://ark-project.tos-cn-beijing.volces.com/doc_image/seedream4_1.png']
    const { text } = await post({ ...ask, image, response_format: 'b64_json' })
    const reply = JSON.parse(text)
    const { data } = await sharp(Buffer.from(reply.data[0].b64_json, 'base64'))
      .extract({ left: 48, top: 32, width: 1, height: 1 })
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect(data[0]).toBeGreaterThan(240)
    expect(reply.usage).toMatchObject({ input_images: 2, generated_images: 1 })
    expect(fake.requests[0]?.body).toMatchObject({ image: [{ format: 'png' }, image[1]] })
  })

  // "Image generation API", example "Batch image generation with streaming", read 2026-11-20.
  it('stream a series, event by event', async () => {
    const { post } = await start()
    const { text, headers } = await post({
      ...ask,
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 2 },
      stream: true,
    })
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/)
    const events = text.trim().split('\n\n')
    expect(events.pop()).toBe('data: [DONE]')
    const told = events.map((event) => {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? []
      const json = JSON.parse(data ?? '')
      expect(json.type).toBe(name)
      return json
    })
    expect(told).toMatchObject([
      { type: 'image_generation.partial_succeeded', image_index: 0, url: expect.any(String), size: '96x64' },
      { type: 'image_generation.partial_succeeded', image_index: 1 },
      { type: 'image_generation.completed', usage: { generated_images: 2, total_tokens: 32_768 } },
    ])
  })
})

describe('the OpenAI client, talking to the fake Ark', () => {
  // "Compatible with the OpenAI SDK", read 2026-11-20: Ark's own fields stand beside OpenAI's.
  it('draws with Ark’s fields among its own', async () => {
    const { fake, client } = await start()
    const extra = { watermark: false, image: redUri, sequential_image_generation: 'disabled' }
    const reply = await client.images.generate({
      model: 'doubao-seedream-5-0-260128',
      prompt: ask.prompt,
      response_format: 'b64_json',
      output_format: 'png',
      ...extra,
    })
    expect(await kindOf(Buffer.from(reply.data?.[0]?.b64_json ?? '', 'base64'))).toMatchObject({
      format: 'png',
    })
    expect(reply.data?.[0]).toMatchObject({ output_format: 'png', size: '96x64' })
    expect(reply.usage).toMatchObject({ output_tokens: 16_384 })
    const body = { ...extra, image: { format: 'png', width: 48 } }
    expect(fake.requests[0]).toMatchObject({ path: '/api/v3/images/generations', body })
  })

  it.each<[string, object, object]>([
    ['no prompt', { prompt: '' }, { status: 400, code: 'MissingParameter', param: 'prompt' }],
    ['n', { n: 2 }, { status: 400, code: 'InvalidParameter', param: 'n' }],
    ['a seed', { seed: 7 }, { status: 400, code: 'InvalidParameter', param: 'seed' }],
    ['a small size', { model: 'doubao-seedream-4-5-251128', size: '1024x1024' }, { param: 'size' }],
    ['a long size', { size: '16400x1000' }, { param: 'size' }],
    ['an unknown class', { model: 'doubao-seedream-4-5-251128', size: '1K' }, { param: 'size' }],
    ['a format of 4.0', { output_format: 'png' }, { param: 'output_format' }],
    ['WebP', { model: 'doubao-seedream-5-0-260128', output_format: 'webp' }, { param: 'output_format' }],
    [
      'series of Pro',
      { model: 'doubao-seedream-5-0-pro-260628', sequential_image_generation: 'disabled' },
      { status: 400, param: 'sequential_image_generation' },
    ],
    ['streams of Pro', { model: 'doubao-seedream-5-0-pro-260628', stream: true }, { param: 'stream' }],
    [
      'a series too long',
      {
        image: Array.from({ length: 8 }, () => redUri),
        sequential_image_generation: 'auto',
        sequential_image_generation_options: { max_images: 8 },
      },
      { param: 'sequential_image_generation_options.max_images' },
    ],
    ['eleven pictures', { image: Array.from({ length: 11 }, () => redUri) }, { param: 'image' }],
    ['what is no picture', { image: 'data:image/png;base64,AAAA' }, { param: 'image' }],
    [
      'BytePlus’s names',
      { model: 'seedream-4-0-250828' },
      { status: 404, code: 'InvalidEndpointOrModel.NotFound' },
    ],
  ])('is refused %s', async (_, change, expected) => {
    const { client } = await start()
    await expect(client.images.generate({ ...ask, ...change })).rejects.toMatchObject(expected)
  })

  it('is refused with a bad key', async () => {
    const { client } = await start({}, 'wrong')
    await expect(client.images.generate(ask)).rejects.toMatchObject({
      status: 401,
      code: 'AuthenticationError',
      type: 'Unauthorized',
    })
  })

  it('finds the models of BytePlus under their own names', async () => {
    const { client } = await start({ site: 'byteplus' })
    const model = 'dola-seedream-5-0-pro-260628'
    expect((await client.images.generate({ ...ask, model })).data).toHaveLength(1)
    const chinese = client.images.generate({ ...ask, model: 'doubao-seedream-4-0-250828' })
    await expect(chinese).rejects.toMatchObject({ status: 404 })
  })

  it.each([
    ['moderation', 400, 'InputTextSensitiveContentDetected'],
    ['402', 403, 'AccountOverdueError'],
    ['429', 429, 'ModelAccountIpmRateLimitExceeded'],
    ['500', 500, 'InternalServiceError'],
    ['503', 503, 'ServiceUnavailable'],
  ] as const)('meets "%s" on demand, and then none', async (scenario, status, code) => {
    const { fake, client } = await start()
    await fake.play(scenario, 1)
    await expect(client.images.generate(ask)).rejects.toMatchObject({ status, code })
    expect((await client.images.generate(ask)).data).toHaveLength(1)
  })
})

describe('on demand', () => {
  const series = {
    ...ask,
    sequential_image_generation: 'auto',
    sequential_image_generation_options: { max_images: 3 },
  }
  const refused = { error: { code: 'OutputImageSensitiveContentDetected' } }

  it('the last picture of a series fails, in one piece and in a stream', async () => {
    const { fake, post } = await start()
    await fake.play('partial')
    expect(JSON.parse((await post(series)).text)).toMatchObject({
      data: [{ size: '96x64' }, { size: '96x64' }, refused],
      usage: { generated_images: 2 },
    })
    const { text } = await post({ ...series, stream: true })
    expect(text).toContain('event: image_generation.partial_failed\n')
    expect(text).toContain('"image_index":2,"error":{"code":"OutputImageSensitiveContentDetected"')
  })

  it('an address leads nowhere any more', async () => {
    const { fake, post } = await start()
    await fake.play('expired')
    const { data } = JSON.parse((await post(ask)).text)
    expect((await fetch(data[0].url)).status).toBe(403)
  })
})
