/**
 * Downloads what a stranger's URL points to: input pictures of callers and results that providers name.
 *
 * It is the only way to such URLs. It sends a bare GET: no credentials, cookies or referrer, nothing of the
 * request that asked for it. It follows redirects itself, as undici's own would skip the checks.
 */
import { lookup } from 'node:dns/promises'
import type { Agent, Dispatcher } from 'undici'
import { createAddressGuard } from './address-guard.ts'
import { describeFailure, type FetchBlame, FetchFailure, GuardedFetchError } from './fetch-failure.ts'
import { parseFetchableUrl } from './fetchable-url.ts'
import { createGuardedAgent, type ResolveName } from './guarded-agent.ts'
import { readCapped } from './read-capped.ts'

export interface GuardedFetchSettings {
  /** Networks in CIDR notation that are open beside the public internet. */
  allowPrivate: readonly string[]
  /** How names become addresses; the system's way unless a test says otherwise. */
  resolve?: ResolveName
  /** This machine's own addresses, which are refused; asked of the system unless a test says otherwise. */
  ownAddresses?: () => string[]
}

export interface GuardedFetchOptions {
  /** Most bytes of the body; 50 MB unless given. */
  maxBytes?: number
  /** Most time for everything, redirects included; 30 s unless given. */
  deadlineMs?: number
  /** Most characters of the URL and of each redirect; 2,048 unless given. */
  maxUrlLength?: number
  /** Ends the fetch, which then rejects with the signal's reason. */
  signal?: AbortSignal
  /**
   * The URL comes from a host that the operator configured and that is private itself: addresses are not
   * checked, everything else is. A redirect to another origin loses this trust.
   */
  trusted?: boolean
  /** What a failure counts as; a caller's mistake unless given. */
  blame?: FetchBlame
}

export interface FetchedFile {
  bytes: Buffer
  /** What the server claims; the bytes decide. */
  contentType: string | null
  /** Where the redirects ended. */
  finalUrl: string
}

export interface GuardedFetch extends AsyncDisposable {
  /** The file behind the URL. Throws `GuardedFetchError`. */
  fetch(url: string, options?: GuardedFetchOptions): Promise<FetchedFile>
}

const MAX_REDIRECTS = 3
const MAX_BYTES = 50 * 1024 * 1024
const DEADLINE_MS = 30_000
const MAX_URL_LENGTH = 2_048

const callersMistake: FetchBlame = { code: 'invalid_image_request', attribution: 'client' }

const requestHeaders = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'gesso' }

/** Throws a RangeError where the list of networks has an entry that is none. Disposing ends fetches under way. */
export function createGuardedFetch(settings: GuardedFetchSettings): GuardedFetch {
  const resolve = settings.resolve ?? ((hostname) => lookup(hostname, { all: true }))
  const guarded = createGuardedAgent(createAddressGuard(settings), resolve)
  // A second agent: a socket that trust has opened must never serve a request without it.
  const trusting = createGuardedAgent(() => true, resolve)

  return {
    async fetch(url, options = {}) {
      const { maxBytes = MAX_BYTES, deadlineMs = DEADLINE_MS, maxUrlLength = MAX_URL_LENGTH } = options
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), deadlineMs)
      const signal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal
      try {
        signal.throwIfAborted()
        const start = parseFetchableUrl(url, maxUrlLength)
        const agentFor = (hop: URL) => (options.trusted && hop.origin === start.origin ? trusting : guarded)
        const download = followRedirects(start, { agentFor, maxUrlLength, signal }).then((found) =>
          readFile(found, maxBytes),
        )
        return await unlessAborted(download, signal)
      } catch (error) {
        options.signal?.throwIfAborted()
        const failure = asFailure(error, deadline.signal.aborted)
        const message = describeFailure(failure, { url, maxBytes, maxUrlLength })
        throw new GuardedFetchError(failure, options.blame ?? callersMistake, message)
      } finally {
        clearTimeout(timer)
      }
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([guarded.destroy(), trusting.destroy()])
    },
  }
}

interface Found {
  url: URL
  response: Dispatcher.ResponseData
}

interface Hops {
  agentFor(hop: URL): Agent
  maxUrlLength: number
  signal: AbortSignal
}

const redirectStatuses = new Set([301, 302, 303, 307, 308])

/** The first answer that is no redirect. Every hop is parsed and connected to under the same rules. */
async function followRedirects(start: URL, { agentFor, maxUrlLength, signal }: Hops): Promise<Found> {
  let url = start
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await agentFor(url).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: requestHeaders,
      signal,
    })
    if (!redirectStatuses.has(response.statusCode)) return { url, response }
    discard(response)
    const { location } = response.headers
    if (typeof location !== 'string') throw new FetchFailure('redirect', 'not exactly one Location')
    url = parseFetchableUrl(location, maxUrlLength, url)
  }
  throw new FetchFailure('redirect', `more than ${MAX_REDIRECTS} redirects`)
}

async function readFile({ url, response }: Found, maxBytes: number): Promise<FetchedFile> {
  const { statusCode: status, headers, body } = response
  try {
    if (status !== 200) throw new FetchFailure('status', `status ${status}`, { status })
    const encoding = headers['content-encoding'] ?? 'identity'
    if (String(encoding).toLowerCase() !== 'identity') throw new FetchFailure('encoding', 'encoded body')
    const announced = Number(headers['content-length'] ?? Number.NaN)
    if (announced > maxBytes) throw new FetchFailure('too_large', `${announced} bytes announced`)
    const announcedBytes = Number.isSafeInteger(announced) ? announced : undefined
    const bytes = await readCapped(body, { maxBytes, announcedBytes })
    if (!bytes) throw new FetchFailure('too_large', `more than ${maxBytes} bytes`)
    const contentType = headers['content-type']
    return { bytes, contentType: typeof contentType === 'string' ? contentType : null, finalUrl: url.href }
  } finally {
    discard(response)
  }
}

/** Closes the connection unless the body was read to its end: what is left may be endless. */
function discard({ body }: Dispatcher.ResponseData): void {
  // undici reports a body that was not read to its end as an error, which here is the intention.
  body.on('error', () => {})
  body.destroy()
}

/** undici heeds a signal only once it has a connection; a name that does not resolve would outlast the deadline. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

function asFailure(error: unknown, isLate: boolean): FetchFailure {
  if (isLate) return new FetchFailure('timeout', 'the deadline passed')
  if (error instanceof FetchFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const reason = code.endsWith('TIMEOUT') || code === 'ETIMEDOUT' ? 'timeout' : 'connection'
  return new FetchFailure(reason, code, { cause: error })
}
