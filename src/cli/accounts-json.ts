/** An account as `--json` shows it. */
import type { Account } from '../accounts/account.ts'
import { writeLimits } from '../keys/limits.ts'

/** Money in micro-USD; times in ISO 8601. */
export function accountJson(account: Account): object {
  return {
    id: account.id,
    name: account.name,
    billing: account.billing,
    balance_micros: account.balanceMicros,
    reserved_micros: account.reservedMicros,
    available_micros: account.balanceMicros - account.reservedMicros,
    ...writeLimits(account.limits),
    free_images: account.freeImages,
    defaults: account.defaults,
    created_at: account.createdAt.toISOString(),
    disabled_at: account.disabledAt?.toISOString() ?? null,
  }
}
