/** What tests of admission do: open accounts with keys, ask for admission, end tasks, and look at the money. */
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { createId } from '../../lib/ids.ts'
import type { NewTask } from '../admit-task.ts'
import { finishTask } from '../finish-task.ts'
import { admitSampleTask } from './sample-task.ts'

const nodeId = 'node_test'
export const noon = new Date('2026-03-15T12:00:00Z')
export const after = (seconds: number) => new Date(noon.getTime() + seconds * 1_000)

type Columns = Record<string, string | number | string[] | null>

interface Asking {
  keyId: string
  images?: number
  quoted?: number | null
  now?: Date
  task?: Partial<NewTask>
  terms?: Parameters<typeof admitSampleTask>[1]['terms']
  repetition?: Parameters<typeof admitSampleTask>[1]['repetition']
}

/** By default everything happens at noon, for one picture that may cost 100. */
export function createDesk(db: Kysely<Database>) {
  /** An account with a key, both with these columns. */
  async function open(account: Columns = {}, key: Columns = {}) {
    const accountId = createId('acct')
    const { credit = 0, ...own } = account
    await db
      .insertInto('accounts')
      .values({ id: accountId, name: 'test', billing: 'metered', free_images: 0, ...own })
      .execute()
    if (credit) {
      await db
        .updateTable('accounts')
        .set({ balance_micros: Number(credit) })
        .where('id', '=', accountId)
        .execute()
    }
    const addKey = async (columns: Columns) => {
      const id = createId('key')
      const hash = Buffer.from(id.padEnd(32).slice(-32))
      const base = { id, account_id: accountId, name: 'test', hash, hint: 'gs_', scopes: ['images:write'] }
      await db
        .insertInto('keys')
        .values({
          ...base,
          origin: 'created',
          requests_per_minute: 10_000,
          expires_at: null,
          revoked_at: null,
          ...columns,
        })
        .execute()
      return id
    }
    return { accountId, keyId: await addKey(key), addKey }
  }

  async function admit({ keyId, images = 1, quoted = 100, now = noon, task, ...rest }: Asking) {
    const id = createId('image')
    const admission = await admitSampleTask(db, {
      keyId,
      nodeId,
      id,
      now,
      task: { images, quotedMicros: quoted, ...task },
      ...rest,
    })
    return { ...admission, id }
  }

  async function end(
    id: string,
    how: { images?: number; charged?: number; spent?: number; at?: Date; code?: string } = {},
  ) {
    const { images = 1, charged = 0, spent = charged, at = noon } = how
    const picture = () => ({
      id: createId('img'),
      position: 0,
      format: 'png' as const,
      width: 8,
      height: 8,
      sizeBytes: 1,
      sha256: 'ab'.repeat(32),
      objectKey: createId('img'),
    })
    const outcome =
      images === 0
        ? {
            status: 'FAILED' as const,
            error: { code: how.code ?? 'upstream_failed', message: 'm', param: null },
          }
        : {
            status: 'SUCCEEDED' as const,
            images: Array.from({ length: images }, (_, position) => ({ ...picture(), position })),
            result: {
              size: '8x8',
              output_format: 'png',
              usage: { generated_images: images },
              cost: { micros: charged, currency: 'USD' as const, source: 'credits' as const },
              warnings: [],
            },
            bill: { listMicros: charged, providerMicros: null, chargedMicros: charged, spentMicros: spent },
          }
    return finishTask(db, { taskId: id, nodeId, outcome, completedAt: at, expiresAt: at })
  }

  async function moneyOf(accountId: string) {
    return db
      .selectFrom('accounts')
      .select(['balance_micros as balance', 'reserved_micros as reserved'])
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow()
  }

  return { open, admit, end, moneyOf }
}
