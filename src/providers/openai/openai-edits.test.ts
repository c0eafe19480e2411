import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeOpenAiOptions, fakeOpenAiKey, startFakeOpenAi } from '../../../test/upstreams/openai.ts'
import { serveTcp } from '../../net/testing/loopback.ts'
import { createProviderHttp } from '../http.ts'
import type { InputImage, InputMediaType, Provider, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { openai } from './openai.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close()
})

function connect(baseUrl: string): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { baseUrl, apiKey: fakeOpenAiKey, timeoutMs: 10_000, maxResponseBytes: 10_000_000 }
  return openai.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

async function start(options: FakeOpenAiOptions = {}) {
  const upstream = await startFakeOpenAi({ otherSize: { width: 128, height: 96 }, ...options })
  opened.push(upstream)
  const provider = connect(upstream.url)
  return { upstream, provider, edit: (overrides?: Partial<ProviderRequest>) => edit(provider, overrides) }
}

async function edit(provider: Provider, overrides: Partial<ProviderRequest> = {}) {
  const request = { taskId: 'image_1', model: 'gpt-image-1.5', prompt: 'add a hat', n: 1, ...overrides }
  const outcome = await provider.start(request, AbortSignal.timeout(10_000))
  if (outcome.status !== 'completed') throw new Error('it is not done')
  return outcome
}

const inputs = await openSampleInputs()
const png = inputs.picture('image/png')
const jpeg = inputs.picture('image/jpeg')
const webp = inputs.picture('image/webp')

function said(filename: string, mediaType: InputMediaType) {
  return expect.objectContaining({ filename, mediaType, width: 96, height: 64 })
}

describe('an edit of GPT Image', () => {
  it('of one picture is a form with one image, and never has response_format', async () => {
    const { edit, upstream } = await start()
    await edit({ images: [png] })
    expect(upstream.requests).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: '/v1/images/edits',
        headers: expect.objectContaining({ authorization: `Bearer ${fakeOpenAiKey}` }),
        body: {
          image: said('image.png', 'image/png'),
          model: 'gpt-image-1.5',
          prompt: 'add a hat',
          n: '1',
          size: 'auto',
        },
      }),
    ])
  })

  it('of several pictures with a mask says all it was given', async () => {
    const { edit, upstream } = await start()
    const outcome = await edit({
      images: [webp, jpeg, png],
      mask: inputs.mask(),
      n: 2,
      size: { width: 1536, height: 1024 },
      quality: 'high',
      background: 'opaque',
      moderation: 'low',
      outputFormat: 'webp',
      outputCompression: 80,
      safetyIdentifier: 'user-1',
      inputFidelity: 'high',
    })
    expect(outcome.images).toHaveLength(2)
    expect(outcome.usage).toMatchObject({ inputTokensDetails: { imageTokens: 768 } })
    expect(upstream.requests[0]?.body).toEqual({
      'image[]': [
        said('image.webp', 'image/webp'),
        said('image.jpg', 'image/jpeg'),
        said('image.png', 'image/png'),
      ],
      mask: said('mask.png', 'image/png'),
      model: 'gpt-image-1.5',
      prompt: 'add a hat',
      n: '2',
      size: '1536x1024',
      quality: 'high',
      background: 'opaque',
      moderation: 'low',
      output_format: 'webp',
      output_compression: '80',
      safety_identifier: 'user-1',
      input_fidelity: 'high',
    })
  })

  it('gives a picture that was made of the input', async () => {
    const { edit } = await start()
    const { images } = await edit({ images: [png] })
    const source = images[0]?.source
    if (source?.kind !== 'bytes') throw new Error('no bytes')
    const { data, info } = await sharp(source.bytes).raw().toBuffer({ resolveWithObject: true })
    const middle = (info.width * (info.height >> 1) + (info.width >> 1)) * info.channels
    expect([...data.subarray(middle, middle + 3)]).toEqual([200, 40, 30])
  })

  it.each<[string, Partial<ProviderRequest>]>([
    ['seed', { seed: 0 }],
    ['style', { style: 'vivid' }],
    ['negative_prompt', { negativePrompt: 'boats' }],
    ['strength', { strength: 0.5 }],
    ['guidance', { guidance: 3 }],
    ['watermark', { watermark: true }],
    ['sequential_image_generation', { series: { maxImages: 2 } }],
    ['output_format', { outputFormat: 'avif' }],
  ])('that cannot say %s is refused before anything is sent or opened', async (param, overrides) => {
    const { edit, upstream } = await start()
    const refusal = { code: 'unsupported_parameter', attribution: 'client', param, dispatched: 'no' }
    await expect(edit({ images: [unreadable(png)], ...overrides })).rejects.toMatchObject(refusal)
    expect(upstream.requests).toEqual([])
  })

  it.each<[string, Partial<ProviderRequest>]>([
    ['image', { images: [png, inputs.picture('image/gif')] }],
    ['image', { images: [inputs.picture('image/avif')] }],
    ['mask', { images: [png], mask: jpeg }],
  ])('with a picture it does not take names "%s"', async (param, overrides) => {
    const { edit, upstream } = await start()
    const refusal = { code: 'unsupported_image', attribution: 'client', param, dispatched: 'no' }
    await expect(edit(overrides)).rejects.toMatchObject(refusal)
    expect(upstream.requests).toEqual([])
  })
})

