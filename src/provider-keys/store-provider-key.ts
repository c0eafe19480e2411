/** Keeps an account's own key for a vendor, sealed. One it had for the same vendor gives way. */
import type { Kysely } from 'kysely'
import { getAccount } from '../accounts/get-account.ts'
import { type Authorship, recordAudit } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { badRequest } from '../lib/errors.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import { Secret } from '../lib/secret.ts'
import {
  auditedProviderKey,
  auditTarget,
  type ProviderKey,
  providerKeyColumns,
  toProviderKey,
} from './provider-key.ts'
import { type KeyPlace, sealKey } from './seal-key.ts'

/** It travels in a header, so it is one line of ASCII. No vendor's is nearly as long. */
const keyText = /^[\x21-\x7e]{1,1000}$/
/** Of shorter ones the last characters would be too much. */
const shortestWithHint = 12
const hintLength = 4

/**
 * Stores it, and answers what may be known of it. `takers` are the vendors for which accounts may have keys. Throws a 400
 * that never shows the key, and `account_not_found`.
 */
export async function storeProviderKey(
  db: Kysely<Database>,
  box: SealedBox,
  { accountId, provider, key, takers }: KeyPlace & { key: Secret; takers: readonly string[] },
  { actor, now }: Authorship,
): Promise<ProviderKey> {
  if (!takers.includes(provider)) throw takesNoKeys(provider, takers)
  // Blanks and line ends around it come from copying.
  const text = key.reveal().trim()
  if (!keyText.test(text)) throw unusableKey()
  const { secretId, sealed } = sealKey(box, { accountId, provider }, new Secret(text))
  const values = {
    secret_id: secretId,
    sealed,
    hint: text.length < shortestWithHint ? '' : text.slice(-hintLength),
    created_at: now,
    tested_at: null,
    test_result: null,
  }
  return db.transaction().execute(async (transaction) => {
    await getAccount(transaction, accountId)
    const earlier = await transaction
      .selectFrom('provider_keys')
      .select(providerKeyColumns)
      .where('account_id', '=', accountId)
      .where('provider', '=', provider)
      .forUpdate()
      .executeTakeFirst()
    const row = await transaction
      .insertInto('provider_keys')
      .values({ account_id: accountId, provider, ...values })
      .onConflict((conflict) => conflict.columns(['account_id', 'provider']).doUpdateSet(values))
      .returning(providerKeyColumns)
      .executeTakeFirstOrThrow()
    const stored = toProviderKey(row, box)
    await recordAudit(transaction, {
      actor,
      action: earlier ? 'provider_key.replaced' : 'provider_key.stored',
      target: auditTarget(stored),
      accountId,
      ...(earlier ? { before: auditedProviderKey(toProviderKey(earlier, box)) } : {}),
      after: auditedProviderKey(stored),
      at: now,
    })
    return stored
  })
}

function takesNoKeys(provider: string, takers: readonly string[]): Error {
  const name = JSON.stringify(provider.slice(0, 60).toWellFormed())
  return badRequest(
    'provider',
    `provider is ${name}, but accounts may have keys of their own only for ${takers.join(', ')}.`,
  )
}

function unusableKey(): Error {
  return badRequest(
    'key',
    "key must be the vendor's key: one line of 1 to 1000 letters, digits and signs, without blanks. What was sent is not shown.",
  )
}
