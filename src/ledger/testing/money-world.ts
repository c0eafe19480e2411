/** Accounts with money and tasks that cost some, for tests: made and ended by the verbs that make and end them everywhere. */
import type { Insertable, Kysely } from 'kysely'
import type { AccountsTable, Database, KeysTable } from '../../db/schema.ts'
import { generateKey, hashKey, keyHint } from '../../keys/key-format.ts'
import { createId } from '../../lib/ids.ts'
import type { Admission, NewTask, Repetition } from '../../tasks/admit-task.ts'
import { type Bill, finishTask, type TaskOutcome } from '../../tasks/finish-task.ts'
import { admitSampleTask } from '../../tasks/testing/sample-task.ts'
import { creditAccount } from '../credit-account.ts'

export const sampleActor = { name: 'test' }

/** An account, metered and without free pictures unless told otherwise, with so much credit. */
export async function createSampleAccount(
  db: Kysely<Database>,
  { credit = 0, ...columns }: Partial<Insertable<AccountsTable>> & { credit?: number } = {},
): Promise<string> {
  const id = createId('acct')
  const row = { id, name: 'sample', billing: 'metered' as const, free_images: 0, ...columns }
  await db.insertInto('accounts').values(row).execute()
  if (credit > 0) {
    await creditAccount(db, { accountId: id, micros: credit, actor: sampleActor, now: new Date() })
  }
  return id
}

/** A key that may draw, of 10,000,000 requests per minute. */
export async function createSampleKey(
  db: Kysely<Database>,
  accountId: string,
  columns: Partial<Insertable<KeysTable>> = {},
): Promise<string> {
  const id = createId('key')
  const key = generateKey()
  await db
    .insertInto('keys')
    .values({
      id,
      account_id: accountId,
      name: 'sample',
      hash: hashKey(key),
      hint: keyHint(key),
      scopes: ['images:write'],
      origin: 'created',
      requests_per_minute: 10_000_000,
      expires_at: null,
      revoked_at: null,
      defaults: '{}',
      ...columns,
    })
    .execute()
  return id
}

export interface SampleWork extends Partial<Omit<NewTask, 'quotedMicros'>> {
  keyId: string
  /** The quote; null: there is no price. */
  price: number | null
  nodeId?: string
  now?: Date
  repetition?: Repetition
}

/** Asks for admission of a task of one picture. */
export function admitSample(
  db: Kysely<Database>,
  { keyId, price, nodeId = 'node_sample', id, now, repetition, ...task }: SampleWork,
): Promise<Admission> {
  const terms = { defaultFreeImages: 0 }
  return admitSampleTask(db, {
    keyId,
    nodeId,
    id,
    now,
    repetition,
    terms,
    task: { ...task, quotedMicros: price },
  })
}

/** Ends a task of a node with so many pictures and this bill, or where there is none with a failure. */
export function finishSample(
  db: Kysely<Database>,
  input: {
    taskId: string
    bill?: Bill
    images?: number
    nodeId?: string
    completedAt?: Date
    /** Why it failed, where it did. */
    code?: string
  },
): Promise<boolean> {
  const { taskId, nodeId = 'node_sample', completedAt = new Date(), images = 1, bill } = input
  const expiresAt = new Date(completedAt.getTime() + 86_400_000)
  const outcome = bill ? successOutcome(bill, images) : failure(input.code ?? 'upstream_failed')
  return finishTask(db, { taskId, nodeId, outcome, completedAt, expiresAt })
}

function failure(code: string): TaskOutcome {
  return { status: 'FAILED', error: { code, message: 'no picture came', param: null } }
}

/** So many pictures, and this bill. */
export function successOutcome(bill: Bill, images = 1): TaskOutcome {
  return {
    status: 'SUCCEEDED',
    bill,
    images: Array.from({ length: images }, (_, position) => samplePicture(position)),
    result: {
      size: '8x9',
      output_format: 'png',
      usage: { generated_images: images },
      cost: { micros: bill.chargedMicros, currency: 'USD', source: 'credits' },
      warnings: [],
    },
  }
}

function samplePicture(position: number) {
  const id = createId('img')
  const sha256 = 'ab'.repeat(32)
  return {
    id,
    position,
    format: 'png' as const,
    width: 8,
    height: 9,
    sizeBytes: 10,
    sha256,
    objectKey: `k/${id}`,
  }
}

/** A bill of a task that is paid from credit and costs what its price list says. */
export function sampleBill(micros: number): Bill {
  return { listMicros: micros, providerMicros: micros, chargedMicros: micros, spentMicros: micros }
}