describe('an edit of a compatible server', () => {
  it('says all it was given, lists as repeated names and objects as JSON', async () => {
    const { edit, upstream } = await start({ dialect: 'openai-compatible' })
    await edit({
      model: 'qwen-image',
      images: [jpeg],
      style: 'vivid',
      seed: 0,
      negativePrompt: 'boats',
      aspectRatio: '3:2',
      imageSize: '2K',
      guidance: 3.5,
      steps: 8,
      strength: 0.25,
      goFast: false,
      disableSafetyChecker: true,
      loraWeights: 'acme/ink',
      loraScale: 0.5,
      extraLoraWeights: ['acme/paper', 'acme/sand'],
      extraLoraScale: [1, -0.25],
      safetyIdentifier: 'user-1',
      inputFidelity: 'low',
      watermark: false,
      series: { maxImages: 2 },
    })
    expect(upstream.requests[0]?.body).toEqual({
      image: said('image.jpg', 'image/jpeg'),
      model: 'qwen-image',
      prompt: 'add a hat',
      n: '1',
      response_format: 'b64_json',
      style: 'vivid',
      seed: '0',
      negative_prompt: 'boats',
      aspect_ratio: '3:2',
      image_size: '2K',
      guidance: '3.5',
      num_inference_steps: '8',
      strength: '0.25',
      go_fast: 'false',
      disable_safety_checker: 'true',
      lora_weights: 'acme/ink',
      lora_scale: '0.5',
      'extra_lora_weights[]': ['acme/paper', 'acme/sand'],
      'extra_lora_scale[]': ['1', '-0.25'],
      user: 'user-1',
      input_fidelity: 'low',
      watermark: 'false',
      sequential_image_generation: 'auto',
      sequential_image_generation_options: '{"max_images":2}',
    })
  })

  it('may give a series', async () => {
    const { edit } = await start({ dialect: 'openai-compatible' })
    const series = { model: 'seedream', images: [png], series: { maxImages: 5 } }
    expect((await edit(series)).images).toHaveLength(5)
    expect((await edit({ ...series, series: {} })).images).toHaveLength(4)
  })

  it.each([
    ['b64', 'bytes'],
    ['both', 'bytes'],
    ['empty-url', 'bytes'],
    ['url', 'url'],
    ['empty-b64', 'url'],
  ] as const)('that answers as %s gives %s', async (answerAs, kind) => {
    const { edit } = await start({ dialect: 'openai-compatible', answerAs })
    const { images } = await edit({ model: 'qwen-image', images: [png] })
    expect(images).toMatchObject([{ source: { kind } }])
    const source = images[0]?.source
    const bytes =
      source?.kind === 'url'
        ? await (await fetch(source.url)).arrayBuffer()
        : (source?.bytes ?? Buffer.alloc(0))
    expect((await sharp(bytes).metadata()).format).toBe('png')
  })
})

describe('a picture on its way', () => {
  it('that cannot be read is the fault of nobody outside, and nothing was begun', async () => {
    const { edit, upstream } = await start()
    const error = await edit({ images: [unreadable(png)] }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({ code: 'internal_error', attribution: 'platform', dispatched: 'no' })
    expect(upstream.requests).toEqual([])
  })

  it('that breaks off leaves the outcome unknown, and the upstream without a call', async () => {
    const { edit, upstream } = await start()
    const images = [png, unreadable(jpeg)]
    await expect(edit({ images })).rejects.toMatchObject({ code: 'outcome_unknown', dispatched: 'unknown' })
    expect(upstream.submissions()).toBe(0)
  })

  it('of 50 MB is refused by OpenAI, and that is told', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gesso-edit-'))
    opened.push({ close: () => rm(folder, { recursive: true }) })
    const path = join(folder, 'large.png')
    // Whatever stands behind the end of a PNG does not matter to who looks at it.
    await writeFile(path, Buffer.concat([await png.read(), Buffer.alloc(50 * 1024 * 1024)]))
    const sizeBytes = png.sizeBytes + 50 * 1024 * 1024
    const large = { ...png, sizeBytes, stream: () => createReadStream(path) }
    const { edit, upstream } = await start()
    await expect(edit({ images: [large] })).rejects.toMatchObject({
      code: 'request_too_large',
      dispatched: 'no',
    })
    expect(upstream.requests[0]?.body).toMatchObject({ image: { sizeBytes, format: 'png' } })
  })

  it('is not waited for when the upstream refuses the call before it has it whole', async () => {
    const body = JSON.stringify({ error: { message: 'told so', code: 'invalid_api_key' } })
    const head = `HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    const server = await serveTcp((socket) => socket.resume().write(`${head}\r\n\r\n${body}`))
    opened.push(server)
    const endless = new Readable({ read() {} })
    endless.push(Buffer.alloc(1024))
    const large = { ...png, sizeBytes: 1024 * 1024, stream: () => endless }
    const call = edit(connect(`${server.origin}/v1`), { images: [large] })
    await expect(call).rejects.toMatchObject({ code: 'upstream_failed', attribution: 'platform' })
    if (!endless.closed) await once(endless, 'close')
  })
})

/** The same picture, on a disk that fails. */
function unreadable(image: InputImage): InputImage {
  return { ...image, stream: () => new Readable({ read: () => {} }).destroy(new Error('EIO')) }
}
