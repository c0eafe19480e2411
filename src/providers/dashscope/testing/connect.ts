/** The adapter as the tests of it use it: in front of a server of theirs. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createProviderHttp } from '../../http.ts'
import type { Provider, ProviderRequest } from '../../provider.ts'
import { ProviderError } from '../../provider-error.ts'
import { dashscope } from '../dashscope.ts'

export const key = 'sk-dashscopefake0123456789abcdef'

/** What was opened for a test. A file closes it in its own `afterEach`: this module may serve several files. */
const opened: { close(): unknown }[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close()
}

/** The adapter, for this server. */
export function connect(baseUrl: string | undefined, apiKey: string | undefined = key): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { baseUrl, apiKey, timeoutMs: 1_000, maxResponseBytes: 1_000_000 }
  return dashscope.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

/** A request that lacks nothing. */
export function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'qwen-image-2.0-pro', prompt: 'a heron at dawn', n: 1, ...overrides }
}

/** A server that gives exactly this answer, and the adapter in front of it. */
export async function scripted(status: number, reply: unknown): Promise<Provider> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end(JSON.stringify(reply)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(server)
  return connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`)
}

/** The error of a promise that must fail with one. */
export async function failure(promise: Promise<unknown>): Promise<ProviderError> {
  const thrown = await promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  if (thrown instanceof ProviderError) return thrown
  throw thrown
}
