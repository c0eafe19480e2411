/** Of several failures the one that speaks for money: begun work before work that surely did not start. */
import { ProviderError } from '../providers/provider-error.ts'

/** Undefined only where there are none. */
export function mostExpensive(errors: readonly unknown[]): unknown {
  const rank = (error: unknown) =>
    error instanceof ProviderError ? { yes: 0, unknown: 1, no: 2 }[error.dispatched] : 0
  return errors.toSorted((a, b) => rank(a) - rank(b))[0]
}
