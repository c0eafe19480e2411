import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { type FakeAzureOptions, fakeAzureKey, startFakeAzure } from '../../../test/upstreams/azure.ts'
import type { FakeUpstream } from '../../../test/upstreams/fake-upstream.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import { azureRoutes } from '../../models/catalogue/routes/azure.ts'
import { builtInModels } from '../../models/catalogue.ts'
import { createProviderHttp } from '../http.ts'
import { maximalRequests } from '../openai/testing/maximal-request.ts'
import type { PartialPicture, Provider, ProviderRequest, ProviderSettings } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { azure } from './azure.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close()
})

function connect(baseUrl: string | undefined, settings: Partial<ProviderSettings> = {}): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const usual = { apiKey: fakeAzureKey, timeoutMs: 5_000, maxResponseBytes: 1_000_000 }
  const rasterise = () => Promise.reject(new Error('not used'))
  return azure.create({ ...usual, baseUrl, ...settings }, { http, rasterise })
}

function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'gpt-image-1.5', prompt: 'a heron at dawn', n: 1, ...overrides }
}

async function conformanceWorld(isWatched: boolean): Promise<ConformanceWorld> {
  const upstream = await startFakeAzure({ echo: true, otherSize: { width: 128, height: 96 } })
  const provider = connect(upstream.url, { timeoutMs: 1_000 })
  const watching = { partialImages: 1, onPartial: () => undefined }
  const stream = provider.stream
  return {
    provider:
      isWatched && stream
        ? { ...provider, start: (request, signal) => stream(request, watching, signal) }
        : provider,
    withKey: (key) => connect(upstream.url, { apiKey: key, timeoutMs: 1_000 }),
    request: requestFor,
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => [upstream.requests.at(-1)?.path, upstream.requests.at(-1)?.body],
      lastInputs() {
        const { 'image[]': images, mask } = (upstream.requests.at(-1)?.body ?? {}) as Record<string, unknown>
        const sums = [images].flat().flatMap((file) => (file instanceof RecordedFile ? [file.sha256] : []))
        return { images: sums, ...(mask instanceof RecordedFile ? { mask: mask.sha256 } : {}) }
      },
    },
    apiKey: fakeAzureKey,
    reportsSeed: false,
    maxImagesPerCall: isWatched ? 1 : 10,
    close: upstream.close,
  }
}

describeProviderConformance('azure', () => conformanceWorld(false))
describeProviderConformance('azure, watched', () => conformanceWorld(true))

async function start(options: Record<string, unknown> = {}, fake: FakeAzureOptions = {}) {
  const upstream = await startFakeAzure({ otherSize: { width: 64, height: 48 }, ...fake })
  opened.push(upstream)
  const provider = connect(upstream.url, { options })
  const run = (overrides: Partial<ProviderRequest> = {}) =>
    provider.start(requestFor(overrides), AbortSignal.timeout(5_000)).catch((error: unknown) => {
      if (error instanceof ProviderError) return error
      throw error
    })
  return { upstream, provider, run }
}

const inputs = await openSampleInputs()

