import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeOpenAiKey, startFakeOpenAi } from '../../../test/upstreams/openai.ts'
import type { RecordedRequest } from '../../../test/upstreams/record-request.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import { createProviderHttp } from '../http.ts'
import type { Provider, ProviderOutcome, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { openai } from './openai.ts'

const key = 'sk-proj-0123456789'
const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close()
})

function connect(baseUrl: string | undefined, apiKey: string | undefined, timeoutMs = 5_000): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { baseUrl, apiKey, timeoutMs, maxResponseBytes: 1_000_000 }
  return openai.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'gpt-image-2', prompt: 'a heron at dawn', n: 1, ...overrides }
}

async function conformanceWorld(dialect: 'openai' | 'openai-compatible'): Promise<ConformanceWorld> {
  const otherSize = { width: 256, height: 256 }
  const upstream = await startFakeOpenAi({ dialect, apiKey: fakeOpenAiKey, echo: true, otherSize })
  // Of OpenAI's models, this one takes every field that any of them takes.
  const model = dialect === 'openai' ? 'gpt-image-1.5' : 'z-image-turbo'
  return {
    provider: connect(upstream.url, fakeOpenAiKey, 1_000),
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

interface Scripted {
  status?: number
  headers?: Record<string, string>
  /** A value, or the name of a fixture. */
  reply?: unknown
}

/** Runs one call against a server that gives exactly this answer. */
async function call(
  scripted: Scripted,
  overrides: Partial<ProviderRequest> = {},
  apiKey: string | undefined = key,
) {
  const seen: { path: string | undefined; headers: IncomingHttpHeaders; body: unknown }[] = []
  const { status = 200, headers, reply = 'gpt-image.json' } = scripted
  const body =
    typeof reply === 'string'
      ? await readFile(new URL(`__fixtures__/${reply}`, import.meta.url))
      : JSON.stringify(reply)
  const server = createServer(async (request, response) => {
    seen.push({ path: request.url, headers: request.headers, body: await json(request) })
    response.writeHead(status, headers).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(server)
  const provider = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, apiKey)
  const outcome = await provider.start(requestFor(overrides), AbortSignal.timeout(5_000)).then(
    (value): ProviderOutcome | ProviderError => value,
    (error: unknown) => {
      if (error instanceof ProviderError) return error
      throw error
    },
  )
  return { outcome, seen }
}

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
      images: [{ source: png }, { source: png }],
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

describe('an error', () => {
  const say = (error: object) => ({
    error: { message: 'told so', type: null, param: null, code: null, ...error },
  })
  const refused = { code: 'moderation_blocked', attribution: 'client', dispatched: 'yes', retryable: false }
  const invalid = { code: 'invalid_image_request', attribution: 'client', dispatched: 'no', retryable: false }
  const unpaid = { code: 'upstream_failed', attribution: 'platform', dispatched: 'no', retryable: false }
  const failed = { code: 'upstream_failed', attribution: 'upstream', retryable: false }
  const limited = { code: 'rate_limit_exceeded', attribution: 'capacity', dispatched: 'no', retryable: true }
  /** A success status may stand before work that costs money, whatever the error in it says. */
  const late = { dispatched: 'yes', retryable: false, retryAfterMs: undefined }

  it.each<[number, object | string, object]>([
    [400, { code: 'moderation_blocked', type: 'image_generation_user_error' }, refused],
    [400, { code: 'content_policy_violation' }, refused],
    [400, { code: 'contentFilter' }, refused],
    [400, { type: 'image_generation_user_error', message: 'rejected by the safety system' }, refused],
    [403, { code: 'content_policy_violation' }, refused],
    [400, { code: 'billing_hard_limit_reached' }, unpaid],
    [402, {}, unpaid],
    [429, { code: 'insufficient_quota', type: 'insufficient_quota' }, unpaid],
    [400, { param: 'size', code: 'invalid_value' }, { ...invalid, param: 'size' }],
    [422, {}, { ...invalid, param: null }],
    [400, 'a bare string', invalid],
    [401, { code: 'invalid_api_key' }, unpaid],
    [403, {}, unpaid],
    [404, { code: 'model_not_found' }, unpaid],
    [408, {}, { ...failed, dispatched: 'yes' }],
    [413, {}, { code: 'request_too_large', attribution: 'client', dispatched: 'no', retryable: false }],
    [418, {}, { ...failed, dispatched: 'no' }],
    [429, { code: 'rate_limit_exceeded' }, { ...limited, retryAfterMs: 1_000 }],
    [500, {}, { ...failed, dispatched: 'yes' }],
    [502, {}, { ...failed, dispatched: 'yes' }],
    [504, {}, { code: 'outcome_unknown', dispatched: 'unknown', retryable: false }],
    [503, {}, { code: 'upstream_unavailable', dispatched: 'no', retryable: true }],
    [200, { code: 'moderation_blocked' }, refused],
    [200, { code: 'insufficient_quota' }, { ...unpaid, ...late }],
    [500, { code: 'moderation_blocked' }, { ...failed, dispatched: 'yes' }],
    [200, { code: 'invalid_value', type: 'invalid_request_error' }, { ...invalid, ...late }],
    [200, { code: 401 }, { ...unpaid, ...late }],
    [200, { code: 429 }, { ...limited, ...late, code: 'upstream_failed' }],
    [200, { type: 'rate_limit_error' }, { ...limited, ...late, code: 'upstream_failed' }],
    [200, { code: 503 }, { ...failed, ...late }],
    [202, { code: '504' }, { ...late, code: 'outcome_unknown' }],
    [200, { message: 'no idea' }, { ...failed, ...late }],
    [400, { code: 'x', param: 'a heron at dawn' }, { ...invalid, param: null }],
    [400, { code: 'x', param: '\u0000' }, { ...invalid, param: null }],
  ])('%i %j is understood', async (status, error, expected) => {
    const reply = typeof error === 'string' ? { error } : say(error)
    const { outcome } = await call({ status, reply })
    expect(outcome).toMatchObject(expected)
    expect((outcome as ProviderError).message).toMatch(/^OpenAI /)
  })

  it('about the request quotes OpenAI', async () => {
    const { outcome } = await call({ status: 400, reply: 'moderation.json' })
    expect(outcome).toMatchObject({
      message:
        'OpenAI refused: Your request was rejected by the safety system. safety_violations=[violence].',
    })
  })

  it('about credentials names the variable and quotes nothing', async () => {
    const { outcome } = await call({ status: 401, reply: say({ message: `Incorrect API key: ${key}` }) })
    const { message, detail } = outcome as ProviderError
    expect(message).toBe("OpenAI refused Gesso's credentials; check OPENAI_API_KEY.")
    expect(detail).not.toContain(key)
  })

  it.each(['a heron at dawn', 'A  HERON AT DAWN', 'no boats please', 'user-4711'])(
    'that repeats "%s" of the request is not quoted',
    async (echo) => {
      const { outcome } = await call(
        { status: 400, reply: say({ message: `Cannot draw "${echo}".` }) },
        { model: 'qwen-image', negativePrompt: 'no boats please', safetyIdentifier: 'user-4711' },
      )
      const { message, detail } = outcome as ProviderError
      expect(message).toBe('OpenAI did not accept this: (withheld: it repeated the request)')
      expect(detail).not.toMatch(/heron|boats|4711/i)
    },
  )

  it.each([
    ['one of two', { data: [{ error: { type: 'rate_limit_error' } }, {}] }],
    ['the second', { data: [null, { error: { code: 429 } }] }],
    ['both', { data: [{ error: { code: 503 } }, { error: { code: 401 } }] }],
    ['the whole, beside an empty list', { data: [], error: { type: 'rate_limit_error' } }],
  ])('about %s never invites paying twice', async (_, reply) => {
    const { outcome } = await call({ reply, headers: { 'retry-after': '1' } }, { n: 2 })
    expect(outcome).toBeInstanceOf(ProviderError)
    expect(outcome).toMatchObject(late)
  })

  it('that repeats the address of LoRA weights, which may hold a token, is not quoted', async () => {
    const loraWeights = 'https://weights.acme.test/t0ken/ink.safetensors'
    const told = say({ message: `Could not load ${loraWeights}.` })
    const asked = { model: 'qwen-image', extraLoraWeights: [loraWeights] }
    const { outcome } = await call({ status: 400, reply: told }, asked)
    expect(`${(outcome as ProviderError).message} ${(outcome as ProviderError).detail}`).not.toContain(
      't0ken',
    )
    const plain = await call({ status: 400, reply: say({ message: 'No such LoRA: acme/ink.' }) }, asked)
    expect((plain.outcome as ProviderError).message).toContain('acme/ink')
  })

  it('about one of several pictures spares the others', async () => {
    const error = { code: 'content_policy_violation', message: 'told so' }
    const item = { b64_json: Buffer.from('picture').toString('base64') }
    const { outcome } = await call({ reply: { data: [item, { error }] } }, { n: 2 })
    expect(outcome).toMatchObject({ images: [{}], failures: [{ error: refused }] })
    const { outcome: none } = await call({ reply: { data: [{ error }, { error }] } }, { n: 2 })
    expect(none).toMatchObject(refused)
  })

  it.each([
    [429, { 'retry-after-ms': '1250', 'retry-after': '2' }, 1_250],
    [429, { 'retry-after': '864000' }, 3_600_000],
    [503, { 'retry-after': '2.5' }, 2_500],
    [503, {}, undefined],
  ])('%i with %j is worth trying again in %s ms', async (status, headers, retryAfterMs) => {
    const { outcome } = await call({ status, headers, reply: say({}) })
    expect((outcome as ProviderError).retryAfterMs).toBe(retryAfterMs)
  })
})
