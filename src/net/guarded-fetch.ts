/**
 * Downloads what a stranger's URL points to, into memory or to a reader: input pictures of callers and results
 * that providers name.
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

/** What is known of a file before its bytes arrive: claims of the server, which the bytes decide about. */
export interface AnnouncedFile {
  /** The length that was announced, at most `maxBytes`; a body may have another all the same. */
  announcedBytes: number | undefined
  contentType: string | null
  /** Where the redirects ended. */
  finalUrl: string
}

export interface FetchedFile extends Omit<AnnouncedFile, 'announcedBytes'> {
  bytes: Buffer
}

export interface GuardedFetch extends AsyncDisposable {
  /** The file behind the URL, in memory. Throws `GuardedFetchError`. */
  fetch(url: string, options?: GuardedFetchOptions): Promise<FetchedFile>

  /**
   * Hands the file behind the URL to `consume` while it arrives, as fast as that reads, and returns what it
   * returns. The body throws a `GuardedFetchError`, or the reason of the signal, where it breaks off, exceeds
   * `maxBytes` or outlasts the deadline; the download then fails with it whatever `consume` makes of it, so that
   * half a file is never taken for a whole one. Errors of `consume` itself pass unchanged.
   *
   * The connection is closed in any case, at the deadline also under a `consume` that reads nothing. The
   * download ends only when `consume` has, so that what belongs to it can be disposed afterwards.
   */
  download<T>(
    url: string,
    options: GuardedFetchOptions,
    consume: (body: AsyncIterable<Buffer>, about: AnnouncedFile) => Promise<T>,
  ): Promise<T>
}

/** Bytes as they are. Object stores repeat how a file was once sent to them, which says nothing of the answer. */
const plainEncodings = new Set(['', 'identity', 'aws-chunked'])

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

  const download: GuardedFetch['download'] = async (url, options, consume) => {
    const { maxBytes = MAX_BYTES, deadlineMs = DEADLINE_MS, maxUrlLength = MAX_URL_LENGTH } = options
    const end = new AbortController()
    const timer = setTimeout(() => end.abort(), deadlineMs)
    // Linked by hand, as a signal made of others stays in memory as long as they do.
    const giveUp = () => end.abort()
    options.signal?.addEventListener('abort', giveUp, { once: true })
    const tell = (error: unknown): unknown => {
      if (options.signal?.aborted) return options.signal.reason
      const failure = asFailure(error, end.signal.aborted)
      const message = describeFailure(failure, { url, maxBytes, maxUrlLength })
      return new GuardedFetchError(failure, options.blame ?? callersMistake, message)
    }
    const reach = async () => {
      options.signal?.throwIfAborted()
      const start = parseFetchableUrl(url, maxUrlLength)
      const agentFor = (hop: URL) => (options.trusted && hop.origin === start.origin ? trusting : guarded)
      const hops = { agentFor, maxUrlLength, signal: end.signal }
      return await unlessAborted(openFile(start, hops, maxBytes), end.signal)
    }
    try {
      const file = await reach().catch((error) => Promise.reject(tell(error)))
      return await handOver(file, { maxBytes, tell, consume })
    } finally {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', giveUp)
    }
  }

  return {
    download,

    fetch(url, options = {}) {
      return download(url, options, async (body, { announcedBytes, contentType, finalUrl }) => {
        const bytes = await readCapped(body, { maxBytes: options.maxBytes ?? MAX_BYTES, announcedBytes })
        // The body has thrown before that.
        if (!bytes) throw new RangeError('the body is larger than its own limit')
        return { bytes, contentType, finalUrl }
      })
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

interface OpenFile {
  response: Dispatcher.ResponseData
  about: AnnouncedFile
}

async function openFile(start: URL, hops: Hops, maxBytes: number): Promise<OpenFile> {
  const { url, response } = await followRedirects(start, hops)
  try {
    return { response, about: announced(url, response, maxBytes) }
  } catch (error) {
    discard(response)
    throw error
  }
}

/** Throws where the answer is no file, or says itself that it is too large. */
function announced(url: URL, response: Dispatcher.ResponseData, maxBytes: number): AnnouncedFile {
  const { statusCode: status, headers } = response
  if (status !== 200) throw new FetchFailure('status', `status ${status}`, { status })
  if (!plainEncodings.has(String(headers['content-encoding'] ?? '').toLowerCase()))
    throw new FetchFailure('encoding', 'encoded body')
  const length = Number(headers['content-length'] ?? Number.NaN)
  if (length > maxBytes) throw new FetchFailure('too_large', `${length} bytes announced`)
  const contentType = headers['content-type']
  return {
    announcedBytes: Number.isSafeInteger(length) && length >= 0 ? length : undefined,
    contentType: typeof contentType === 'string' ? contentType : null,
    finalUrl: url.href,
  }
}

interface HandOver<T> {
  maxBytes: number
  /** The error as it may leave this folder. */
  tell(error: unknown): unknown
  consume(body: AsyncIterable<Buffer>, about: AnnouncedFile): Promise<T>
}

async function handOver<T>(
  { response, about }: OpenFile,
  { maxBytes, tell, consume }: HandOver<T>,
): Promise<T> {
  let broken: { by: unknown } | undefined
  async function* arriving(): AsyncGenerator<Buffer> {
    try {
      yield* cappedAt(maxBytes, response.body)
    } catch (error) {
      broken = { by: tell(error) }
      throw broken.by
    }
  }
  try {
    const result = await consume(arriving(), about)
    if (broken) throw broken.by
    return result
  } catch (error) {
    throw broken ? broken.by : error
  } finally {
    discard(response)
  }
}

/** The chunks of a body as long as they are not more than `maxBytes` together. */
async function* cappedAt(maxBytes: number, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw new FetchFailure('too_large', `more than ${maxBytes} bytes`)
    yield chunk
  }
}

/** Closes the connection unless the body was read to its end: what is left may be endless. */
function discard({ body }: Dispatcher.ResponseData): void {
  // undici reports a body that was not read to its end as an error, which here is the intention.
  body.on('error', () => {})
  body.destroy()
}

/** undici heeds a signal only once it has a connection; a name that does not resolve would outlast the deadline. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const reject = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', reject, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', reject)
  }
}

function asFailure(error: unknown, isLate: boolean): FetchFailure {
  if (isLate) return new FetchFailure('timeout', 'the deadline passed')
  if (error instanceof FetchFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const reason = code.endsWith('TIMEOUT') || code === 'ETIMEDOUT' ? 'timeout' : 'connection'
  return new FetchFailure(reason, code, { cause: error })
}
