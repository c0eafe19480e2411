/** An account's own key for a vendor, opened, for a call to that vendor. It is kept nowhere. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import type { Secret } from '../lib/secret.ts'
import { type KeyPlace, openKey } from './seal-key.ts'

/**
 * Undefined where the account has none. Throws `provider_not_configured`, which says what to do, where it has one that
 * cannot be read any more.
 */
export async function readProviderKey(
  db: Kysely<Database>,
  box: SealedBox,
  { accountId, provider }: KeyPlace,
): Promise<Secret | undefined> {
  const row = await db
    .selectFrom('provider_keys')
    .select(['secret_id', 'sealed'])
    .where('account_id', '=', accountId)
    .where('provider', '=', provider)
    .executeTakeFirst()
  return row && openKey(box, { accountId, provider }, { secretId: row.secret_id, sealed: row.sealed })
}
