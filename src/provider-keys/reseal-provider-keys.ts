/**
 * After a change of the server's secret: seals every key anew that an earlier secret still opens, so that the earlier one
 * is needed only once. Any number of processes may do it at once.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { SealError, type SealedBox } from '../lib/sealed-box.ts'
import type { Secret } from '../lib/secret.ts'
import { type KeyPlace, sealKey } from './seal-key.ts'

export interface Resealed {
  /** How many are sealed with the present secret now, and were not before. */
  resealed: number
  /** Those that nothing here opens. They stay as they are, for the secret may come back. */
  unreadable: KeyPlace[]
}

/** What cannot be opened is told and no error: the server works without it. */
export async function resealProviderKeys(db: Kysely<Database>, box: SealedBox): Promise<Resealed> {
  const rows = await db
    .selectFrom('provider_keys')
    .select(['account_id as accountId', 'provider', 'secret_id as secretId', 'sealed'])
    .where('secret_id', '<>', box.secretId)
    .orderBy('account_id')
    .orderBy('provider')
    .execute()
  const told: Resealed = { resealed: 0, unreadable: [] }
  for (const { accountId, provider, secretId, sealed } of rows) {
    const place = { accountId, provider }
    const key = openOrLeave(() => box.open({ secretId, sealed }, [accountId, provider]))
    if (!key) {
      told.unreadable.push(place)
      continue
    }
    const anew = sealKey(box, place, key)
    // Only what was read: it may have been replaced meanwhile.
    const { numUpdatedRows } = await db
      .updateTable('provider_keys')
      .set({ secret_id: anew.secretId, sealed: anew.sealed })
      .where('account_id', '=', accountId)
      .where('provider', '=', provider)
      .where('sealed', '=', sealed)
      .executeTakeFirst()
    told.resealed += Number(numUpdatedRows)
  }
  return told
}

function openOrLeave(open: () => Secret): Secret | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof SealError) return undefined
    throw error
  }
}
