import { afterEach, describe, expect, it } from 'vitest'
import { fakeOpenAiKey, startFakeOpenAi } from '../../../test/upstreams/openai.ts'
import type { RecordedRequest } from '../../../test/upstreams/record-request.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import type { ProviderRequest } from '../provider.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { call, closeOpened, connect, key, requestFor } from './testing/scripted-server.ts'

afterEach(closeOpened)

async function conformanceWorld(dialect: 'openai' | 'openai-compatible'): Promise<ConformanceWorld> {
  const otherSize = { width: 256, height: 256 }
  const upstream = await startFakeOpenAi({ dialect, apiKey: fakeOpenAiKey, echo: true, otherSize })
  // Of OpenAI's models, this one takes every field that any of them takes.
  const model = dialect === 'openai' ? 'gpt-image-1.5' : 'z-image-turbo'
  return {
    provider: connect(upstream.url, fakeOpenAiKey, 1_000),
    withKey: (key) => connect(upstream.url, key, 1_000),
    request: (overrides) => requestFor({ model, ...overrides }),
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => [upstream.requests.at(-1)?.path, upstream.requests.at(-1)?.body],
      lastInputs: () => inputsOf(upstream.requests.at(-1)),
    },
    apiKey: fakeOpenAiKey,
    reportsSeed: dialect === 'openai-compatible',
    maxImagesPerCall: 10,
    close: upstream.close,
  }
}

function inputsOf(request: RecordedRequest | undefined): { images: string[]; mask?: string } {
  const { image, 'image[]': several, mask } = (request?.body ?? {}) as Record<string, RecordedFile>
  const images = [image, several].flat().filter((file) => file instanceof RecordedFile)
  return { images: images.map(({ sha256 }) => sha256), ...(mask ? { mask: mask.sha256 } : {}) }
}

describeProviderConformance('openai', () => conformanceWorld('openai'))
describeProviderConformance('openai, compatible servers', () => conformanceWorld('openai-compatible'))

const everything = {
  n: 2,
  size: { width: 1536, height: 1024 },
  quality: 'high',
  background: 'opaque',
  moderation: 'low',
  outputFormat: 'webp',
  outputCompression: 80,
  safetyIdentifier: 'user-1',
} as const

const compatibleOnly = {
  style: 'vivid',
  seed: 0,
  negativePrompt: 'boats',
  aspectRatio: '3:2',
  imageSize: '2K',
  guidance: 3.5,
  steps: 8,
  strength: 0,
  goFast: false,
  disableSafetyChecker: true,
  loraWeights: 'acme/ink',
  loraScale: 0.5,
  extraLoraWeights: ['acme/paper', 'https://acme.test/a.safetensors'],
  extraLoraScale: [1, -0.25],
  inputFidelity: 'low',
  watermark: false,
  series: { maxImages: 4 },
} as const

const inputs = await openSampleInputs()

