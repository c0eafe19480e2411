/** How many pictures an account has made in the last day. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'

export interface RecentImages {
  count: number
  /** When the oldest of them was made; null where there is none. */
  oldestAt: Date | null
}

const windowMs = 24 * 3_600_000

/** Counts the pictures of the 24 hours before `now`, by the moment they were finished. */
export async function countRecentImages(
  db: Kysely<Database>,
  input: { accountId: string; now: Date },
): Promise<RecentImages> {
  const row = await db
    .selectFrom('images')
    .select(({ fn }) => [fn.countAll<string>().as('count'), fn.min('created_at').as('oldest')])
    .where('account_id', '=', input.accountId)
    .where('created_at', '>', new Date(input.now.getTime() - windowMs))
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => {
      throw asDatabaseError(error)
    })
  return { count: Number(row.count), oldestAt: row.oldest }
}
