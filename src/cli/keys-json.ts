/** A key as `--json` shows it. */
import type { KeySummary } from '../keys/key-summary.ts'
import { writeLimits } from '../keys/limits.ts'

/** All but its secret; times in ISO 8601. */
export function keyJson(key: KeySummary): object {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    account: key.account,
    account_id: key.accountId,
    scopes: key.scopes,
    models: key.models,
    ...writeLimits(key.limits),
    defaults: key.defaults,
    prompt_in_metadata: key.promptInMetadata,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    disabled_at: key.disabledAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    replaces: key.replaces,
  }
}
