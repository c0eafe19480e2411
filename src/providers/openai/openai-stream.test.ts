import type { ServerResponse } from 'node:http'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeOpenAiOptions, fakeOpenAiKey, startFakeOpenAi } from '../../../test/upstreams/openai.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import { serveHttp } from '../../net/testing/loopback.ts'
import type { PartialPicture, Provider, ProviderCompleted, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { closeOpened, connect, requestFor } from './testing/scripted-server.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close()
  await closeOpened()
})

const small = { width: 128, height: 96 }

/** The same contract for whoever watches. */
async function conformanceWorld(dialect: 'openai' | 'openai-compatible'): Promise<ConformanceWorld> {
  const upstream = await startFakeOpenAi({ dialect, apiKey: fakeOpenAiKey, echo: true, otherSize: small })
  const model = dialect === 'openai' ? 'gpt-image-1.5' : 'z-image-turbo'
  const provider = connect(upstream.url, fakeOpenAiKey, 1_000)
  return {
    provider: {
      ...provider,
      start: (request, signal) => watched(provider, request, [], signal),
    },
    withKey: (key) => connect(upstream.url, key),
    request: (overrides) => requestFor({ model, ...overrides }),
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => [upstream.requests.at(-1)?.path, upstream.requests.at(-1)?.body],
      lastInputs() {
        const {
          image,
          'image[]': several,
          mask,
        } = (upstream.requests.at(-1)?.body ?? {}) as Record<string, unknown>
        const sums = [image, several]
          .flat()
          .flatMap((file) => (file instanceof RecordedFile ? [file.sha256] : []))
        return { images: sums, ...(mask instanceof RecordedFile ? { mask: mask.sha256 } : {}) }
      },
    },
    apiKey: fakeOpenAiKey,
    reportsSeed: false,
    maxImagesPerCall: 1,
    close: upstream.close,
  }
}

describeProviderConformance('openai, watched', () => conformanceWorld('openai'))
describeProviderConformance('openai, compatible servers, watched', () =>
  conformanceWorld('openai-compatible'),
)

async function watched(
  provider: Provider,
  request: ProviderRequest,
  partials: PartialPicture[],
  signal = AbortSignal.timeout(5_000),
): Promise<ProviderCompleted> {
  if (!provider.stream) throw new Error('it shows no unfinished pictures')
  const watching = { partialImages: 2, onPartial: (partial: PartialPicture) => void partials.push(partial) }
  const outcome = await provider.stream(request, watching, signal)
  if (outcome.status !== 'completed') throw new Error('it is not done')
  return outcome
}

async function start(streams?: FakeOpenAiOptions['streams'], options: FakeOpenAiOptions = {}) {
  const upstream = await startFakeOpenAi({ otherSize: small, noisy: true, streams, ...options })
  opened.push(upstream)
  return watch(connect(upstream.url, fakeOpenAiKey), upstream.requests)
}

function watch<Requests>(provider: Provider, requests: Requests) {
  const partials: PartialPicture[] = []
  const run = async (overrides: Partial<ProviderRequest> = {}) =>
    watched(provider, requestFor(overrides), partials).catch((error: unknown) => {
      if (error instanceof ProviderError) return error
      throw error
    })
  return { partials, requests, run }
}

function bytesOf(outcome: ProviderCompleted | ProviderError): Buffer {
  const source = outcome instanceof ProviderError ? undefined : outcome.images[0]?.source
  if (source?.kind !== 'bytes') throw outcome
  return source.bytes
}

describe('a picture that is watched', () => {
  it('is shown in stages, and is the last of them', async () => {
    const { partials, requests, run } = await start()
    const outcome = await run()
    expect(partials.map(({ position, index }) => [position, index])).toEqual([
      [0, 0],
      [0, 1],
    ])
    const all = [...partials.map(({ bytes }) => bytes), bytesOf(outcome)]
    for (const bytes of all) expect(await sharp(bytes).metadata()).toMatchObject({ ...small, format: 'png' })
    expect(new Set(all.map((bytes) => bytes.toString('base64'))).size).toBe(3)
    const outputTokens = expect.any(Number)
    expect(outcome).toMatchObject({
      images: [{}],
      effective: { size: '128x96', quality: 'medium', background: 'opaque' },
      usage: { inputTokens: 4, outputTokens, inputTokensDetails: { textTokens: 4, imageTokens: 0 } },
      upstreamRequestId: expect.stringMatching(/^req_/),
    })
    expect(outcome).not.toHaveProperty('failures')
    expect(requests[0]?.headers.accept).toContain('text/event-stream')
    expect(requests[0]?.body).toEqual({
      model: 'gpt-image-2',
      prompt: 'a heron at dawn',
      n: 1,
      size: 'auto',
      stream: true,
      partial_images: 2,
    })
  })

  it('of an edit is asked for in the form', async () => {
    const { partials, requests, run } = await start()
    const images = [(await openSampleInputs()).picture('image/png')]
    expect(await run({ images })).toMatchObject({
      images: [{}],
      usage: { inputTokensDetails: { imageTokens: 256 } },
    })
    expect(partials).toHaveLength(2)
    expect(requests[0]).toMatchObject({
      path: '/v1/images/edits',
      body: { image: { format: 'png' }, stream: 'true', partial_images: '2' },
    })
  })

  it('of a compatible server is asked for in its dialect', async () => {
    const { partials, requests, run } = await start(undefined, { dialect: 'openai-compatible' })
    expect(await run({ model: 'z-image-turbo', seed: 7 })).toMatchObject({
      images: [{ source: { kind: 'bytes' } }],
    })
    expect(partials).toHaveLength(2)
    expect(requests[0]?.body).toMatchObject({
      response_format: 'b64_json',
      seed: 7,
      stream: true,
      partial_images: 2,
    })
  })

  it('is told while it is drawn, and not at the end', async () => {
    const { partials, run } = await start({ eventDelayMs: 30 })
    const outcome = run()
    await expect.poll(() => partials.length, { interval: 3 }).toBe(1)
    expect(partials).toHaveLength(1)
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(partials).toHaveLength(2)
  })

  it.each<[string, FakeOpenAiOptions['streams']]>([
    ['may end with [DONE]', { done: true }],
    ['comes from a server that does not stream', 'never'],
    ['may come before its stages, which then count no more', { finalFirst: true }],
  ])('%s', async (_, streams) => {
    const { partials, run } = await start(streams)
    expect(await run()).toMatchObject({ images: [{ source: { kind: 'bytes' } }], usage: {} })
    expect(partials).toHaveLength(streams !== 'never' && streams?.done ? 2 : 0)
  })

  it('that is refused at its end is told as moderation', async () => {
    const { partials, run } = await start({ endsWith: 'moderation' })
    expect(await run()).toMatchObject({
      code: 'moderation_blocked',
      attribution: 'client',
      dispatched: 'yes',
      retryable: false,
    })
    expect(partials).toHaveLength(2)
  })

  it('whose making fails never invites paying twice', async () => {
    const { run } = await start({ endsWith: 'server error' })
    expect(await run()).toMatchObject({ code: 'upstream_failed', dispatched: 'yes', retryable: false })
  })

  it.each<[string, FakeOpenAiOptions['streams']]>([
    ['never comes', { endsWith: 'nothing' }],
    ['is cut off before its end', { cutAfterEvents: 2 }],
  ])('that %s is not replaced by a stage of it', async (_, streams) => {
    const { partials, run } = await start(streams)
    const lost = { code: 'upstream_invalid_response', dispatched: 'yes', retryable: false }
    expect(await run()).toMatchObject(lost)
    expect(partials).toHaveLength(2)
  })
})

