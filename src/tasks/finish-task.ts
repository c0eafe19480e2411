/**
 * The end of a task: its outcome and its picture rows in one statement, and only while the task is still this
 * node's. Settlement of credit belongs into the same statement.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { StoredImage } from '../images/stored-image.ts'
import { createId } from '../lib/ids.ts'
import type { TaskError, TaskResult } from './task.ts'

export type TaskOutcome =
  | {
      status: 'SUCCEEDED'
      result: TaskResult
      images: readonly StoredImage[]
      /** The normalised name of the bucket they go to; it is made where there is none. */
      bucket?: string
      /** May be fetched under their permanent address by anyone who knows it. */
      permanentLinks?: boolean
    }
  | { status: 'FAILED'; error: TaskError }

export interface FinishedTask {
  completedAt: Date
  expiresAt: Date
}

/**
 * Records how a task ended. Answers false, and changes nothing, where the task has ended otherwise or belongs to
 * another node by now: what this node made of it must then not be given out. Repeating a call whose answer was
 * lost is safe: the second finds the pictures of the first and answers true.
 */
export async function finishTask(
  db: Kysely<Database>,
  input: { taskId: string; nodeId: string; outcome: TaskOutcome } & FinishedTask,
): Promise<boolean> {
  const { outcome, completedAt } = input
  const result = outcome.status === 'SUCCEEDED' ? JSON.stringify(outcome.result) : null
  const error = outcome.status === 'FAILED' ? JSON.stringify(outcome.error) : null
  const images = outcome.status === 'SUCCEEDED' ? outcome.images.map(imageRow) : []
  const bucket = outcome.status === 'SUCCEEDED' ? (outcome.bucket ?? null) : null
  const permanent = outcome.status === 'SUCCEEDED' && (outcome.permanentLinks ?? false)

  const { rows } = await sql<{ id: string }>`
    with done as (
      update tasks
      set status = ${outcome.status}, completed_at = ${completedAt}::timestamptz,
        expires_at = ${input.expiresAt}::timestamptz, result = ${result}::jsonb, error = ${error}::jsonb, node_id = null, work = null
      where id = ${input.taskId} and node_id = ${input.nodeId} and status = 'IN_PROGRESS'
      returning id, account_id
    ), bucket as (
      insert into buckets (id, account_id, name, created_at)
      select ${createId('bucket')}, account_id, ${bucket}::text, ${completedAt}::timestamptz from done
      where ${bucket}::text is not null
      -- Writing the name again is what makes the row of an old bucket come back.
      on conflict (account_id, name) do update set name = excluded.name
      returning id
    ), pictures as (
      insert into images (id, task_id, account_id, bucket_id, permanent_link, position, format, width, height,
        size_bytes, sha256, object_key, seed, revised_prompt, created_at)
      select image.id, done.id, done.account_id, (select id from bucket), ${permanent}, image.position, image.format, image.width, image.height,
        image.size_bytes, decode(image.sha256, 'hex'), image.object_key, image.seed, image.revised_prompt,
        ${completedAt}::timestamptz
      from done, jsonb_to_recordset(${JSON.stringify(images)}::jsonb) as image (id text, position int, format text,
        width int, height int, size_bytes bigint, sha256 text, object_key text, seed bigint, revised_prompt text)
    )
    select id from done
    union all
    select task_id from images where id = ${images[0]?.id ?? null} and task_id = ${input.taskId}`.execute(db)
  return rows.length === 1
}

function imageRow(image: StoredImage) {
  return {
    id: image.id,
    position: image.position,
    format: image.format,
    width: image.width,
    height: image.height,
    size_bytes: image.sizeBytes,
    sha256: image.sha256,
    object_key: image.objectKey,
    seed: image.seed ?? null,
    revised_prompt: image.revisedPrompt ?? null,
  }
}
