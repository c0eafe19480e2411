/** The adapter against a server that gives exactly one answer, for tests of what it makes of that answer. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { createProviderHttp } from '../../http.ts'
import type { Provider, ProviderOutcome, ProviderRequest } from '../../provider.ts'
import { ProviderError } from '../../provider-error.ts'
import { openai } from '../openai.ts'

export const key = 'sk-proj-0123456789'

/** What was opened for a test. A file closes it in its own `afterEach`: this module may serve several files. */
const opened: { close(): unknown }[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close()
}

/** The adapter, for this server. */
export function connect(
  baseUrl: string | undefined,
  apiKey: string | undefined,
  timeoutMs = 5_000,
): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { baseUrl, apiKey, timeoutMs, maxResponseBytes: 1_000_000 }
  return openai.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

/** A request that lacks nothing. */
export function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'gpt-image-2', prompt: 'a heron at dawn', n: 1, ...overrides }
}

interface Scripted {
  status?: number
  headers?: Record<string, string>
  /** A value, or the name of a fixture. */
  reply?: unknown
}

/** Runs one call against a server that gives exactly this answer. */
export async function call(
  scripted: Scripted,
  overrides: Partial<ProviderRequest> = {},
  apiKey: string | undefined = key,
) {
  const seen: { path: string | undefined; headers: IncomingHttpHeaders; body: unknown }[] = []
  const { status = 200, headers, reply = 'gpt-image.json' } = scripted
  const body =
    typeof reply === 'string'
      ? await readFile(new URL(`../__fixtures__/${reply}`, import.meta.url))
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
