/** The adapter against a server that gives prepared answers in their order, for tests of what it makes of them. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { fakeBflKey } from '../../../../test/upstreams/bfl.ts'
import { createProviderHttp } from '../../http.ts'
import type { Operation, Provider, ProviderOutcome, ProviderRequest } from '../../provider.ts'
import { ProviderError } from '../../provider-error.ts'
import { bfl } from '../bfl.ts'

/** What was opened for a test. A file closes it in its own `afterEach`: this module may serve several files. */
const opened: { close(): unknown }[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close()
}

/** The adapter, for this server. */
export function connect(baseUrl: string | undefined, apiKey: string | undefined = fakeBflKey): Provider {
  const http = createProviderHttp()
  opened.push(http)
  const settings = { baseUrl, apiKey, timeoutMs: 1_000, maxResponseBytes: 1_000_000 }
  return bfl.create(settings, { http, rasterise: () => Promise.reject(new Error('not used')) })
}

/** A request that lacks nothing. */
export function requestFor(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return { taskId: 'image_1', model: 'flux-2-pro', prompt: 'a heron at dawn', n: 1, ...overrides }
}

export interface Seen {
  method: string | undefined
  path: string | undefined
  headers: IncomingHttpHeaders
  body: unknown
}

export interface Scripted {
  status?: number
  /** A value, or the name of a fixture. */
  reply: unknown
}

/** A server that gives these answers, the last of them for good. */
export async function serve(...answers: readonly Scripted[]) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const { status = 200, reply } = answers[Math.min(seen.length, answers.length - 1)] ?? { reply: {} }
    const { method, url: path, headers } = request
    seen.push({ method, path, headers, body: method === 'POST' ? await json(request) : undefined })
    const isFixture = typeof reply === 'string' && reply.endsWith('.json')
    const body = isFixture
      ? await readFile(new URL(`../__fixtures__/${reply}`, import.meta.url))
      : JSON.stringify(reply)
    response.writeHead(status).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(server)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, url: `${origin}/v1`, seen }
}

/** Starts one call against a server that gives exactly this answer. */
export async function start(scripted: Scripted, overrides: Partial<ProviderRequest> = {}) {
  const server = await serve(scripted)
  const outcome = connect(server.url).start(requestFor(overrides), AbortSignal.timeout(5_000))
  return { outcome: await orError(outcome), ...server }
}

/** Asks for work at a server that gives exactly this answer. */
export async function check(scripted: Scripted, operation: Operation = { id: 'work-1' }) {
  const server = await serve(scripted)
  const outcome = connect(server.url).check?.(operation, AbortSignal.timeout(5_000), ['a heron at dawn'])
  return { outcome: await orError(outcome), ...server }
}

/** The outcome, or the error that it failed with. */
export async function orError(outcome: Promise<ProviderOutcome> | undefined) {
  return outcome?.catch((error: unknown) => {
    if (error instanceof ProviderError) return error
    throw error
  })
}
