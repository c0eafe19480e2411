/** An account with a key and some credit, and what became of its money. */
import type { Kysely } from 'kysely'
import { createAccount, type NewAccount } from '../../src/accounts/create-account.ts'
import { systemActor } from '../../src/audit/record-audit.ts'
import type { Database } from '../../src/db/schema.ts'
import { createKey, type NewKey } from '../../src/keys/create-key.ts'
import { checkLedger } from '../../src/ledger/check-ledger.ts'
import { creditAccount } from '../../src/ledger/credit-account.ts'

export interface Purse {
  accountId: string
  key: string
  keyId: string
  /** The header that its key is sent in. */
  as: { authorization: string }
  /** Micro-USD. */
  money(): Promise<{ balance: number; reserved: number }>
  /** Its tasks, oldest first. */
  tasks(): Promise<
    { id: string; status: string; source: string; images: number; charged: number; list: number | null }[]
  >
}

/** Opens a metered account without free pictures, unless told otherwise. */
export async function openPurse(
  db: Kysely<Database>,
  wishes: { credit?: number; account?: Partial<NewAccount>; key?: Partial<NewKey> } = {},
): Promise<Purse> {
  const by = { actor: systemActor, now: new Date() }
  const account = { name: 'a customer', billing: 'metered' as const, freeImages: 0, ...wishes.account }
  const { id: accountId } = await createAccount(db, account, by)
  if (wishes.credit) await creditAccount(db, { accountId, micros: wishes.credit, ...by })
  const scopes = ['images:write', 'images:read'] as const
  const { key, id: keyId } = await createKey(db, {
    accountId,
    name: 'a customer',
    scopes,
    requestsPerMinute: 1_000_000,
    ...wishes.key,
  })
  return {
    accountId,
    key,
    keyId,
    as: { authorization: `Bearer ${key}` },
    money: () =>
      db
        .selectFrom('accounts')
        .select(['balance_micros as balance', 'reserved_micros as reserved'])
        .where('id', '=', accountId)
        .executeTakeFirstOrThrow(),
    tasks: () =>
      db
        .selectFrom('tasks')
        .select(['id', 'status', 'source', 'images', 'charged_micros as charged', 'list_micros as list'])
        .where('account_id', '=', accountId)
        .orderBy('created_at')
        .orderBy('id')
        .execute(),
  }
}

/** What is wrong with the books, in words; nothing should be. */
export async function wrongBooks(db: Kysely<Database>): Promise<string[]> {
  return (await checkLedger(db)).map((one) => JSON.stringify(one))
}
