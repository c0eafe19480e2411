/** A task for tests, admitted the way every task is: an account, a key that never runs dry, a row. */
import type { Kysely } from 'kysely'
import { ensureDefaultAccount } from '../../accounts/ensure-default-account.ts'
import type { Database } from '../../db/schema.ts'
import { createKey } from '../../keys/create-key.ts'
import { createId } from '../../lib/ids.ts'
import {
  type Admission,
  type AdmissionTerms,
  admitTask,
  type NewTask,
  type Repetition,
} from '../admit-task.ts'

/** The default account of a fresh database, with a key of 10,000 requests per minute. */
export async function createSampleKey(db: Kysely<Database>): Promise<{ accountId: string; keyId: string }> {
  const accountId = await ensureDefaultAccount(db)
  const input = { accountId, name: 'test', scopes: ['admin' as const], requestsPerMinute: 10_000 }
  return { accountId, keyId: (await createKey(db, input)).id }
}

/** Admits a task of a node; the answer may be a refusal. `now` is the moment by which its key is judged. */
export function admitSampleTask(
  db: Kysely<Database>,
  { keyId, nodeId, id = createId('image'), now = new Date(), repetition, terms, task }: SampleTask,
): Promise<Admission> {
  return admitTask(db, {
    keyId,
    nodeId,
    now,
    defaultRequestsPerMinute: 600,
    defaultFreeImages: 20,
    hasRoute: true,
    hasOwnWay: false,
    joinWindowMs: 600_000,
    repetition,
    ...terms,
    task: {
      id,
      requestId: 'req_test',
      mode: 'generation',
      model: 'm',
      provider: 'p',
      upstreamModel: 'u',
      request: { prompt: 'a fox' },
      images: 1,
      quotedMicros: null,
      ...task,
    },
  })
}

interface SampleTask {
  keyId: string
  nodeId: string
  id?: string
  now?: Date
  repetition?: Repetition
  terms?: Partial<AdmissionTerms>
  /** What is special about it. */
  task?: Partial<NewTask>
}
