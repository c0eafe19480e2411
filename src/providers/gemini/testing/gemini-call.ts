/** The adapter in front of the fake Gemini, for its tests. */
import { readFile } from 'node:fs/promises'
import { type FakeGeminiOptions, fakeGeminiKey, startFakeGemini } from '../../../../test/upstreams/gemini.ts'
import { createProviderHttp } from '../../http.ts'
import type { Provider, ProviderCompleted, ProviderRequest } from '../../provider.ts'
import { ProviderError } from '../../provider-error.ts'
import { gemini } from '../gemini.ts'

const opened: { close(): unknown }[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close()
}

/** The adapter, for this server. */
export function connect(
  baseUrl: string | undefined,
  apiKey: string | undefined = fakeGeminiKey,
  timeoutMs = 5_000,
): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { baseUrl, apiKey: apiKey || undefined, timeoutMs, maxResponseBytes: 1_000_000 }
  return gemini.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

/** A request that lacks nothing. */
export function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'gemini-3.1-flash-image', prompt: 'a heron at dawn', n: 1, ...overrides }
}

/** One call to the fake; with a `status` and a `body`, or the name of a fixture, it answers with these instead. */
export async function call(
  overrides: Partial<ProviderRequest> = {},
  told: FakeGeminiOptions & { status?: number; body?: unknown; fixture?: string; apiKey?: string } = {},
) {
  const { status = 200, body, fixture, apiKey, ...options } = told
  const upstream = await startFakeGemini({ otherSize: { width: 64, height: 64 }, ...options })
  opened.push(upstream)
  const bytes = fixture && (await readFile(new URL(`../__fixtures__/${fixture}`, import.meta.url)))
  if (bytes || body !== undefined) await upstream.play({ status, body: bytes || body })
  const outcome = await connect(upstream.url, apiKey)
    .start(requestFor(overrides), AbortSignal.timeout(5_000))
    .then((value) => value as ProviderCompleted)
    .catch((error: unknown) => {
      if (error instanceof ProviderError) return error
      throw error
    })
  return { outcome, requests: upstream.requests }
}
