/** Makes an account. It has no credit and no key yet. */
import type { Kysely } from 'kysely'
import { type Authorship, recordAudit } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import type { KeyDefaults } from '../keys/key-defaults.ts'
import { type Limits, writeLimits } from '../keys/limits.ts'
import { createId } from '../lib/ids.ts'
import { type Account, accountColumns, auditedAccount, type Billing, toAccount } from './account.ts'

export interface NewAccount extends Partial<Limits> {
  name: string
  billing: Billing
  /** Absent or null: the server's default. */
  freeImages?: number | null
  defaults?: KeyDefaults
}

/** Stores it and answers it whole. */
export async function createAccount(
  db: Kysely<Database>,
  input: NewAccount,
  { actor, now }: Authorship,
): Promise<Account> {
  return db.transaction().execute(async (transaction) => {
    const row = await transaction
      .insertInto('accounts')
      .values({
        id: createId('acct', now),
        name: input.name,
        billing: input.billing,
        ...writeLimits(input),
        free_images: input.freeImages,
        defaults: JSON.stringify(input.defaults ?? {}),
        created_at: now,
      })
      .returning(accountColumns)
      .executeTakeFirstOrThrow()
    const account = toAccount(row)
    await recordAudit(transaction, {
      actor,
      action: 'account.created',
      target: account.id,
      accountId: account.id,
      after: auditedAccount(account),
      at: now,
    })
    return account
  })
}
