/** Forgets an account's own key for a vendor. What is at work with it can no longer be asked for. */
import type { Kysely } from 'kysely'
import { type Authorship, recordAudit } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import {
  auditedProviderKey,
  auditTarget,
  type ProviderKey,
  providerKeyColumns,
  providerKeyNotFound,
  toProviderKey,
} from './provider-key.ts'
import type { KeyPlace } from './seal-key.ts'

/** Answers what was known of it. Throws `provider_key_not_found`. */
export async function removeProviderKey(
  db: Kysely<Database>,
  box: SealedBox,
  { accountId, provider }: KeyPlace,
  { actor, now }: Authorship,
): Promise<ProviderKey> {
  return db.transaction().execute(async (transaction) => {
    const row = await transaction
      .deleteFrom('provider_keys')
      .where('account_id', '=', accountId)
      .where('provider', '=', provider)
      .returning(providerKeyColumns)
      .executeTakeFirst()
    if (!row) throw providerKeyNotFound(accountId, provider)
    const removed = toProviderKey(row, box)
    await recordAudit(transaction, {
      actor,
      action: 'provider_key.removed',
      target: auditTarget(removed),
      accountId,
      before: auditedProviderKey(removed),
      at: now,
    })
    return removed
  })
}
