/** Changes an account: everything but its money, which only the ledger moves. */
import type { Kysely } from 'kysely'
import { changedFields } from '../audit/changed-fields.ts'
import { type Authorship, recordAudit } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { keepAdmins } from '../keys/keep-admins.ts'
import { writeLimits } from '../keys/limits.ts'
import { switched } from '../keys/switched.ts'
import { withLimits } from '../keys/with-limits.ts'
import { isId } from '../lib/ids.ts'
import { type Account, accountColumns, accountNotFound, auditedAccount, toAccount } from './account.ts'
import type { NewAccount } from './create-account.ts'

/** What is absent stays as it is; a limit that is null goes away. */
export interface AccountChange extends Partial<NewAccount> {
  /** A disabled account's keys are refused; what is at work goes on. */
  disabled?: boolean
}

/**
 * Changes it and answers it whole. A change that changes nothing is none, and is not written down. Throws
 * `account_not_found`, and `last_admin_key` where disabling it would leave nobody who could enable it again.
 */
export async function updateAccount(
  db: Kysely<Database>,
  id: string,
  change: AccountChange,
  { actor, now }: Authorship,
): Promise<Account> {
  if (!isId('acct', id)) throw accountNotFound(id)
  return db.transaction().execute((transaction) =>
    keepAdmins(transaction, now, async () => {
      const row = await transaction
        .selectFrom('accounts')
        .select(accountColumns)
        .where('id', '=', id)
        .forNoKeyUpdate()
        .executeTakeFirst()
      if (!row) throw accountNotFound(id)
      const before = toAccount(row)
      const after = changed(before, change, now)
      const differences = changedFields(auditedAccount(before), auditedAccount(after))
      if (!differences) return before
      await transaction
        .updateTable('accounts')
        .set({
          name: after.name,
          billing: after.billing,
          ...writeLimits(after.limits),
          free_images: after.freeImages,
          defaults: JSON.stringify(after.defaults),
          disabled_at: after.disabledAt,
        })
        .where('id', '=', id)
        .execute()
      await recordAudit(transaction, {
        actor,
        action: 'account.updated',
        target: id,
        accountId: id,
        ...differences,
        at: now,
      })
      return after
    }),
  )
}

function changed(account: Account, change: AccountChange, now: Date): Account {
  return {
    ...account,
    name: change.name ?? account.name,
    billing: change.billing ?? account.billing,
    limits: withLimits(account.limits, change),
    freeImages: change.freeImages === undefined ? account.freeImages : change.freeImages,
    defaults: change.defaults ?? account.defaults,
    disabledAt: switched(account.disabledAt, change.disabled, now),
  }
}
