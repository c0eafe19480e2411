import { createHash } from 'node:crypto'
import { createReplicate } from '@ai-sdk/replicate'
import { APICallError, generateImage } from 'ai'
import Replicate from 'replicate'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type FakeReplicate,
  type FakeReplicateOptions,
  fakeReplicateKey,
  fakeReplicateVersion,
  startFakeReplicate,
} from './replicate.ts'

const opened: FakeReplicate[] = []
afterEach(async () => {
  for (const fake of opened.splice(0)) await fake.close()
})

/** The fake, and the official clients that judge it. */
async function start(options: FakeReplicateOptions = {}, auth = fakeReplicateKey) {
  const fake = await startFakeReplicate(options)
  opened.push(fake)
  const client = new Replicate({ auth, baseUrl: fake.url, useFileOutput: false })
  const aiSdk = createReplicate({ apiToken: auth, baseURL: fake.url })
  return { fake, client, aiSdk }
}

async function measure(bytes: Uint8Array | ArrayBuffer) {
  const { width, height, format } = await sharp(bytes).metadata()
  return `${format} ${width}x${height}`
}

async function fetched(url: unknown) {
  return measure(await (await fetch(String(url))).arrayBuffer())
}

const schnell = 'black-forest-labs/flux-schnell'
const dev = 'black-forest-labs/flux-dev'
const zImage = 'prunaai/z-image-turbo'
const prompt = 'a heron at dawn'
const red = await sharp({ create: { width: 48, height: 32, channels: 3, background: '#f00' } })
  .png()
  .toBuffer()
const redSum = createHash('sha256').update(red).digest('hex')

