/** The vendors for which an account has a key of its own, by name. */
import type { Kysely } from 'kysely'
import { getAccount } from '../accounts/get-account.ts'
import type { Database } from '../db/schema.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import { type ProviderKey, providerKeyColumns, toProviderKey } from './provider-key.ts'

/** Throws `account_not_found`. */
export async function listProviderKeys(
  db: Kysely<Database>,
  box: SealedBox,
  { accountId }: { accountId: string },
): Promise<ProviderKey[]> {
  await getAccount(db, accountId)
  const rows = await db
    .selectFrom('provider_keys')
    .select(providerKeyColumns)
    .where('account_id', '=', accountId)
    .orderBy('provider')
    .execute()
  return rows.map((row) => toProviderKey(row, box))
}