describe('the request', () => {
  it('to a GPT Image model says all it was given, and never response_format', async () => {
    const { seen } = await call({}, everything)
    expect(seen).toEqual([
      {
        path: '/v1/images/generations',
        headers: expect.objectContaining({ authorization: `Bearer ${key}` }),
        body: {
          model: 'gpt-image-2',
          prompt: 'a heron at dawn',
          n: 2,
          size: '1536x1024',
          quality: 'high',
          background: 'opaque',
          moderation: 'low',
          output_format: 'webp',
          output_compression: 80,
          safety_identifier: 'user-1',
        },
      },
    ])
  })

  it('to a GPT Image model without options names n and size all the same', async () => {
    const { seen } = await call({}, { dialect: 'gpt-image', model: 'my-deployment' })
    const body = { model: 'my-deployment', prompt: 'a heron at dawn', n: 1, size: 'auto' }
    expect(seen[0]?.body).toEqual(body)
  })

  it('to a compatible server asks for base64 and says all it was given', async () => {
    const { seen } = await call({}, { ...everything, ...compatibleOnly, model: 'qwen-image' })
    expect(seen[0]?.body).toEqual({
      model: 'qwen-image',
      prompt: 'a heron at dawn',
      n: 2,
      response_format: 'b64_json',
      size: '1536x1024',
      quality: 'high',
      style: 'vivid',
      background: 'opaque',
      moderation: 'low',
      output_format: 'webp',
      output_compression: 80,
      seed: 0,
      negative_prompt: 'boats',
      user: 'user-1',
      aspect_ratio: '3:2',
      image_size: '2K',
      guidance: 3.5,
      num_inference_steps: 8,
      strength: 0,
      go_fast: false,
      disable_safety_checker: true,
      lora_weights: 'acme/ink',
      lora_scale: 0.5,
      extra_lora_weights: ['acme/paper', 'https://acme.test/a.safetensors'],
      extra_lora_scale: [1, -0.25],
      input_fidelity: 'low',
      watermark: false,
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 4 },
    })
  })

  it('to a compatible server holds nothing that was not given', async () => {
    const { seen } = await call({}, { model: 'qwen-image', size: undefined, images: [] })
    const body = { model: 'qwen-image', prompt: 'a heron at dawn', n: 1, response_format: 'b64_json' }
    expect(seen[0]?.body).toEqual(body)
  })

  it('has no Authorization header without a key', async () => {
    const { seen } = await call({}, {}, '')
    expect(seen[0]?.headers).not.toHaveProperty('authorization')
  })

  it('to OpenAI itself is not made without a key', async () => {
    const start = connect(undefined, undefined).start(requestFor(), AbortSignal.timeout(1_000))
    await expect(start).rejects.toMatchObject({ code: 'provider_not_configured', dispatched: 'no' })
  })

  it.each<[string, Partial<ProviderRequest>]>([
    ['mask', { mask: inputs.mask() }],
    ['mask', { mask: inputs.mask(), images: [], dialect: 'openai-compatible' }],
    ['style', { style: 'vivid' }],
    ['seed', { seed: 0 }],
    ['negative_prompt', { negativePrompt: 'boats' }],
    ['output_format', { outputFormat: 'avif' }],
    ['aspect_ratio', { aspectRatio: '3:2' }],
    ['image_size', { imageSize: '2K' }],
    ['guidance', { guidance: 0 }],
    ['num_inference_steps', { steps: 4 }],
    ['strength', { strength: 0 }],
    ['go_fast', { goFast: false }],
    ['disable_safety_checker', { disableSafetyChecker: false }],
    ['lora_weights', { loraWeights: 'acme/ink' }],
    ['lora_scale', { loraScale: 1 }],
    ['extra_lora_weights', { extraLoraWeights: ['acme/ink'] }],
    ['extra_lora_scale', { extraLoraScale: [1] }],
    ['watermark', { watermark: false }],
    ['sequential_image_generation', { series: {} }],
    ['input_fidelity', { inputFidelity: 'low' }],
    ['neverHeardOf', { neverHeardOf: 1 } as Partial<ProviderRequest>],
    ['neverHeardOf', { neverHeardOf: 1, dialect: 'openai-compatible' } as Partial<ProviderRequest>],
  ])('that cannot say %s is refused before anything is sent', async (param, overrides) => {
    const { outcome, seen } = await call({}, overrides)
    expect(outcome).toMatchObject({
      code: 'unsupported_parameter',
      attribution: 'client',
      param,
      dispatched: 'no',
      retryable: false,
    })
    expect(seen).toEqual([])
  })

  it('in an unknown dialect is refused before anything is sent', async () => {
    const { outcome, seen } = await call({}, { dialect: 'klingon' })
    expect(outcome).toMatchObject({ code: 'internal_error', dispatched: 'no' })
    expect(seen).toEqual([])
  })
})

