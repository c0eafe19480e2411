/** Changes a key: everything but its secret and its account. */
import type { Kysely } from 'kysely'
import { changedFields } from '../audit/changed-fields.ts'
import { type Authorship, recordAudit } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { badRequest } from '../lib/errors.ts'
import type { NewKey } from './create-key.ts'
import { getKeyToChange } from './get-key.ts'
import { keepAdmins } from './keep-admins.ts'
import { auditedKey, type KeySummary } from './key-summary.ts'
import { writeLimits } from './limits.ts'
import { switched } from './switched.ts'
import { withLimits } from './with-limits.ts'

/** What is absent stays as it is; a limit, a list of models or an expiry that is null goes away. */
export interface KeyChange extends Partial<Omit<NewKey, 'accountId'>> {
  /** A disabled key is refused until it is enabled again; what is at work goes on. */
  disabled?: boolean
}

/**
 * Changes it and answers it whole. A change that changes nothing is none, and is not written down. Throws
 * `key_not_found`, a 400 for a revoked key, and `last_admin_key`.
 */
export async function updateKey(
  db: Kysely<Database>,
  id: string,
  change: KeyChange,
  { actor, now }: Authorship,
): Promise<KeySummary> {
  return db.transaction().execute((transaction) =>
    keepAdmins(transaction, now, async () => {
      const before = await getKeyToChange(transaction, id)
      const after = changed(before, change, now)
      const differences = changedFields(auditedKey(before), auditedKey(after))
      if (!differences) return before
      if (before.revokedAt)
        throw badRequest('key_id', `${id} is revoked, which is for good. Make another key.`)
      await transaction
        .updateTable('keys')
        .set({
          name: after.name,
          scopes: after.scopes,
          models: after.models,
          ...writeLimits(after.limits),
          defaults: JSON.stringify(after.defaults),
          prompt_in_metadata: after.promptInMetadata,
          expires_at: after.expiresAt,
          disabled_at: after.disabledAt,
        })
        .where('id', '=', id)
        .execute()
      await recordAudit(transaction, {
        actor,
        action: 'key.updated',
        target: id,
        accountId: before.accountId,
        ...differences,
        at: now,
      })
      return after
    }),
  )
}

function changed(key: KeySummary, change: KeyChange, now: Date): KeySummary {
  return {
    ...key,
    name: change.name ?? key.name,
    scopes: change.scopes ? [...change.scopes] : key.scopes,
    models: change.models === undefined ? key.models : change.models && [...change.models],
    limits: withLimits(key.limits, change),
    defaults: change.defaults ?? key.defaults,
    promptInMetadata: change.promptInMetadata ?? key.promptInMetadata,
    expiresAt: change.expiresAt === undefined ? key.expiresAt : change.expiresAt,
    disabledAt: switched(key.disabledAt, change.disabled, now),
  }
}
