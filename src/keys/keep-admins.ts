/**
 * The rule of the last admin key: no change may leave the server with nobody who could undo it. All changes that could
 * stand in a row, so that two at once cannot each count on the other's key.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import { GessoError } from '../lib/errors.ts'

/**
 * Makes the change, and throws `last_admin_key` where the best admin key that is in force is a worse one after it: none at
 * all, or one that ends by itself where there was one that does not. `db` is a transaction that has locked nothing yet,
 * and is rolled back by what is thrown.
 */
export async function keepAdmins<Result>(
  db: Kysely<Database>,
  now: Date,
  change: () => Promise<Result>,
): Promise<Result> {
  await sql`select pg_advisory_xact_lock(hashtext('gesso admin keys'))`.execute(db)
  const before = await bestAdmin(db, now)
  const result = await change()
  if ((await bestAdmin(db, now)) < before) throw lastAdminKey()
  return result
}

/** 2 for a key without an end, 1 for one that expires, 0 where no admin key is in force. */
async function bestAdmin(db: Kysely<Database>, now: Date): Promise<number> {
  const { best } = await db
    .selectFrom('keys')
    .innerJoin('accounts', 'accounts.id', 'keys.account_id')
    .select(sql<number>`coalesce(max(case when keys.expires_at is null then 2 else 1 end), 0)`.as('best'))
    .where(sql<boolean>`keys.scopes @> array['admin']`)
    .where('keys.revoked_at', 'is', null)
    .where('keys.disabled_at', 'is', null)
    .where('accounts.disabled_at', 'is', null)
    .where(({ eb, or }) => or([eb('keys.expires_at', 'is', null), eb('keys.expires_at', '>', now)]))
    .executeTakeFirstOrThrow()
  return best
}

function lastAdminKey(): GessoError {
  return new GessoError({
    code: 'last_admin_key',
    attribution: 'client',
    message:
      'After this no key with the scope admin would be left that works and does not expire, so nobody could undo it. Make another admin key first.',
  })
}
