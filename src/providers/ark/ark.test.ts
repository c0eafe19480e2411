import { afterEach, describe, expect, it } from 'vitest'
import { type FakeArkOptions, fakeArkKey, startFakeArk } from '../../../test/upstreams/ark.ts'
import type { RecordedRequest } from '../../../test/upstreams/record-request.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import type { Provider, ProviderRequest } from '../provider.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { closeOpened, connect, requestFor } from './testing/scripted-ark.ts'

afterEach(closeOpened)

/** Several pictures of one call are a series: Ark has no other way to make them. */
function asSeries({ n = 1, ...overrides }: Partial<ProviderRequest>): Partial<ProviderRequest> {
  return n > 1 ? { ...overrides, series: { maxImages: n } } : overrides
}

async function conformanceWorld(
  model: string,
  change: (provider: Provider) => Provider = (provider) => provider,
): Promise<ConformanceWorld> {
  const options: FakeArkOptions = { echo: true, otherSize: { width: 256, height: 256 } }
  const upstream = await startFakeArk(options)
  const makesSeries = !model.includes('pro')
  return {
    provider: change(connect(upstream.url, { apiKey: fakeArkKey, timeoutMs: 1_000 })),
    withKey: (key) => connect(upstream.url, { apiKey: key, timeoutMs: 1_000 }),
    request: (overrides = {}) => requestFor({ model, ...asSeries(overrides) }),
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => submissions(upstream.requests).at(-1)?.body,
      lastInputs: () => ({ images: inputsOf(submissions(upstream.requests).at(-1)) }),
    },
    apiKey: fakeArkKey,
    reportsSeed: false,
    maxImagesPerCall: makesSeries ? 2 : 1,
    failsPartly: makesSeries,
    close: upstream.close,
  }
}

/** Watches whatever is started. */
function watched(provider: Provider): Provider {
  const watching = { partialImages: 1, onPartial: () => undefined }
  const start = (request: ProviderRequest, signal: AbortSignal) => {
    if (!provider.stream) throw new Error('it does not stream')
    return provider.stream(request, watching, signal)
  }
  return { ...provider, start }
}

function submissions(requests: readonly RecordedRequest[]): RecordedRequest[] {
  return requests.filter((request) => request.method === 'POST')
}

function inputsOf(request: RecordedRequest | undefined): string[] {
  const { image = [] } = (request?.body ?? {}) as { image?: unknown }
  return [image].flat().flatMap((file) => (file instanceof RecordedFile ? [file.sha256] : []))
}

describeProviderConformance('ark, Seedream 5.0', () => conformanceWorld('seedream-5-0-260128'))
describeProviderConformance('ark, Seedream 5.0 Pro', () => conformanceWorld('seedream-5-0-pro-260628'))
describeProviderConformance('ark, Seedream 4.0, watched', () =>
  conformanceWorld('seedream-4-0-250828', watched),
)

describe('the key', () => {
  it.each([undefined, 'https://ark.ap-southeast.bytepluses.com/api/v3'])(
    'is needed at %s, and nothing is sent without it',
    async (baseUrl) => {
      const start = connect(baseUrl).start(requestFor(), AbortSignal.timeout(1_000))
      await expect(start).rejects.toMatchObject({
        code: 'provider_not_configured',
        dispatched: 'no',
        message: 'ByteDance Ark has no key: set ARK_API_KEY.',
      })
    },
  )

  it('stays away as a header where a server of one’s own needs none', async () => {
    await using upstream = await startFakeArk()
    await connect(upstream.url)
      .start(requestFor(), AbortSignal.timeout(1_000))
      .catch(() => undefined)
    expect(upstream.requests).toHaveLength(1)
    expect(upstream.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  it('never travels to the address of a result, which is trusted beside a private host only', async () => {
    await using upstream = await startFakeArk()
    const provider = connect(upstream.url, { apiKey: fakeArkKey })
    const request = requestFor({ series: { maxImages: 2 }, size: { width: 1_280, height: 720 } })
    const outcome = await provider.start(request, AbortSignal.timeout(5_000))
    expect(outcome).toMatchObject({
      images: [{ source: { kind: 'url', trusted: true } }, { source: { kind: 'url', trusted: true } }],
    })
    expect(JSON.stringify(outcome)).not.toContain(fakeArkKey)
  })
})

it('a series may take longer than one picture: it is drawn picture after picture', async () => {
  await using upstream = await startFakeArk({ latencyMs: 45, otherSize: { width: 64, height: 64 } })
  const provider = connect(upstream.url, { apiKey: fakeArkKey, timeoutMs: 20 })
  const signal = AbortSignal.timeout(5_000)
  await expect(provider.start(requestFor(), signal)).rejects.toMatchObject({ code: 'outcome_unknown' })
  const outcome = await provider.start(requestFor({ series: { maxImages: 2 } }), signal)
  expect(outcome).toMatchObject({ images: [{}, {}] })
})
