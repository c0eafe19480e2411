/**
 * A guarded fetch and the servers around it, for the tests of this folder; whoever uses it closes everything after each test.
 * 127.0.0.1 stands for the public internet here, and every other loopback address for what is forbidden.
 */
import type { LookupAddress } from 'node:dns'
import type { Socket } from 'node:net'
import { GuardedFetchError } from '../fetch-failure.ts'
import { createGuardedFetch, type GuardedFetch, type GuardedFetchSettings } from '../guarded-fetch.ts'
import { serveHttp, serveTcp } from './loopback.ts'

/** The only network beside the real internet that is open in these tests. */
export const allowPrivate = ['127.0.0.1/32']

/** What was opened for a test. A file closes it in its own `afterEach`: this module may serve several files. */
const cleanups: (() => Promise<void>)[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const cleanUp of cleanups.splice(0)) await cleanUp()
}

/** A guarded fetch that allows 127.0.0.1, and whatever else `settings` say. */
export function openGuardedFetch(settings: Partial<GuardedFetchSettings> = {}): GuardedFetch {
  const guarded = createGuardedFetch({ allowPrivate, ...settings })
  cleanups.push(async () => guarded[Symbol.asyncDispose]())
  return guarded
}

/** Only the `fetch` of it. */
export function fetcher(settings: Partial<GuardedFetchSettings> = {}): GuardedFetch['fetch'] {
  return openGuardedFetch(settings).fetch
}

/** The error with which a fetch fails; the fetch must not succeed or fail with anything else. */
export async function failure(fetching: Promise<unknown>): Promise<GuardedFetchError> {
  const error: unknown = await fetching.then(
    () => new Error('the fetch succeeded'),
    (reason) => reason,
  )
  if (error instanceof GuardedFetchError) return error
  throw error
}

/** A resolver that knows these names, with or without a dot at their end, and no other. */
export function fromTable(names: Record<string, string[]>) {
  return async (hostname: string): Promise<LookupAddress[]> => {
    const found = names[hostname.replace(/\.$/, '')]
    if (!found) throw new Error(`getaddrinfo ENOTFOUND ${hostname}`)
    return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
}

/** Says `head`, then the same words again every 20 ms. */
export function drip(head: string, words: string) {
  return (socket: Socket) => {
    socket.write(head)
    const timer = setInterval(() => socket.write(words), 20)
    socket.on('close', () => clearInterval(timer))
  }
}

/** An HTTP server. */
export async function serve(...setup: Parameters<typeof serveHttp>) {
  const server = await serveHttp(...setup)
  cleanups.push(server.close)
  return server
}

/** A TCP server that says what it likes. */
export async function serveRaw(behave: (socket: Socket) => void) {
  const server = await serveTcp(behave)
  cleanups.push(server.close)
  return server
}
