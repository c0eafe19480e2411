/** Ends a key for good. Processes that know it forget it within a second. */
import type { Kysely } from 'kysely'
import { type Actor, recordAudit, systemActor } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { epochSeconds } from '../lib/clock.ts'
import { getKeyToChange } from './get-key.ts'
import { keepAdmins } from './keep-admins.ts'

export type RevokeOutcome = 'revoked' | 'already_revoked'

/**
 * Revokes by id; doing so again changes nothing. Throws `key_not_found`, and unless `force` `last_admin_key`: nobody could
 * make another.
 */
export async function revokeKey(
  db: Kysely<Database>,
  id: string,
  { now, force = false, actor = systemActor }: { now: Date; force?: boolean; actor?: Actor },
): Promise<RevokeOutcome> {
  return db.transaction().execute(async (transaction) => {
    const revoke = async (): Promise<RevokeOutcome> => {
      const key = await getKeyToChange(transaction, id)
      if (key.revokedAt) return 'already_revoked'
      await transaction.updateTable('keys').set({ revoked_at: now }).where('id', '=', id).execute()
      await recordAudit(transaction, {
        actor,
        action: 'key.revoked',
        target: id,
        accountId: key.accountId,
        before: { revoked_at: null },
        after: { revoked_at: epochSeconds(now) },
        at: now,
      })
      return 'revoked'
    }
    return force ? revoke() : keepAdmins(transaction, now, revoke)
  })
}