describe('a generation', () => {
  it('on the v1 API names the deployment in the body, and the key in api-key alone', async () => {
    const { upstream, run } = await start({ deployments: { 'gpt-image-1.5': 'team-pictures' } })
    const outcome = await run({
      n: 2,
      size: { width: 1536, height: 1024 },
      quality: 'low',
      background: 'opaque',
      outputFormat: 'jpeg',
      safetyIdentifier: 'user-1',
    })
    expect(outcome).toMatchObject({
      images: [{ source: { kind: 'bytes' } }, {}],
      usage: { inputTokens: 4 },
      upstreamRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(upstream.requests[0]).toMatchObject({
      method: 'POST',
      path: '/openai/v1/images/generations',
      headers: { 'api-key': fakeAzureKey },
    })
    expect(upstream.requests[0]?.headers).not.toHaveProperty('authorization')
    expect(upstream.requests[0]?.body).toEqual({
      model: 'team-pictures',
      prompt: 'a heron at dawn',
      n: 2,
      size: '1536x1024',
      quality: 'low',
      background: 'opaque',
      output_format: 'jpeg',
      user: 'user-1',
    })
  })

  it('on a dated version names it in the address', async () => {
    const deployments = { 'gpt-image-1.5': 'team-pictures' }
    const { upstream, run } = await start({ deployments, api_version: '2025-04-01-preview' })
    expect(await run()).toMatchObject({ status: 'completed' })
    expect(upstream.requests[0]?.path).toBe(
      '/openai/deployments/team-pictures/images/generations?api-version=2025-04-01-preview',
    )
    expect(upstream.requests[0]?.body).toMatchObject({ model: 'team-pictures', n: 1, size: 'auto' })
  })

  it.each(['v1', 'preview'])('with the version %s stays on the v1 API', async (api_version) => {
    const { upstream, run } = await start({ api_version })
    expect(await run()).toMatchObject({ status: 'completed' })
    expect(upstream.requests[0]?.path).toBe(`/openai/v1/images/generations?api-version=${api_version}`)
  })

  it.each([
    '',
    '/',
    '/openai',
    '/openai/v1',
    '/openai/v1/',
    '/openai/deployments/x/images/edits?api-version=y',
  ])('finds its way from an endpoint with "%s" behind it', async (ending) => {
    const { upstream } = await start()
    const provider = connect(`${upstream.url}${ending}`)
    const outcome = await provider.start(requestFor(), AbortSignal.timeout(5_000))
    expect(outcome.status).toBe('completed')
    expect(upstream.requests[0]?.path).toBe('/openai/v1/images/generations')
  })

  it.each<[string, Partial<ProviderRequest>]>([
    ['moderation', { moderation: 'low' }],
    ['output_format', { outputFormat: 'webp' }],
    ['output_compression', { outputFormat: 'jpeg', outputCompression: 80 }],
    ['input_fidelity', { inputFidelity: 'high' }],
    ['style', { style: 'vivid' }],
    ['seed', { seed: 0 }],
    ['mask', { mask: inputs.mask() }],
  ])('that cannot say %s is refused before anything is sent', async (param, overrides) => {
    const { upstream, run } = await start()
    expect(await run(overrides)).toMatchObject({ code: 'unsupported_parameter', param, dispatched: 'no' })
    expect(upstream.requests).toEqual([])
  })

  it('in a deployment of any name is never asked for response_format', async () => {
    const { upstream, run } = await start(
      {},
      { deployments: { 'dall-e-3': 'gpt-image-2', constructor: 'gpt-image-2' } },
    )
    for (const model of ['dall-e-3', 'constructor'])
      expect(await run({ model })).toMatchObject({ images: [{}] })
    for (const { body } of upstream.requests) expect(body).not.toHaveProperty('response_format')
  })

  it('in another dialect, without a key or without an address is not begun', async () => {
    const { upstream, run } = await start()
    expect(await run({ dialect: 'openai-compatible' })).toMatchObject({
      code: 'internal_error',
      dispatched: 'no',
    })
    for (const provider of [connect(upstream.url, { apiKey: undefined }), connect(undefined)]) {
      const call = provider.start(requestFor(), AbortSignal.timeout(1_000))
      await expect(call).rejects.toMatchObject({ code: 'provider_not_configured', dispatched: 'no' })
    }
    expect(upstream.requests).toEqual([])
  })
})

describe('an edit', () => {
  it('is a form whose pictures are always a list', async () => {
    const { upstream, run } = await start({ api_version: '2025-04-01-preview' })
    const outcome = await run({
      images: [inputs.picture('image/jpeg')],
      mask: inputs.mask(),
      inputFidelity: 'high',
    })
    expect(outcome).toMatchObject({ images: [{}] })
    expect(upstream.requests[0]).toMatchObject({
      path: '/openai/deployments/gpt-image-1.5/images/edits?api-version=2025-04-01-preview',
      body: {
        'image[]': { filename: 'image.jpg', mediaType: 'image/jpeg' },
        mask: { filename: 'mask.png' },
        input_fidelity: 'high',
        model: 'gpt-image-1.5',
        n: '1',
      },
    })
  })

  it('of a WebP is refused before anything is sent', async () => {
    const { upstream, provider, run } = await start()
    expect(provider.inputs?.mediaTypes).toEqual(['image/png', 'image/jpeg'])
    const refusal = { code: 'unsupported_image', param: 'image', dispatched: 'no' }
    expect(await run({ images: [inputs.picture('image/webp')] })).toMatchObject(refusal)
    expect(upstream.requests).toEqual([])
  })
})

test('a picture is shown in stages', async () => {
  const { upstream, provider } = await start({ deployments: { 'gpt-image-1.5': 'team-pictures' } })
  const partials: PartialPicture[] = []
  const watching = { partialImages: 3, onPartial: (partial: PartialPicture) => void partials.push(partial) }
  const outcome = await provider.stream?.(requestFor(), watching, AbortSignal.timeout(5_000))
  expect(outcome).toMatchObject({ images: [{}], usage: {} })
  expect(partials.map(({ index }) => index)).toEqual([0, 1, 2])
  expect(upstream.requests[0]?.body).toMatchObject({
    model: 'team-pictures',
    stream: true,
    partial_images: 3,
  })
})

describe('what Azure says', () => {
  const refused = { code: 'moderation_blocked', attribution: 'client', dispatched: 'yes', retryable: false }
  const declined = { code: 'upstream_failed', attribution: 'platform', dispatched: 'no', retryable: false }

  it.each<[number, object, object]>([
    [400, { created: 1, error: { code: 'contentFilter', message: 'Your task failed.' } }, refused],
    [200, { created: 1, error: { code: 'contentFilter', message: 'It was filtered.' } }, refused],
    [400, { error: { code: 'content_policy_violation', inner_error: {} } }, refused],
    [400, { error: { code: 'content_filter', param: 'prompt' } }, refused],
    [400, { error: { code: null, innererror: { code: 'ResponsibleAIPolicyViolation' } } }, refused],
    [400, { error: { code: 'invalid_value', inner_error: { code: 7 } } }, { code: 'invalid_image_request' }],
    [401, { statusCode: 401, message: 'Unauthorized.' }, declined],
    [403, { error: { code: 'Forbidden', message: 'Your resource has been temporarily blocked.' } }, declined],
    [404, { error: { code: 'DeploymentNotFound', message: 'The API deployment does not exist.' } }, declined],
    [408, { error: { code: 'Timeout' } }, { code: 'upstream_failed', dispatched: 'yes', retryable: false }],
    [429, { error: { code: '429' } }, { code: 'rate_limit_exceeded', retryable: true, retryAfterMs: 1_000 }],
  ])('%i %j is understood', async (status, body, expected) => {
    const { upstream, run } = await start()
    await upstream.play({ status, body })
    expect(await run()).toMatchObject(expected)
  })

  it('about the key or the deployment names the variable', async () => {
    const { upstream, run } = await start()
    expect(await run({ model: 'nobody' })).toMatchObject({
      message: expect.stringMatching(
        /^Azure OpenAI does not know this model, or AZURE_OPENAI_ENDPOINT leads nowhere: /,
      ),
    })
    await upstream.play('401')
    expect(await run()).toMatchObject({
      message:
        "Azure OpenAI refused the credentials; check AZURE_OPENAI_API_KEY, or the account's own key where it was used.",
    })
  })
})

describe('each model', () => {
  let upstream: FakeUpstream
  beforeAll(async () => {
    upstream = await startFakeAzure({ otherSize: { width: 32, height: 32 } })
  })
  afterAll(() => upstream.close())

  it.each(Object.entries(azureRoutes))('%s takes all that its table lets through', async (id, route) => {
    const model = builtInModels.find((one) => one.id === id)
    if (!model) throw new Error(`${id} is in no list of models`)
    const provider = connect(upstream.url)
    for (const request of await maximalRequests(model, route)) {
      const outcome = await provider.start(request, AbortSignal.timeout(10_000))
      expect(outcome).toMatchObject({ status: 'completed', images: [{}] })
    }
  })
})
