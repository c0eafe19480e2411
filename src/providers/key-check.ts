/**
 * Does a vendor take a key? One question that costs nothing, and what its answer says of the key, which is not what an
 * answer says of a picture: only a refusal is about the key, and everything else leaves it as it was.
 */
import type { ProviderHttp, ProviderHttpAnswer, ProviderHttpCall } from './http.ts'
import { ProviderError } from './provider-error.ts'
import { retryAfterMs } from './retry-after.ts'

/** A vendor that is silent for longer cannot be asked now. */
const longestMs = 15_000

export interface KeyQuestion {
  call: ProviderHttpCall
  /** Does the answer refuse the key? Beside 401 and 403, which always do. */
  isRefusal?(answer: ProviderHttpAnswer): boolean
  /** What a good key could be refused for, where there is such a thing. */
  advice?: string
}

/** Asks with GET. Throws `ProviderError` as `Provider.checkKey` says. */
export async function askAboutKey(
  http: ProviderHttp,
  { call, isRefusal = () => false, advice }: KeyQuestion,
): Promise<void> {
  const { title } = call
  const answer = await http.getJson({ ...call, timeoutMs: Math.min(call.timeoutMs, longestMs) })
  const { status } = answer
  const detail = `status ${status}: ${answer.excerpt()}`
  if (status === 401 || status === 403 || isRefusal(answer)) {
    throw new ProviderError({
      code: 'upstream_failed',
      attribution: 'platform',
      message: `${title} refused the key.${advice ? ` ${advice}` : ''}`,
      detail,
      dispatched: 'no',
    })
  }
  if (status === 408 || status === 429 || status >= 500) {
    throw new ProviderError({
      code: 'upstream_unavailable',
      attribution: 'upstream',
      message: `${title} could not say whether it takes the key (status ${status}).`,
      detail,
      retryable: true,
      retryAfterMs: retryAfterMs(answer.headers),
      dispatched: 'no',
    })
  }
  // A page of something in between would say 200 to every key.
  if (status >= 400 || typeof answer.json !== 'object' || answer.json === null) {
    throw new ProviderError({
      code: 'upstream_invalid_response',
      attribution: 'upstream',
      message: `What answers at the address of ${title} does not say whether it takes the key (status ${status}).`,
      detail,
      dispatched: 'no',
    })
  }
}
