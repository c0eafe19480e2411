/** One account, by its id. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { isId } from '../lib/ids.ts'
import { type Account, accountColumns, accountNotFound, toAccount } from './account.ts'

/** Throws `account_not_found`. */
export async function getAccount(db: Kysely<Database>, id: string): Promise<Account> {
  if (!isId('acct', id)) throw accountNotFound(id)
  const row = await db
    .selectFrom('accounts')
    .select(accountColumns)
    .where('id', '=', id)
    .executeTakeFirst()
    .catch((error) => {
      throw asDatabaseError(error)
    })
  if (!row) throw accountNotFound(id)
  return toAccount(row)
}
