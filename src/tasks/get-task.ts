/** One task of an account, with its pictures. Somebody else's task is as good as none. */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { imageColumns, type StoredImage, toStoredImage } from '../images/stored-image.ts'
import { GessoError } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import { storedRequest, type Task, taskError, taskResult } from './task.ts'

/** Throws `task_not_found` where the account has no such task. */
export async function getTask(
  db: Kysely<Database>,
  input: { taskId: string; accountId: string },
): Promise<{ task: Task; images: StoredImage[] }> {
  const row = isId('image', input.taskId) ? await readTask(db, input) : undefined
  if (!row) {
    throw new GessoError({
      code: 'task_not_found',
      attribution: 'client',
      message: `There is no task ${JSON.stringify(input.taskId.slice(0, 100))} in this account.`,
    })
  }
  const images = row.status === 'SUCCEEDED' ? await readImages(db, row.id) : []
  return {
    task: {
      id: row.id,
      accountId: row.account_id,
      status: row.status,
      mode: row.mode,
      model: row.model,
      request: storedRequest.parse(row.request),
      createdAt: row.created_at,
      startedAt: row.started_at,
      completedAt: row.completed_at,
      expiresAt: row.expires_at,
      result: row.result === null ? null : taskResult.parse(row.result),
      error: row.error === null ? null : taskError.parse(row.error),
    },
    images,
  }
}

async function readTask(db: Kysely<Database>, input: { taskId: string; accountId: string }) {
  return db
    .selectFrom('tasks')
    .selectAll()
    .where('id', '=', input.taskId)
    .where('account_id', '=', input.accountId)
    .executeTakeFirst()
    .catch((error: unknown) => {
      throw asDatabaseError(error)
    })
}

async function readImages(db: Kysely<Database>, taskId: string): Promise<StoredImage[]> {
  const rows = await db
    .selectFrom('images')
    .select(imageColumns)
    .where('task_id', '=', taskId)
    .orderBy('position')
    .execute()
    .catch((error: unknown) => {
      throw asDatabaseError(error)
    })
  return rows.map(toStoredImage)
}
