/** An account by what a person calls it: its id, or its name where no other has the same. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { badRequest } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import { type Account, accountNotFound } from './account.ts'
import { getAccount } from './get-account.ts'
import { listAccounts } from './list-accounts.ts'

/** Throws `account_not_found`, or a 400 where several have the name. */
export async function findAccount(db: Kysely<Database>, idOrName: string): Promise<Account> {
  if (isId('acct', idOrName)) return getAccount(db, idOrName)
  const { accounts } = await listAccounts(db, { name: idOrName, limit: 10 })
  const [account, ...others] = accounts
  if (!account) throw accountNotFound(idOrName)
  if (others.length === 0) return account
  const ids = accounts.map(({ id }) => id).join(', ')
  throw badRequest(
    'account',
    `Several accounts are called ${JSON.stringify(idOrName)}: ${ids}. Say which by its id.`,
  )
}
