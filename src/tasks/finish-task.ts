/**
 * The end of a task: its outcome, its picture rows and its money in one transaction and one round trip, and only while the
 * task is still this node's (`db/functions/end-task.ts`).
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
      /** Absent: nothing is known of what it cost, and nothing is charged. */
      bill?: Bill
    }
  | { status: 'FAILED'; error: TaskError }

/** What a task came to, in micro-USD. */
export interface Bill {
  /** By the price list, with its margin; null: the model has no price. */
  listMicros: number | null
  /** What the provider asked; null: not known. */
  providerMicros: number | null
  /** Taken from credit; never more than is reserved. */
  chargedMicros: number
  /** What counts against spend limits. */
  spentMicros: number
}

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
  const { outcome, taskId, nodeId, completedAt, expiresAt } = input
  const told = JSON.stringify({
    task_id: taskId,
    node_id: nodeId,
    completed_at: completedAt,
    expires_at: expiresAt,
    status: outcome.status,
    ...(outcome.status === 'SUCCEEDED' ? successRow(outcome) : failureRow(outcome)),
  })
  const { rows } = await sql<{ recorded: boolean }>`select finish_task(${told}::jsonb) as recorded`.execute(
    db,
  )
  return rows[0]?.recorded === true
}

function successRow({
  result,
  images,
  bucket,
  permanentLinks,
  bill,
}: Extract<TaskOutcome, { status: 'SUCCEEDED' }>) {
  return {
    result,
    images: images.map(imageRow),
    bucket,
    bucket_id: createId('bucket'),
    permanent: permanentLinks,
    list_micros: bill?.listMicros,
    provider_micros: bill?.providerMicros,
    charged_micros: bill?.chargedMicros,
    spent_micros: bill?.spentMicros,
  }
}

/** An outcome that nobody knows is told again to whoever repeats the request; one that made nothing is forgotten. */
function failureRow({ error }: Extract<TaskOutcome, { status: 'FAILED' }>) {
  return { error, images: [], is_definite: error.code !== 'outcome_unknown' }
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
