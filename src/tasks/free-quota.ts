/** Where an account stands against its free pictures of the last 24 hours. */
import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { countRecentImages } from '../images/count-recent.ts'

export interface FreeQuota {
  /** Null: the account pays nothing and has no limit. */
  limit: number | null
  /** Free pictures that were finished in the last 24 hours; of an account without a limit all of them. */
  used: number
  /** What is neither used nor held by work that goes on; null without a limit. */
  remaining: number | null
  /** When the oldest counted picture leaves the window; null where none is counted. */
  nextAvailableAt: Date | null
}

const counted = z.object({
  limit: z.number(),
  used: z.number(),
  at_work: z.number(),
  next_available_at: z.coerce.number().nullable(),
})

const dayMs = 24 * 3_600_000

/** Counts as admission does (`db/functions/admit-task.ts`). `defaultFreeImages` are those of accounts without a number. */
export async function getFreeQuota(
  db: Kysely<Database>,
  { accountId, now, defaultFreeImages }: { accountId: string; now: Date; defaultFreeImages: number },
): Promise<FreeQuota> {
  const row = await db
    .selectFrom('accounts')
    .select([
      'billing',
      sql<unknown>`free_quota(id, coalesce(free_images, ${defaultFreeImages}::integer), 1, ${now}::timestamptz)`.as(
        'quota',
      ),
    ])
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => {
      throw asDatabaseError(error)
    })
  if (row.billing === 'unmetered') return unlimited(db, accountId, now)
  const { limit, used, at_work: atWork, next_available_at: next } = counted.parse(row.quota)
  return {
    limit,
    used,
    remaining: Math.max(0, limit - used - atWork),
    nextAvailableAt: next === null ? null : new Date(next),
  }
}

async function unlimited(db: Kysely<Database>, accountId: string, now: Date): Promise<FreeQuota> {
  const { count, oldestAt } = await countRecentImages(db, { accountId, now })
  const nextAvailableAt = oldestAt && new Date(oldestAt.getTime() + dayMs)
  return { limit: null, used: count, remaining: null, nextAvailableAt }
}
