/** One picture, by id. */
import { type Kysely, sql } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { GessoError } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import { imageColumns, type StoredImage, toStoredImage } from './stored-image.ts'

export interface ImageWithOrigin extends StoredImage {
  taskId: string
  accountId: string
  model: string
  prompt: string
  createdAt: Date
}

/** A picture of this account and where it came from. Throws `image_not_found`. */
export async function getImage(
  db: Kysely<Database>,
  input: { imageId: string; accountId: string },
): Promise<ImageWithOrigin> {
  const row = isId('img', input.imageId)
    ? await db
        .selectFrom('images')
        .innerJoin('tasks', 'tasks.id', 'images.task_id')
        .select(imageColumns.map((column) => `images.${column}` as const))
        .select(['images.task_id', 'images.account_id', 'images.created_at', 'tasks.model'])
        .select(sql<string>`tasks.request ->> 'prompt'`.as('prompt'))
        .where('images.id', '=', input.imageId)
        .where('images.account_id', '=', input.accountId)
        .executeTakeFirst()
        .catch(throwDatabaseError)
    : undefined
  if (!row) throw imageNotFound(input.imageId)
  return {
    ...toStoredImage(row),
    taskId: row.task_id,
    accountId: row.account_id,
    model: row.model,
    prompt: row.prompt,
    createdAt: row.created_at,
  }
}

/** A picture that was made for a link that stays, whoever owns it. Throws `image_not_found`. */
export async function getPermanentImage(db: Kysely<Database>, imageId: string): Promise<StoredImage> {
  const row = isId('img', imageId)
    ? await db
        .selectFrom('images')
        .select(imageColumns)
        .where('id', '=', imageId)
        .where('permanent_link', '=', true)
        .executeTakeFirst()
        .catch(throwDatabaseError)
    : undefined
  if (!row) throw imageNotFound(imageId)
  return toStoredImage(row)
}

/** A picture whoever owns it: for links, where the signature is the permission. Throws `image_not_found`. */
export async function getImageForLink(db: Kysely<Database>, imageId: string): Promise<StoredImage> {
  const row = isId('img', imageId)
    ? await db
        .selectFrom('images')
        .select(imageColumns)
        .where('id', '=', imageId)
        .executeTakeFirst()
        .catch(throwDatabaseError)
    : undefined
  if (!row) throw imageNotFound(imageId)
  return toStoredImage(row)
}

function throwDatabaseError(error: unknown): never {
  throw asDatabaseError(error)
}

function imageNotFound(imageId: string): GessoError {
  return new GessoError({
    code: 'image_not_found',
    attribution: 'client',
    message: `There is no image ${JSON.stringify(imageId.slice(0, 100))}.`,
  })
}
