/** How a generation ends in its row: whatever words stand beside a picture, and whether it may be sent again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { asDatabaseError } from '../db/open-database.ts'
import { systemClock } from '../lib/clock.ts'
import { badRequest, GessoError } from '../lib/errors.ts'
import { createId } from '../lib/ids.ts'
import { type Dispatched, ProviderError } from '../providers/provider-error.ts'
import { getTask } from '../tasks/get-task.ts'
import { createOutcomeRecorder } from '../tasks/record-outcome.ts'
import { admitSampleTask, createSampleKey } from '../tasks/testing/sample-task.ts'
import { type FinishDependencies, finish, recordFailure } from './finish.ts'
import { sampleNote } from './testing/sample-note.ts'

const nodeId = 'node_mine'
let database: TestDatabase
let account: { accountId: string; keyId: string }
let dependencies: FinishDependencies
beforeAll(async () => {
  database = await createTestDatabase()
  account = await createSampleKey(database.db)
  dependencies = {
    outcomes: createOutcomeRecorder(database.db, nodeId),
    clock: systemClock,
    resultTtlMs: 60_000,
    events: { taskEnded: () => undefined },
  }
})
afterAll(() => database[Symbol.asyncDispose]())

async function admitted() {
  const taskId = createId('image')
  await admitSampleTask(database.db, { keyId: account.keyId, nodeId, id: taskId })
  return { taskId, createdAt: new Date() }
}

const underway = ({ taskId, createdAt }: Awaited<ReturnType<typeof admitted>>) => ({
  id: taskId,
  accountId: account.accountId,
  mode: 'generation' as const,
  request: { prompt: 'a fox' },
  createdAt,
  funding: { source: 'unmetered' as const, reservedMicros: 0, quotedMicros: null },
})

const rowOf = async ({ taskId }: { taskId: string }) =>
  (await getTask(database.db, { taskId, accountId: account.accountId })).task

describe('a failure that names itself safe to repeat', () => {
  const spoolFull = new GessoError({
    code: 'queue_full',
    attribution: 'capacity',
    message: 'full',
    retryable: true,
    retryAfterMs: 1_000,
  })
  const databaseAway = asDatabaseError(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }))
  const provider = (dispatched: Dispatched) =>
    new ProviderError({
      code: 'overloaded',
      attribution: 'upstream',
      message: 'busy',
      dispatched,
      retryable: true,
    })

  test.each([
    ['a full spool', 'before dispatch', spoolFull, false, true],
    ['a full spool', 'after dispatch', spoolFull, true, false],
    ['a database that is away', 'before dispatch', databaseAway, false, true],
    ['a database that is away', 'after dispatch', databaseAway, true, false],
    ['a provider that did not start', 'after dispatch', provider('no'), true, true],
    ['a provider that may have started', 'after dispatch', provider('unknown'), true, false],
    ['a provider that started', 'by its own word', provider('yes'), false, false],
  ])('%s, %s', async (_what, _when, error, dispatched, retryable) => {
    const task = await admitted()
    const told = (await recordFailure(dependencies, {
      task: underway(task),
      error,
      dispatched,
    })) as GessoError
    const { code, message } = error as GessoError
    expect(told).toMatchObject({ code, message, retryable })
    expect(told.retryAfterMs).toBe(retryable ? (error as GessoError).retryAfterMs : undefined)
    expect(await rowOf(task)).toMatchObject({ status: 'FAILED', error: { code, message } })
  })
})

describe('words that PostgreSQL refuses', () => {
  test('in a warning do not cost the pictures beside it', async () => {
    const task = await admitted()
    const id = createId('img')
    const outcome = await finish(dependencies, {
      task: underway(task),
      note: sampleNote(),
      stored: [
        {
          id,
          position: 0,
          format: 'png',
          width: 8,
          height: 9,
          sizeBytes: 10,
          sha256: 'ab'.repeat(32),
          objectKey: `k/${id}`,
          bytes: Buffer.alloc(10),
          place: 0,
          drawn: { width: 8, height: 9 },
        },
      ],
      bill: { listMicros: null, providerMicros: null, chargedMicros: 0, spentMicros: 0 },
      result: {
        size: '8x9',
        output_format: 'png',
        usage: { generated_images: 1 },
        cost: { micros: 0, currency: 'USD', source: 'unmetered' },
        warnings: [{ param: 'a\ud83d', code: 'unknown_parameter', message: 'b\0c' }],
      },
    })
    expect(outcome.pictures).toHaveLength(1)
    const row = await rowOf(task)
    expect(row.status).toBe('SUCCEEDED')
    expect(row.result?.warnings).toEqual([{ param: 'a\ufffd', code: 'unknown_parameter', message: 'bc' }])
  })

  test('in an error do not leave the task open', async () => {
    const task = await admitted()
    const error = badRequest('a\ud83d', 'b\0c')
    await recordFailure(dependencies, { task: underway(task), error, dispatched: false })
    expect(await rowOf(task)).toMatchObject({ status: 'FAILED', error: { param: 'a\ufffd', message: 'bc' } })
  })
})
