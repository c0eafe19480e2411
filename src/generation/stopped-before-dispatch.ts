/**
 * The error of a generation that this process can no more bring to a provider, because it is told to end. Nothing has
 * been paid for yet, so it is the one way in which a stop may tell the caller to send the same again.
 */
import { ProviderError } from '../providers/provider-error.ts'

/** `overloaded`, retryable. Only for what surely did not reach a provider; `cause` is what the stop broke off. */
export function stoppedBeforeDispatch(cause: unknown): ProviderError {
  return new ProviderError({
    code: 'overloaded',
    attribution: 'platform',
    message: 'This server stopped before the provider was asked. Nothing was started; try again shortly.',
    dispatched: 'no',
    retryable: true,
    retryAfterMs: 2_000,
    cause,
  })
}
