/** The adapter in front of a fake Replicate, for tests of what goes over the wire and of what is made of an answer. */
import { readFile } from 'node:fs/promises'
import {
  type FakeReplicate,
  type FakeReplicateOptions,
  fakeReplicateKey,
  startFakeReplicate,
} from '../../../../test/upstreams/replicate.ts'
import { createProviderHttp } from '../../http.ts'
import type { Provider, ProviderOutcome, ProviderRequest, ProviderSettings } from '../../provider.ts'
import { ProviderError } from '../../provider-error.ts'
import { replicate } from '../replicate.ts'

export interface OpenReplicate extends AsyncDisposable {
  upstream: FakeReplicate
  provider: Provider
  /** Starts a request that lacks nothing; answers the failure instead of throwing it. */
  start(overrides?: Partial<ProviderRequest>): Promise<ProviderOutcome | ProviderError>
  /** The same against exactly this answer. */
  answered(
    answer: { status?: number; body: unknown },
    overrides?: Partial<ProviderRequest>,
  ): Promise<ProviderOutcome | ProviderError>
  /** The body of the latest prediction. */
  lastBody(): Record<string, unknown>
}

export async function openReplicate(
  options: FakeReplicateOptions = {},
  settings: Partial<ProviderSettings> = {},
): Promise<OpenReplicate> {
  const upstream = await startFakeReplicate({ otherSize: { width: 64, height: 64 }, ...options })
  const http = createProviderHttp()
  const provider = replicate.create(
    { baseUrl: upstream.url, apiKey: fakeReplicateKey, timeoutMs: 1_000, maxResponseBytes: 1e6, ...settings },
    { http, rasterise: () => Promise.reject(new Error('not used')) },
  )
  const start: OpenReplicate['start'] = (overrides) => {
    const request = {
      taskId: 'image_1',
      model: 'black-forest-labs/flux-2-pro',
      prompt: 'a heron at dawn',
      n: 1,
    }
    return provider.start({ ...request, ...overrides }, AbortSignal.timeout(5_000)).catch(asFailure)
  }
  return {
    upstream,
    provider,
    start,
    async answered({ status = 201, body }, overrides) {
      await upstream.play({ status, body }, 1)
      return start(overrides)
    },
    lastBody() {
      const bodies = upstream.requests.filter(({ path }) => path.endsWith('predictions'))
      return bodies.at(-1)?.body as Record<string, unknown>
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([upstream.close(), http.close()])
    },
  }
}

export function asFailure(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  throw error
}

/** A recorded answer, changed where the test wants it to be. */
export async function fixture(name: string, changes: object = {}): Promise<Record<string, unknown>> {
  const text = await readFile(new URL(`../__fixtures__/${name}.json`, import.meta.url), 'utf8')
  return { ...JSON.parse(text), ...changes }
}
