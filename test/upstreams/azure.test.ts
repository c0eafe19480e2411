import { createAzure } from '@ai-sdk/azure'
import { generateImage } from 'ai'
import { AzureOpenAI, toFile } from 'openai'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeAzureOptions, fakeAzureKey, startFakeAzure } from './azure.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
})

const small = { width: 96, height: 64 }

/** The fake, and the official client that judges it. */
async function start(options: FakeAzureOptions = {}, apiKey = fakeAzureKey) {
  const fake = await startFakeAzure({ otherSize: small, ...options })
  opened.push(fake)
  const apiVersion = '2025-04-01-preview'
  const client = new AzureOpenAI({ apiKey, endpoint: fake.url, apiVersion, maxRetries: 0, timeout: 5_000 })
  return { fake, client }
}

const red = await sharp({ create: { ...small, channels: 3, background: '#ff0000' } })
  .png()
  .toBuffer()
const upload = (bytes: Buffer, name = 'a.png', type = 'image/png') => toFile(bytes, name, { type })

const ask = { model: 'team-pictures', prompt: 'a heron at dawn' } as const

describe('the official client, talking to the fake Azure', () => {
  it('generates pictures in a deployment of any name', async () => {
    const { fake, client } = await start()
    const reply = await client.images.generate({ ...ask, n: 2, size: '1024x1024', output_format: 'jpeg' })
    expect(reply.data).toHaveLength(2)
    const bytes = Buffer.from(reply.data?.[0]?.b64_json ?? '', 'base64')
    expect(await sharp(bytes).metadata()).toMatchObject({ ...small, format: 'jpeg' })
    expect(reply.usage).toMatchObject({ input_tokens: 4 })
    expect(fake.submissions()).toBe(1)
    expect(fake.requests[0]).toMatchObject({
      path: '/openai/deployments/team-pictures/images/generations?api-version=2025-04-01-preview',
      headers: { 'api-key': fakeAzureKey },
    })
  })

  it('lists the models of the resource to whoever has its key', async () => {
    const { fake, client } = await start()
    expect((await client.models.list()).data.map(({ id }) => id)).toContain('gpt-image-1.5')
    expect(fake.requests[0]?.path).toBe('/openai/models?api-version=2025-04-01-preview')
    expect(fake.submissions()).toBe(0)
    const stranger = await start({}, 'wrong')
    await expect(stranger.client.models.list()).rejects.toMatchObject({ status: 401 })
  })

  it('edits a picture with a mask', async () => {
    const { fake, client } = await start()
    const mask = await sharp({ create: { ...small, channels: 4, background: 'transparent' } })
      .png()
      .toBuffer()
    const image = [await upload(red), await upload(red)]
    const reply = await client.images.edit({
      ...ask,
      image,
      mask: await upload(mask),
      input_fidelity: 'high',
    })
    expect(reply.data).toHaveLength(1)
    expect(fake.requests[0]?.path).toBe(
      '/openai/deployments/team-pictures/images/edits?api-version=2025-04-01-preview',
    )
  })

  it('watches a picture', async () => {
    const { client } = await start()
    const types: string[] = []
    for await (const { type } of await client.images.generate({ ...ask, stream: true, partial_images: 2 }))
      types.push(type)
    expect(types).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ])
  })

  it.each<[string, object, object]>([
    ['response_format', { response_format: 'b64_json' }, { status: 400, code: 'unknown_parameter' }],
    ['webp', { output_format: 'webp' }, { status: 400, code: 'invalid_value' }],
    ['moderation', { moderation: 'low' }, { status: 400, param: 'moderation' }],
    ['an unknown deployment', { model: 'nobody' }, { status: 404, code: 'DeploymentNotFound' }],
  ])('is refused %s', async (_, change, expected) => {
    const { client } = await start()
    await expect(client.images.generate({ ...ask, ...change })).rejects.toMatchObject(expected)
  })

  it('is refused a WebP to edit', async () => {
    const { client } = await start()
    const image = await upload(await sharp(red).webp().toBuffer(), 'a.webp', 'image/webp')
    await expect(client.images.edit({ ...ask, image })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_image_file',
    })
  })

  it('is refused with a bad key, in words of the gateway', async () => {
    const { client } = await start({}, 'wrong')
    await expect(client.images.generate(ask)).rejects.toMatchObject({
      status: 401,
      code: '401',
      error: { message: expect.stringContaining('invalid subscription key') },
    })
  })

  it('meets the content filter, and a limit', async () => {
    const { fake, client } = await start()
    await fake.play('moderation')
    await expect(client.images.generate(ask)).rejects.toMatchObject({ status: 400, code: 'contentFilter' })
    await fake.play('429')
    await expect(client.images.generate(ask)).rejects.toMatchObject({ status: 429 })
  })
})

describe('the AI SDK, talking to the fake Azure', () => {
  async function model(deployment: string, dated = false) {
    const { fake } = await start()
    const baseURL = dated ? `${fake.url}/openai` : `${fake.url}/openai/v1`
    const azure = createAzure({
      apiKey: fakeAzureKey,
      baseURL,
      ...(dated ? { useDeploymentBasedUrls: true, apiVersion: '2025-04-01-preview' } : {}),
    })
    const draw = (prompt: Parameters<typeof generateImage>[0]['prompt']) =>
      generateImage({ model: azure.image(deployment), prompt, maxRetries: 0 })
    return { fake, draw }
  }

  it.each([
    ['on the v1 API', false, '/openai/v1/images/generations'],
    [
      'on a dated version',
      true,
      '/openai/deployments/gpt-image-2/images/generations?api-version=2025-04-01-preview',
    ],
  ])('draws %s', async (_, isDated, path) => {
    const { fake, draw } = await model('gpt-image-2', isDated)
    const { image } = await draw('a heron at dawn')
    expect(await sharp(Buffer.from(image.uint8Array)).metadata()).toMatchObject(small)
    expect(fake.requests[0]?.path).toBe(path)
  })

  it('edits', async () => {
    const { fake, draw } = await model('gpt-image-2')
    const { image } = await draw({ text: 'a hat', images: [red] })
    expect(image.mediaType).toBe('image/png')
    expect(fake.requests[0]?.path).toBe('/openai/v1/images/edits')
  })

  it('fails in a deployment of its own name, because it then sends response_format', async () => {
    const { draw } = await model('team-pictures')
    await expect(draw('a heron at dawn')).rejects.toThrow("Unknown parameter: 'response_format'.")
  })
})

describe('by hand, at the fake Azure', () => {
  async function post(path: string, body: object) {
    const { fake } = await start()
    const headers = { 'api-key': fakeAzureKey, 'content-type': 'application/json' }
    const response = await fetch(`${fake.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ ...ask, ...body }),
    })
    return { status: response.status, json: (await response.json()) as { error?: { code: string } } }
  }

  it.each([
    ['/openai/v1/images/generations', 200],
    ['/openai/v1/images/generations?api-version=preview', 200],
    ['/openai/v1/images/generations?api-version=2025-04-01-preview', 404],
    ['/openai/deployments/team-pictures/images/generations', 404],
    ['/openai/images/generations', 404],
    ['/v1/images/generations', 404],
  ])('%s answers %i', async (path, status) => {
    expect(await post(path, {})).toMatchObject({ status })
  })

  it('an edit in JSON is refused', async () => {
    const image_url = `data:image/png;base64,${red.toString('base64')}`
    expect(await post('/openai/v1/images/edits', { images: [{ image_url }] })).toMatchObject({
      status: 400,
      json: { error: { code: 'unsupported_content_type' } },
    })
  })
})
