/** The first account of a new install: unmetered, so that nothing is charged before somebody asks for it. */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import { createId } from '../lib/ids.ts'

/** Its id; makes the account where there is none. Safe when several processes start at once. */
export async function ensureDefaultAccount(db: Kysely<Database>): Promise<string> {
  return db.transaction().execute(async (transaction) => {
    await sql`lock table accounts in share row exclusive mode`.execute(transaction)
    const first = await transaction
      .selectFrom('accounts')
      .select('id')
      .orderBy('created_at')
      .limit(1)
      .executeTakeFirst()
    if (first) return first.id
    const id = createId('acct')
    await transaction.insertInto('accounts').values({ id, name: 'default', billing: 'unmetered' }).execute()
    return id
  })
}
