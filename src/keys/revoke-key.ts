/** Ends a key for good. Processes that know it forget it within a second. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'

export type RevokeOutcome = 'revoked' | 'already_revoked' | 'not_found' | 'last_admin_key'

/** Revokes by id. The last key with scope `admin` stays unless `force`: nobody could make another. */
export async function revokeKey(
  db: Kysely<Database>,
  id: string,
  options: { now: Date; force?: boolean },
): Promise<RevokeOutcome> {
  return db.transaction().execute(async (transaction) => {
    // Locks every living admin key, so that two revocations at once cannot each leave the other's as the last.
    const admins = await transaction
      .selectFrom('keys')
      .select('id')
      .where('revoked_at', 'is', null)
      .where((where) => where('scopes', '@>', where.val(['admin'])))
      .orderBy('id')
      .forUpdate()
      .execute()
    const key = await transaction
      .selectFrom('keys')
      .select('revoked_at')
      .where('id', '=', id)
      .executeTakeFirst()
    if (!key) return 'not_found'
    if (key.revoked_at) return 'already_revoked'
    if (!options.force && admins.length === 1 && admins[0]?.id === id) return 'last_admin_key'
    await transaction.updateTable('keys').set({ revoked_at: options.now }).where('id', '=', id).execute()
    return 'revoked'
  })
}
