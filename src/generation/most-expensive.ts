/**
 * Of several failures the one that speaks for money: work of which nobody knows how it ended, then work that was begun, then
 * work that surely did not start.
 */
import { GessoError } from '../lib/errors.ts'
import { ProviderError } from '../providers/provider-error.ts'

/** Undefined only where there are none. */
export function mostExpensive(errors: readonly unknown[]): unknown {
  const rank = (error: unknown) => {
    if (error instanceof GessoError && error.code === 'outcome_unknown') return 0
    return error instanceof ProviderError ? { yes: 1, unknown: 2, no: 3 }[error.dispatched] : 1
  }
  return errors.toSorted((a, b) => rank(a) - rank(b))[0]
}