describe('the reply', () => {
  const png = expect.objectContaining({ kind: 'bytes', bytes: expect.any(Buffer) })

  it('of OpenAI gives pictures, usage, effective values and the request id', async () => {
    const { outcome } = await call({ headers: { 'x-request-id': 'req_7' } }, { n: 2 })
    expect(outcome).toEqual({
      status: 'completed',
      images: [
        { position: 0, source: png },
        { position: 1, source: png },
      ],
      usage: {
        inputTokens: 13,
        outputTokens: 3534,
        totalTokens: 3547,
        inputTokensDetails: { textTokens: 13, imageTokens: 0 },
        outputTokensDetails: { textTokens: 0, imageTokens: 3534 },
      },
      effective: { size: '1024x1024', quality: 'medium', background: 'opaque' },
      upstreamRequestId: 'req_7',
    })
  })

  it('of a compatible server gives data URIs as bytes, its URLs as trusted, failures one by one', async () => {
    const { outcome } = await call({ reply: 'compatible.json' }, { n: 3 })
    expect(outcome).toMatchObject({
      images: [
        { source: png },
        {
          source: { kind: 'url', url: 'http://127.0.0.1:9/files/a.png', trusted: true },
          revisedPrompt: 'a heron',
          seed: 8,
        },
      ],
      failures: [{ error: { code: 'moderation_blocked', attribution: 'client' } }],
      usage: { totalTokens: 7 },
    })
    expect(outcome).not.toHaveProperty('images.0.revisedPrompt')
  })

  const pixels = Buffer.from('89504e470d0a1a0a', 'hex')
  const base64 = pixels.toString('base64')
  const long = Buffer.alloc(3_000, 'gesso')

  it.each([
    ['base64', { b64_json: base64 }, pixels],
    ['a data URI in b64_json', { b64_json: `data:image/png;base64,${base64}` }, pixels],
    ['a data URI in url', { url: `data:image/png;base64,${base64}` }, pixels],
    ['a long data URI in url', { url: `data:image/png;base64,${long.toString('base64')}` }, long],
    ['base64 beside an empty URL', { url: '', b64_json: base64, revised_prompt: '' }, pixels],
    ['base64 beside null', { url: null, b64_json: base64 }, pixels],
    ['a data URI beside empty base64', { url: `data:image/png;base64,${base64}`, b64_json: '' }, pixels],
    ['bytes beside a URL', { url: 'https://example.com/a.png', b64_json: base64 }, pixels],
    ['bytes beside nonsense', { url: 17, revised_prompt: {}, seed: 'x', b64_json: base64 }, pixels],
  ])('gives bytes for %s', async (_, item, bytes) => {
    const { outcome } = await call({ reply: { data: [item] } })
    expect(outcome).toMatchObject({ images: [{ source: { kind: 'bytes', bytes } }] })
  })

  it.each([
    ['alone', { url: 'http://127.0.0.1:9/a.png' }],
    ['beside empty base64', { url: 'http://127.0.0.1:9/a.png', b64_json: '', revised_prompt: '' }],
    ['beside null', { url: 'http://127.0.0.1:9/a.png', b64_json: null }],
    ['beside base64 that is none', { url: 'http://127.0.0.1:9/a.png', b64_json: 'none!' }],
  ])('gives a URL that stands %s', async (_, item) => {
    const { outcome } = await call({ reply: { data: [item] } })
    const source = { kind: 'url', url: 'http://127.0.0.1:9/a.png', trusted: true }
    expect(outcome).toMatchObject({ images: [{ source }] })
    expect(outcome).not.toHaveProperty('images.0.revisedPrompt')
  })

  it.each([
    ['takes all of a series', { series: {} }, 15, 15],
    ['takes no more than a series may have by itself', { series: {} }, 17, 15],
    ['takes no more than a series was to have', { series: { maxImages: 3 } }, 5, 3],
    ['is content with a short series', { series: { maxImages: 9 } }, 1, 1],
    ['takes what is owed, whatever the series', { n: 2, series: { maxImages: 1 } }, 2, 2],
  ])('%s', async (_, overrides, sent, taken) => {
    const data = Array.from({ length: sent }, () => ({ b64_json: base64 }))
    const { outcome } = await call({ reply: { data } }, { model: 'seedream', ...overrides })
    expect(outcome).toMatchObject({ images: Array.from({ length: taken }, () => ({})) })
    expect(outcome).not.toHaveProperty('failures')
  })

  it('of a series tells of the pictures in it that failed', async () => {
    const error = { code: 'OutputImageSensitiveContentDetected', message: 'told so' }
    const data = [{ b64_json: base64 }, { error }, { b64_json: base64 }]
    const { outcome } = await call({ reply: { data } }, { model: 'seedream', series: { maxImages: 5 } })
    expect(outcome).toMatchObject({ images: [{}, {}], failures: [{ error: { code: 'moderation_blocked' } }] })
  })

  it('with too many pictures loses the last, with too few names those left out', async () => {
    const item = { b64_json: base64 }
    const { outcome: more } = await call({ reply: { data: [item, {}, item, item] } }, { n: 2 })
    expect(more).toMatchObject({ images: [{}, {}] })
    expect(more).not.toHaveProperty('failures')
    const { outcome: fewer } = await call({ reply: { data: [item, null] } }, { n: 4 })
    expect(fewer).toMatchObject({ images: [{}], failures: [{}, {}, {}] })
  })

  it('with a picture is a success even beside an error', async () => {
    const { outcome } = await call({ reply: { data: [{ b64_json: base64 }], error: { message: 'late' } } })
    expect(outcome).toMatchObject({ status: 'completed' })
  })

  it.each<[string, unknown]>([
    ['no data', {}],
    ['empty data', { data: [] }],
    ['empty strings', { data: [{ b64_json: '', url: '' }] }],
    ['text that is no base64', { data: [{ b64_json: 'not a picture!' }] }],
    ['a URL that is no URL', { data: [{ url: '/files/a.png' }] }],
    ['data of another kind', { data: 'here' }],
    ['a list', []],
    ['null', null],
  ])('with %s is no success', async (_, reply) => {
    const { outcome } = await call({ reply })
    expect(outcome).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes', retryable: false })
  })
})
