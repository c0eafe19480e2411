/**
 * The adapter against a server that gives exactly one answer, or writes it piece by piece, for tests of what it makes of
 * that answer.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createProviderHttp } from '../../http.ts'
import type { PartialPicture, Provider, ProviderOutcome, ProviderRequest } from '../../provider.ts'
import { ProviderError } from '../../provider-error.ts'
import { ark } from '../ark.ts'

export const key = '6f1c2d3e-1111-4b5a-9c8d-0123456789ab'

/** What was opened for a test. A file closes it in its own `afterEach`: this module may serve several files. */
const opened: { close(): unknown }[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close()
}

/** The adapter, for this server. */
export function connect(
  baseUrl: string | undefined,
  options: { apiKey?: string; timeoutMs?: number; maxResponseBytes?: number } = {},
): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { timeoutMs: 5_000, maxResponseBytes: 1_000_000, baseUrl, ...options }
  return ark.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

/** A request that lacks nothing. */
export function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    taskId: 'image_1',
    model: 'seedream-4-0-250828',
    prompt: 'a heron at dawn',
    n: 1,
    ...overrides,
  }
}

/** The text of an answer of Ark's documentation. */
export function fixture(name: string): string {
  return readFileSync(new URL(`../__fixtures__/${name}`, import.meta.url), 'utf8')
}

/** Writes the answer, at its own pace. */
export type Script = (response: ServerResponse) => void | Promise<void>

/** A server that answers every call by this script. */
async function serve(script: Script): Promise<string> {
  const server = createServer(async (request, response) => {
    await request.resume().toArray()
    await script(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push({
    close() {
      server.close()
      server.closeAllConnections()
    },
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`
}

export type Told = ProviderOutcome | ProviderError

async function settled(outcome: Promise<ProviderOutcome>): Promise<Told> {
  return outcome.catch((error: unknown) => {
    if (error instanceof ProviderError) return error
    throw error
  })
}

/** Runs one call against a server that gives exactly this answer. */
export async function call(
  { status = 200, headers = {}, reply }: { status?: number; headers?: object; reply: unknown },
  overrides: Partial<ProviderRequest> = {},
): Promise<Told> {
  const body = typeof reply === 'string' ? reply : JSON.stringify(reply)
  const url = await serve((response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  const provider = connect(url, { apiKey: key })
  return settled(provider.start(requestFor(overrides), AbortSignal.timeout(5_000)))
}

/** Watches one call against a server that answers by this script; `partials` fills while it does. */
export async function watch(
  script: Script,
  overrides: Partial<ProviderRequest> = {},
  options: { timeoutMs?: number; maxResponseBytes?: number; signal?: AbortSignal } = {},
): Promise<{ partials: PartialPicture[]; outcome: Promise<Told> }> {
  const { signal = AbortSignal.timeout(5_000), ...limits } = options
  const provider = connect(await serve(script), { apiKey: key, ...limits })
  if (!provider.stream) throw new Error('it does not stream')
  const partials: PartialPicture[] = []
  const watching = { partialImages: 1, onPartial: (partial: PartialPicture) => partials.push(partial) }
  const outcome = settled(provider.stream(requestFor(overrides), watching, signal))
  return { partials, outcome }
}