describe('the official client, talking to the fake Replicate', () => {
  it('says whose key it is', async () => {
    const { client } = await start()
    expect(await client.accounts.current()).toMatchObject({ type: 'organization', username: 'acme' })
    const stranger = await start({}, 'r8_wrong')
    await expect(stranger.client.accounts.current()).rejects.toMatchObject({ response: { status: 401 } })
  })

  it('waits for the pictures of an official model within the call', async () => {
    const { fake, client } = await start({ jobMs: 10 })
    const input = { prompt, num_outputs: 2, aspect_ratio: '16:9', megapixels: '0.25' }
    const output = (await client.run(schnell, { input })) as string[]
    expect(await Promise.all(output.map(fetched))).toEqual(['webp 672x384', 'webp 672x384'])
    expect(fake.requests[0]).toMatchObject({
      method: 'POST',
      path: `/v1/models/${schnell}/predictions`,
      headers: { prefer: 'wait', authorization: `Bearer ${fakeReplicateKey}` },
      body: { input },
    })
    const files = fake.requests.filter(({ path }) => path.startsWith('/xezq/'))
    expect(files.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  it('asks until a pinned version is done, whatever trouble the asking has', async () => {
    const { fake, client } = await start({ jobMs: 10 })
    await fake.play('poll trouble')
    const states: string[] = []
    const output = await client.run(
      `${zImage}:${fakeReplicateVersion}`,
      { input: { prompt, width: 128, height: 64 }, wait: { mode: 'poll', interval: 5 } },
      ({ status }) => states.push(status),
    )
    expect(await fetched(output)).toBe('jpeg 128x64')
    expect(states[0]).toBe('starting')
    expect(states.at(-1)).toBe('succeeded')
    expect(fake.requests[0]?.body).toMatchObject({ version: fakeReplicateVersion })
  })

  it('reads a prediction whole', async () => {
    const { client } = await start()
    const begun = await client.predictions.create({ model: schnell, input: { prompt, seed: 41 } })
    expect(begun).toMatchObject({ status: 'starting', output: null, error: null, model: schnell })
    const done = await client.predictions.get(begun.id)
    expect(done).toMatchObject({
      id: begun.id,
      status: 'succeeded',
      input: { prompt, seed: 41 },
      logs: expect.stringContaining('Using seed: 41'),
      data_removed: false,
      metrics: { predict_time: expect.any(Number) },
      urls: { get: expect.stringMatching(begun.id), cancel: expect.stringMatching(/cancel$/) },
    })
  })

  it('uploads its files, and the model draws from them', async () => {
    const { fake, client } = await start()
    const image = new Blob([red], { type: 'image/png' })
    const output = (await client.run(dev, { input: { prompt, image } })) as string[]
    expect(await fetched(output[0])).toBe('webp 48x32')
    expect(fake.requests[0]).toMatchObject({ method: 'POST', path: '/v1/files' })
    expect(fake.lastPictures()).toEqual([redSum])
  })

  it('cancels what is under way', async () => {
    const { fake, client } = await start()
    await fake.play('pending')
    const { id } = await client.predictions.create({ model: schnell, input: { prompt } })
    expect(await client.predictions.cancel(id)).toMatchObject({ status: 'canceled', output: null })
    expect(fake.cancellations()).toBe(1)
  })

  it.each([
    ['moderation', /flagged as sensitive/],
    ['failed work', /CUDA error/],
  ] as const)('hears of work that fails: %s', async (scenario, message) => {
    const { fake, client } = await start()
    await fake.play(scenario)
    await expect(client.run(schnell, { input: { prompt } })).rejects.toThrow(message)
  })

  it.each<[number, string, Record<string, unknown>]>([
    [422, 'is required', { aspect_ratio: '1:1' }],
    [422, 'num_outputs: Must be less than or equal to 4', { prompt, num_outputs: 5 }],
    [422, 'Unexpected field', { prompt, guidance_scale: 3 }],
    [422, 'must be one of the following', { prompt, aspect_ratio: '7:5' }],
    [422, 'Expected a boolean', { prompt, go_fast: 'yes' }],
    [422, 'Expected an integer', { prompt, seed: 1.5 }],
    [422, 'Expected a string', { prompt: 7 }],
  ])('is refused with %i: %s', async (status, message, input) => {
    const { client } = await start()
    const refused = client.predictions.create({ model: schnell, input })
    await expect(refused).rejects.toThrow(new RegExp(`status ${status} .*${message}`))
  })

  it('is refused another model, version, key, or credit', async () => {
    const { fake, client } = await start()
    const input = { prompt }
    await expect(client.run('acme/unheard-of', { input })).rejects.toThrow('status 404')
    await expect(client.run(`acme/one:${'0'.repeat(64)}`, { input })).rejects.toThrow('status 422')
    await expect(client.predictions.get('gone')).rejects.toThrow('status 404')
    await fake.play('402')
    await expect(client.run(schnell, { input })).rejects.toThrow('Insufficient credit')
    const { client: stranger } = await start({}, 'r8_stranger')
    await expect(stranger.run(schnell, { input })).rejects.toThrow('status 401')
  })

  it('finds no pictures at addresses that have expired', async () => {
    const { fake, client } = await start()
    await fake.play('expired')
    const output = (await client.run(schnell, { input: { prompt } })) as string[]
    expect((await fetch(String(output[0]))).status).toBe(404)
  })
})

describe('the AI SDK, talking to the fake Replicate', () => {
  it('draws with a model of its default', async () => {
    const { fake, aiSdk } = await start({ jobMs: 10 })
    const { image, warnings } = await generateImage({ model: aiSdk.image(zImage), prompt, seed: 7 })
    expect(await measure(image.uint8Array)).toBe('jpeg 1024x1024')
    expect(warnings).toEqual([])
    expect(fake.requests[0]?.body).toEqual({ input: { prompt, seed: 7, num_outputs: 1 } })
  })

  it('draws of a ratio, with options of the model', async () => {
    const { aiSdk } = await start()
    const { image } = await generateImage({
      model: aiSdk.image(schnell),
      prompt,
      aspectRatio: '16:9',
      providerOptions: { replicate: { output_format: 'png', megapixels: '0.25' } },
    })
    expect(await measure(image.uint8Array)).toBe('png 672x384')
  })

  it('edits a picture that goes inline', async () => {
    const { fake, aiSdk } = await start()
    const { image } = await generateImage({
      model: aiSdk.image(dev),
      prompt: { text: prompt, images: [red] },
    })
    expect(await measure(image.uint8Array)).toBe('webp 48x32')
    expect(fake.lastPictures()).toEqual([redSum])
  })

  it('is told of a name that FLUX.2 does not know there, and would lose the picture behind it', async () => {
    const { aiSdk } = await start()
    const model = aiSdk.image('black-forest-labs/flux-2-pro')
    const edit = generateImage({ model, prompt: { text: prompt, images: [red] }, maxRetries: 0 })
    const error = await edit.catch((thrown: unknown) => thrown)
    expect(APICallError.isInstance(error) && error.responseBody).toMatch(/Unexpected field/)
  })

  it('meets failures', async () => {
    const { fake, aiSdk } = await start()
    const call = () => generateImage({ model: aiSdk.image(zImage), prompt, maxRetries: 0 })
    await fake.play('moderation')
    await expect(call()).rejects.toThrow(/flagged as sensitive/)
    await fake.play('429')
    await expect(call()).rejects.toMatchObject({ statusCode: 429 })
  })
})
