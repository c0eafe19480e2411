/**
 * Fetches a picture from the address that a provider gave for it. It is paid for and may be gone in minutes, so what may
 * pass is tried again, and a stop still leaves it some time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { GuardedFetchError } from '../net/fetch-failure.ts'
import type { GuardedFetch } from '../net/guarded-fetch.ts'
import type { ProviderImageSource } from '../providers/provider.ts'

export interface DownloadDependencies {
  guardedFetch: GuardedFetch
  /** The largest picture taken from a result URL. */
  maxImageBytes: number
}

/** What is paid for is still fetched when the process must end, if that is quickly done. */
const stopGraceMs = 5_000

/** Pre-signed links of object stores are long. */
const maxResultUrlLength = 8_192

/** Between the tries; after the last one it is given up. */
const pausesMs = [300, 1_000, 3_000]

/** Throws the last failure; `GuardedFetchError` unless the signal fired. */
export async function downloadResult(
  { guardedFetch, maxImageBytes }: DownloadDependencies,
  source: Extract<ProviderImageSource, { kind: 'url' }>,
  signal: AbortSignal,
): Promise<Buffer> {
  using patience = withGrace(signal, stopGraceMs)
  const options = {
    maxBytes: maxImageBytes,
    maxUrlLength: maxResultUrlLength,
    trusted: source.trusted,
    signal: patience.signal,
  }
  for (let failed = 0; ; failed++) {
    try {
      return (await guardedFetch.fetch(source.url, options)).bytes
    } catch (error) {
      const pauseMs = pausesMs[failed]
      if (pauseMs === undefined || !mayPass(error)) throw error
      await sleep(pauseMs, undefined, { signal: patience.signal })
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof GuardedFetchError)) return false
  const { reason, status = 0 } = error
  if (reason === 'status') return [408, 425, 429].includes(status) || status >= 500
  return reason === 'timeout' || reason === 'connection'
}

/** A signal that fires so much later than the one that is given. */
function withGrace(signal: AbortSignal, graceMs: number): Disposable & { signal: AbortSignal } {
  const later = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const begin = () => {
    timer = setTimeout(() => later.abort(signal.reason), graceMs)
  }
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return {
    signal: later.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal.removeEventListener('abort', begin)
    },
  }
}
