/** The adapter against a fal that answers what a test wants to be answered, and nothing else. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createProviderHttp } from '../../http.ts'
import type { Provider, ProviderRequest } from '../../provider.ts'
import { ProviderError } from '../../provider-error.ts'
import { fal } from '../fal.ts'

export const key = '0f5a1f2e-1111-4222-8333-0123456789ab:fedcba9876543210fedcba9876543210'

/** What was opened for a test. A file closes it in its own `afterEach`. */
const opened: { close(): unknown }[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close()
}

/** The adapter, for this base URL. */
export function connect(
  baseUrl: string | undefined,
  {
    apiKey = key,
    timeoutMs = 1_000,
    ...options
  }: { apiKey?: string; timeoutMs?: number; jwks_url?: string } = {},
): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { baseUrl, apiKey: apiKey || undefined, timeoutMs, maxResponseBytes: 1_000_000, options }
  return fal.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

/** A request that lacks nothing. */
export function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'fal-ai/flux/schnell', prompt: 'a heron at dawn', n: 1, ...overrides }
}

export interface ScriptedAnswer {
  status?: number
  headers?: Record<string, string>
  /** A value, the name of a fixture, or the very bytes. */
  reply: unknown
}

export interface Seen {
  method: string | undefined
  path: string | undefined
  headers: IncomingHttpHeaders
  body: unknown
}

/** A server that gives these answers, one after the other, and remembers what it was asked. */
export async function openScript(answers: readonly ScriptedAnswer[]): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const { status = 200, headers, reply } = answers[seen.length] ?? { status: 500, reply: 'no more' }
    const { method, url: path } = request
    const text = (await buffer(request)).toString()
    seen.push({ method, path, headers: request.headers, body: text === '' ? undefined : JSON.parse(text) })
    const isFixture = typeof reply === 'string' && reply.endsWith('.json')
    const body = isFixture
      ? await readFile(new URL(`../__fixtures__/${reply}`, import.meta.url))
      : Buffer.isBuffer(reply)
        ? reply
        : JSON.stringify(reply)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push({
    close() {
      server.closeAllConnections()
      server.close()
    },
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

/** The error that a promise ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<ProviderError> {
  const thrown = await promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  if (thrown instanceof ProviderError) return thrown
  throw thrown
}

export const signal = () => AbortSignal.timeout(2_000)
