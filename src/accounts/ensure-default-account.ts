/** The first account of a new install: unmetered, so that nothing is charged before somebody asks for it. */
import { type Kysely, sql } from 'kysely'
import { recordAudit, systemActor } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { createId } from '../lib/ids.ts'
import { accountColumns, auditedAccount, toAccount } from './account.ts'

/** Its id; makes the account where there is none. Safe when several processes start at once. */
export async function ensureDefaultAccount(db: Kysely<Database>): Promise<string> {
  // Asked before the lock, which would hold up every admission that reserves.
  return (await firstAccount(db)) ?? makeAccount(db)
}

/** The one that has the first key: by its time alone another could seem older, made while a clock stood behind. */
async function firstAccount(db: Kysely<Database>): Promise<string | undefined> {
  const first = await db
    .selectFrom('accounts')
    .select('id')
    .orderBy(sql`exists (select from keys where account_id = accounts.id and origin <> 'created')`, 'desc')
    .orderBy('created_at')
    .limit(1)
    .executeTakeFirst()
  return first?.id
}

async function makeAccount(db: Kysely<Database>): Promise<string> {
  return db.transaction().execute(async (transaction) => {
    await sql`lock table accounts in share row exclusive mode`.execute(transaction)
    const first = await firstAccount(transaction)
    if (first) return first
    const row = await transaction
      .insertInto('accounts')
      .values({ id: createId('acct'), name: 'default', billing: 'unmetered' })
      .returning(accountColumns)
      .executeTakeFirstOrThrow()
    const account = toAccount(row)
    await recordAudit(transaction, {
      actor: systemActor,
      action: 'account.created',
      target: account.id,
      accountId: account.id,
      after: auditedAccount(account),
      at: account.createdAt,
    })
    return account.id
  })
}