describe('a stream', () => {
  const png = Buffer.from('89504e470d0a1a0a', 'hex').toString('base64')

  /** Runs one call against a server that says exactly these events. */
  async function watchEvents(events: string, n = 1) {
    const say = (response: ServerResponse) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events)
    const server = await serveHttp((_, response) => say(response))
    opened.push(server)
    const { partials, run } = watch(connect(`${server.origin}/v1`, fakeOpenAiKey), server.seen)
    return { outcome: await run({ n }), partials }
  }
  const event = (json: object, name?: string) =>
    `${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(json)}\n\n`
  const completed = (more: object = {}) =>
    event({ type: 'image_generation.completed', b64_json: png, ...more })

  it.each<[string, string, object]>([
    [
      'an error by its name',
      event({ message: 'told so', code: 'moderation_blocked' }, 'error'),
      { code: 'moderation_blocked' },
    ],
    [
      'an error without a name',
      event({ error: { code: 'content_policy_violation' } }),
      { code: 'moderation_blocked' },
    ],
    [
      'an error as a bare string',
      event({ error: 'told so' }),
      { code: 'upstream_failed', attribution: 'upstream' },
    ],
    ['an error that is no JSON', 'event: error\ndata: oops\n\n', { code: 'upstream_failed' }],
    [
      'a limit of calls',
      event({ error: { code: 'rate_limit_exceeded' } }),
      { code: 'upstream_failed', attribution: 'capacity' },
    ],
    [
      'only what it does not know',
      event({ type: 'keepalive' }, 'ping') + event([]),
      { code: 'upstream_invalid_response' },
    ],
    ['nothing', '', { code: 'upstream_invalid_response' }],
    [
      'usage alone',
      event({ type: 'image_generation.completed', usage: { total_tokens: 7 } }),
      { code: 'upstream_invalid_response' },
    ],
    ['a picture that is none', completed({ b64_json: 'none!' }), { code: 'upstream_invalid_response' }],
  ])('that says %s is no success, and is never sent again', async (_, events, expected) => {
    const { outcome } = await watchEvents(events)
    expect(outcome).toBeInstanceOf(ProviderError)
    expect(outcome).toMatchObject({ ...expected, dispatched: 'yes', retryable: false })
  })

  it('has its types in the data or in the name of the event', async () => {
    const partial = { b64_json: png }
    const { outcome, partials } = await watchEvents(
      event(partial, 'image_edit.partial_image') + event({ b64_json: png }, 'image_edit.completed'),
    )
    expect(outcome).toMatchObject({ images: [{ source: { bytes: Buffer.from(png, 'base64') } }] })
    expect(partials).toEqual([{ position: 0, index: 0, bytes: Buffer.from(png, 'base64') }])
  })

  it('with a picture is a success even beside an error, or with odd stages', async () => {
    const odd = event({ type: 'image_generation.partial_image', b64_json: 7, partial_image_index: -1 })
    const { outcome, partials } = await watchEvents(odd + completed() + event({ error: { message: 'late' } }))
    expect(outcome).toMatchObject({ images: [{}] })
    expect(partials).toEqual([])
  })

  it('of more pictures than were asked for loses the last, with what it says of itself', async () => {
    const { outcome } = await watchEvents(
      completed({ size: '8x8', usage: { total_tokens: 3 } }) +
        completed({ size: '9x9', usage: { total_tokens: 5 } }),
    )
    expect(outcome).toMatchObject({ images: [{}], effective: { size: '8x8' }, usage: { totalTokens: 3 } })
    expect(outcome).not.toHaveProperty('images.1')
    const { outcome: both } = await watchEvents(completed() + completed(), 2)
    expect(both).toMatchObject({ images: [{}, {}] })
  })
})
