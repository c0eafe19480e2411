/**
 * A provider's failure, told so that the core can decide about money and retries without knowing the vendor.
 */
import { GessoError, type GessoErrorOptions } from '../lib/errors.ts'

/** Did the provider begin work that may cost money? `unknown` must never be sent again by itself. */
export type Dispatched = 'yes' | 'no' | 'unknown'

/** Carries beside the error whether the provider had begun. */
export class ProviderError extends GessoError {
  override name = 'ProviderError'
  readonly dispatched: Dispatched

  constructor(options: GessoErrorOptions & { dispatched: Dispatched }) {
    super(options)
    this.dispatched = options.dispatched
  }
}
