/** fal's own client and Vercel's AI SDK, talking to the fake: what they take for fal is like fal. */
import { createFal } from '@ai-sdk/fal'
import { ApiError, createFalClient, ValidationError } from '@fal-ai/client'
import { generateImage } from 'ai'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeFal, type FakeFalOptions, fakeFalKey, startFakeFal } from './fal.ts'
import { RecordedFile } from './recorded-file.ts'

let fake: FakeFal
afterEach(() => fake.close())

/** fal's client knows no other host, so its requests are turned to the fake on their way out. */
async function open(options: FakeFalOptions = {}, credentials = fakeFalKey) {
  fake = await startFakeFal(options)
  return createFalClient({
    credentials,
    retry: { maxRetries: 0 },
    requestMiddleware: async (request) => ({
      ...request,
      url: request.url.replace('https://queue.fal.run', fake.url).replace('https://fal.run', fake.syncUrl),
    }),
  })
}

const schnell = 'fal-ai/flux/schnell'
const input = {
  prompt: 'a heron at dawn',
  image_size: { width: 96, height: 64 },
  output_format: 'png',
} as const

async function sizeOf(url: string | undefined) {
  const response = await fetch(url ?? '')
  const { width, height, format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata()
  return { width, height, format }
}

async function failureOf(
  promise: Promise<unknown>,
): Promise<ApiError<{ detail?: unknown; status?: unknown }>> {
  const thrown = await promise.catch((error: unknown) => error)
  if (thrown instanceof ApiError) return thrown
  throw thrown
}

const red = await sharp({ create: { width: 48, height: 32, channels: 3, background: '#ff0000' } })
  .png()
  .toBuffer()
const uriOf = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`
const redUri = uriOf(red)
const small = uriOf(await sharp(red).resize(16, 16).png().toBuffer())

describe("fal's own client", () => {
  it('submits, follows and fetches, and finds the picture at a public address', async () => {
    const client = await open()
    await fake.play('pending')
    const states: string[] = []
    const { data, requestId } = await client.subscribe(schnell, {
      input: { ...input, num_images: 2, seed: 7 },
      pollInterval: 10,
      onQueueUpdate({ status }) {
        states.push(status)
        void fake.play('ok')
      },
    })
    expect(states[0]).toBe('IN_PROGRESS')
    expect(states.at(-1)).toBe('COMPLETED')
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(data).toMatchObject({ seed: 7, has_nsfw_concepts: [false, false], prompt: input.prompt })
    expect(data.images).toHaveLength(2)
    expect(await sizeOf(data.images[1]?.url)).toEqual({ width: 96, height: 64, format: 'png' })
    expect(fake.requests.at(-1)?.headers).not.toHaveProperty('authorization')
  })

  it('takes the steps one by one, with a webhook, and is told where to ask', async () => {
    const client = await open()
    await fake.play('pending')
    const queued = await client.queue.submit('fal-ai/flux/dev', { input, webhookUrl: 'https://a.test/hook' })
    expect(fake.requests.at(-1)?.path).toBe('/fal-ai/flux/dev?fal_webhook=https%3A%2F%2Fa.test%2Fhook')
    const requestId = queued.request_id
    expect(queued).toMatchObject({
      status: 'IN_QUEUE',
      status_url: `${fake.url}/fal-ai/flux/requests/${requestId}/status`,
      cancel_url: `${fake.url}/fal-ai/flux/requests/${requestId}/cancel`,
    })
    expect(await client.queue.status('fal-ai/flux/dev', { requestId })).toMatchObject({
      status: 'IN_PROGRESS',
    })
    const early = await failureOf(client.queue.result('fal-ai/flux/dev', { requestId }))
    expect([early.status, early.body.detail]).toEqual([400, 'Request is still in progress'])
    await fake.play('ok')
    const { data } = await client.queue.result('fal-ai/flux/dev', { requestId })
    expect(data.images).toHaveLength(1)
  })

  it('stops work that is under way, and not what is done', async () => {
    const client = await open()
    await fake.play('pending')
    const { request_id: requestId } = await client.queue.submit(schnell, { input })
    await client.queue.cancel(schnell, { requestId })
    expect(await client.queue.status(schnell, { requestId })).toMatchObject({
      status: 'COMPLETED',
      error_type: 'client_cancelled',
    })
    expect((await failureOf(client.queue.result(schnell, { requestId }))).status).toBe(499)
    const late = await failureOf(client.queue.cancel(schnell, { requestId }))
    expect([late.status, late.body.status]).toEqual([400, 'ALREADY_COMPLETED'])
    expect(fake.cancellations()).toBe(2)
  })

  it.each<[string, string, object, string]>([
    ['a field it does not know', schnell, { steps: 4 }, 'steps'],
    ['too many pictures', schnell, { num_images: 5 }, 'num_images'],
    ['too many steps', schnell, { num_inference_steps: 13 }, 'num_inference_steps'],
    ['a number that is text', schnell, { seed: '7' }, 'seed'],
    ['a word it does not know', schnell, { acceleration: 'turbo' }, 'acceleration'],
    ['a size without a height', schnell, { image_size: { width: 64 } }, 'image_size'],
    ['a level that is a number', 'fal-ai/flux-pro/v1.1', { safety_tolerance: 5 }, 'safety_tolerance'],
    ['an edit without a picture', 'fal-ai/flux-pro/kontext', {}, 'image_url'],
    [
      'a picture that is none',
      'fal-ai/flux-pro/kontext',
      { image_url: 'data:image/png;base64,AAAA' },
      'image_url',
    ],
    [
      'a mask that does not fit',
      'fal-ai/flux-pro/v1/fill',
      { image_url: redUri, mask_url: small },
      'mask_url',
    ],
    ['a LoRA without weights', 'fal-ai/qwen-image', { loras: [{ scale: 1 }] }, 'loras'],
  ])('is refused %s, by name', async (_, endpoint, wrong, field) => {
    const client = await open()
    const call = client.run(endpoint, { input: { prompt: 'x', ...wrong } })
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ValidationError)
    expect((error as ValidationError).getFieldErrors(field)).toHaveLength(1)
  })

  it('is told of a wrong key and of an endpoint that does not exist', async () => {
    const client = await open({}, 'wrong:key')
    expect((await failureOf(client.queue.submit(schnell, { input }))).status).toBe(401)
    await fake.close()
    const other = await open()
    expect((await failureOf(other.queue.submit('fal-ai/nothing', { input }))).status).toBe(404)
  })

  it('is told of moderation and of failed work by the result', async () => {
    const client = await open()
    await fake.play('moderation')
    const moderated = await client
      .subscribe(schnell, { input, pollInterval: 5 })
      .catch((error: unknown) => error)
    expect(moderated).toBeInstanceOf(ValidationError)
    expect((moderated as ValidationError).fieldErrors[0]?.type).toBe('content_policy_violation')
    await fake.play('partial')
    const { data } = await client.subscribe(schnell, { input: { ...input, num_images: 2 }, pollInterval: 5 })
    expect(data).toMatchObject({ has_nsfw_concepts: [false, true] })
    await fake.play('expired')
    const expired = await client.subscribe(schnell, { input, pollInterval: 5 })
    expect((await fetch(expired.data.images[0]?.url ?? '')).status).toBe(404)
  })

  it('gets a data URI where it asks for one', async () => {
    const client = await open()
    const { data } = await client.run(schnell, { input: { ...input, sync_mode: true } })
    expect(data.images[0]?.url).toMatch(/^data:image\/png;base64,/)
    expect(await sizeOf(data.images[0]?.url)).toMatchObject({ width: 96, height: 64 })
  })
})

describe("Vercel's AI SDK", () => {
  it('draws at the synchronous host', async () => {
    fake = await startFakeFal()
    const model = createFal({ apiKey: fakeFalKey, baseURL: fake.syncUrl }).image('fal-ai/flux/dev')
    const { image, providerMetadata } = await generateImage({
      model,
      prompt: 'a heron at dawn',
      size: '96x64',
      seed: 7,
      providerOptions: { fal: { acceleration: 'high', enableSafetyChecker: false, outputFormat: 'png' } },
    })
    expect(await sharp(image.uint8Array).metadata()).toMatchObject({ width: 96, height: 64, format: 'png' })
    expect(providerMetadata.fal).toMatchObject({
      images: [{ width: 96, height: 64, contentType: 'image/png', nsfw: false }],
    })
    expect(fake.requests[0]?.body).toMatchObject({ seed: 7, image_size: { width: 96, height: 64 } })
  })

  it('edits a picture, and the fake sees its very bytes', async () => {
    fake = await startFakeFal()
    const model = createFal({ apiKey: fakeFalKey, baseURL: fake.syncUrl }).image('fal-ai/flux-2-pro/edit')
    await expect(
      generateImage({
        model,
        prompt: { text: 'make it blue', images: [red] },
        maxRetries: 0,
        providerOptions: { fal: { useMultipleImages: true } },
      }),
      // It says num_images to every endpoint, and this one has no such word.
    ).rejects.toThrow('num_images')
    const kontext = createFal({ apiKey: fakeFalKey, baseURL: fake.syncUrl }).image('fal-ai/flux-pro/kontext')
    await generateImage({ model: kontext, prompt: { text: 'make it blue', images: [red] } })
    const body = fake.requests.findLast(({ method }) => method === 'POST')?.body
    const { image_url: seen } = (body ?? {}) as { image_url?: unknown }
    expect(seen).toBeInstanceOf(RecordedFile)
    expect(seen).toMatchObject({ width: 48, height: 32, sizeBytes: red.length })
  })
})
