/**
 * Two usual ways to admit a task against credit that let too many in. They are kept so that the tests of admission prove
 * themselves: a race that does not catch these would not catch anything.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { createId } from '../../lib/ids.ts'

/** What it costs, and who pays. Answers whether it was let in. */
export type WrongAdmission = (
  db: Kysely<Database>,
  input: { accountId: string; keyId: string; price: number },
) => Promise<boolean>

/** Looks, then writes what it has seen: others write in between, and their reservations are lost. */
export const readThenUpdate: WrongAdmission = async (db, { accountId, price }) => {
  const account = await db
    .selectFrom('accounts')
    .select(['balance_micros', 'reserved_micros'])
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow()
  if (account.balance_micros - account.reserved_micros < price) return false
  await db
    .updateTable('accounts')
    .set({ reserved_micros: account.reserved_micros + price })
    .where('id', '=', accountId)
    .execute()
  return true
}

/** One statement, but of a sum over rows that nobody has locked: it does not see those that are written at the same time. */
export const insertWhereSum: WrongAdmission = async (db, { accountId, keyId, price }) => {
  const { rows } = await sql`
    insert into tasks (id, account_id, key_id, request_id, status, mode, model, provider, upstream_model, request,
      created_at, source, reserved_micros)
    select ${createId('image')}, ${accountId}, ${keyId}, 'req_wrong', 'QUEUED', 'generation', 'm', 'p', 'u', '{}',
      now(), 'credits', ${price}
    from accounts where id = ${accountId} and balance_micros - (
      select coalesce(sum(reserved_micros), 0) from tasks
      where account_id = ${accountId} and status in ('QUEUED', 'IN_PROGRESS')
    ) >= ${price}
    returning id`.execute(db)
  return rows.length > 0
}
