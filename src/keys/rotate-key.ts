/**
 * Gives a key a successor: another secret with the same settings. Both work until the old one ends, so that its users can
 * change over. They have one set of counters: what the old one has used up of its limits is used up for the new one.
 */
import { type Kysely, sql } from 'kysely'
import { type Authorship, recordAudit } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { epochSeconds } from '../lib/clock.ts'
import { badRequest } from '../lib/errors.ts'
import { type CreatedKey, insertKey } from './create-key.ts'
import { getKeyToChange } from './get-key.ts'
import { keepAdmins } from './keep-admins.ts'
import type { KeySummary } from './key-summary.ts'
import { scopes } from './scopes.ts'

export interface RotatedKey extends CreatedKey {
  /** When the old one ends. */
  oldExpiresAt: Date
}

/** How long both work where nobody says. */
export const defaultOverlapSeconds = 86_400

/**
 * Makes the successor. The old key ends `overlapSeconds` from now, 0 at once, and never later than it would have. Throws
 * `key_not_found`, and a 400 for a key that has ended, has a successor already, or is set by GESSO_ADMIN_KEY.
 */
export async function rotateKey(
  db: Kysely<Database>,
  id: string,
  { overlapSeconds = defaultOverlapSeconds }: { overlapSeconds?: number },
  by: Authorship,
): Promise<RotatedKey> {
  const { actor, now } = by
  return db.transaction().execute((transaction) =>
    keepAdmins(transaction, now, async () => {
      const old = await getKeyToChange(transaction, id)
      refuseRotation(old, now)
      const expiresAt = await expiryOfSuccessor(transaction, old)
      const made = await insertKey(
        transaction,
        {
          ...old.limits,
          accountId: old.accountId,
          name: old.name,
          scopes: scopes.filter((scope) => old.scopes.includes(scope)),
          models: old.models,
          expiresAt,
          defaults: old.defaults,
          promptInMetadata: old.promptInMetadata,
        },
        by,
        { disabledAt: old.disabledAt, replaces: id },
      )
      const oldExpiresAt = earlier(old.expiresAt, new Date(now.getTime() + overlapSeconds * 1_000))
      await transaction.updateTable('keys').set({ expires_at: oldExpiresAt }).where('id', '=', id).execute()
      await recordAudit(transaction, {
        actor,
        action: 'key.rotated',
        target: id,
        accountId: old.accountId,
        before: { expires_at: old.expiresAt && epochSeconds(old.expiresAt) },
        after: { expires_at: epochSeconds(oldExpiresAt), replaced_by: made.id },
        at: now,
      })
      return { ...made, oldExpiresAt }
    }),
  )
}

function refuseRotation(old: KeySummary, now: Date): void {
  if (old.revokedAt) throw badRequest('key_id', `${old.id} is revoked, which is for good. Make another key.`)
  if (old.expiresAt && old.expiresAt <= now) {
    throw badRequest(
      'key_id',
      `${old.id} expired at ${old.expiresAt.toISOString()}, and its successor would have too. Change expires_at first.`,
    )
  }
  if (old.origin === 'configured') {
    throw badRequest(
      'key_id',
      `${old.id} is set by GESSO_ADMIN_KEY: to change the variable and restart is to change the key.`,
    )
  }
}

/**
 * A successor ends as the key would have, had it not been rotated: where an earlier successor was revoked, that one says
 * when. Beside one that is not, another is most likely the same wish, repeated.
 */
async function expiryOfSuccessor(transaction: Kysely<Database>, old: KeySummary): Promise<Date | null> {
  const successor = await transaction
    .selectFrom('keys')
    .select(['id', 'expires_at', 'revoked_at'])
    .where('replaces', '=', old.id)
    .orderBy(sql`revoked_at is null`, 'desc')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!successor) return old.expiresAt
  if (successor.revoked_at) return successor.expires_at
  throw badRequest(
    'key_id',
    `${old.id} was rotated already: ${successor.id} takes its place. Revoke that first, or rotate it instead.`,
  )
}

function earlier(one: Date | null, other: Date): Date {
  return one && one < other ? one : other
}
