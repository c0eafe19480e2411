/** The pictures of a bucket, newest first, in pages that part between two seconds. */
import { type Kysely, sql } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { imageColumns, type StoredImage, toStoredImage } from './stored-image.ts'

export interface BucketPage {
  bucket: { id: string; isPublic: boolean } | null
  images: (StoredImage & { prompt: string; createdAt: Date; permanentLink: boolean })[]
  /** Unix seconds to ask for as `before` to go on; null at the end. */
  nextBefore: number | null
}

/**
 * At most `limit` pictures made before the Unix second `before`, and beyond the limit those of the last one's second:
 * a page that ended inside of a second would lose the others of it. A bucket that is not there is empty.
 */
export async function listBucket(
  db: Kysely<Database>,
  input: { accountId: string; name: string; limit: number; before?: number },
): Promise<BucketPage> {
  try {
    const bucket = await db
      .selectFrom('buckets')
      .select(['id', 'is_public'])
      .where('account_id', '=', input.accountId)
      .where('name', '=', input.name)
      .executeTakeFirst()
    if (!bucket) return { bucket: null, images: [], nextBefore: null }

    const before = input.before === undefined ? 'infinity' : new Date(input.before * 1_000).toISOString()
    const earlier = db
      .selectFrom('images')
      .where('images.bucket_id', '=', bucket.id)
      .where('images.created_at', '<', sql<Date>`${before}::timestamptz`)
    // The second in which the page ends is found by the index alone; sorting by seconds would sort the whole bucket.
    const end = await earlier
      .select(sql<Date>`date_trunc('second', created_at)`.as('second'))
      .orderBy('created_at', 'desc')
      .offset(input.limit - 1)
      .limit(1)
      .executeTakeFirst()
    const rows = await earlier
      .innerJoin('tasks', 'tasks.id', 'images.task_id')
      .select(imageColumns.map((column) => `images.${column}` as const))
      .select(['images.created_at', 'images.permanent_link'])
      .select(sql<string>`tasks.request ->> 'prompt'`.as('prompt'))
      .$if(end !== undefined, (page) => page.where('images.created_at', '>=', end?.second ?? new Date(0)))
      .orderBy('images.created_at', 'desc')
      .orderBy('images.id', 'desc')
      .execute()
    const images = rows.map((row) => ({
      ...toStoredImage(row),
      prompt: row.prompt,
      createdAt: row.created_at,
      permanentLink: row.permanent_link,
    }))
    const last = images.at(-1)
    return {
      bucket: { id: bucket.id, isPublic: bucket.is_public },
      images,
      nextBefore: last && images.length >= input.limit ? Math.floor(last.createdAt.getTime() / 1_000) : null,
    }
  } catch (error) {
    throw asDatabaseError(error)
  }
}
