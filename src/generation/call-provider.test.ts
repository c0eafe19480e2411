/** What becomes of a call to a provider: kept before it is asked for, followed however often the asking fails, sent once. */
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { createId } from '../lib/ids.ts'
import { servedModel } from '../models/testing/served-models.ts'
import type { Operation, Provider, ProviderOutcome } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { getUnfinished } from '../tasks/get-unfinished.ts'
import { admitSampleTask, createSampleKey } from '../tasks/testing/sample-task.ts'
import { type CallDependencies, callProvider } from './call-provider.ts'
import { sampleNote } from './testing/sample-note.ts'

const nodeId = 'node_mine'
let database: TestDatabase
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
  keyId = (await createSampleKey(database.db)).keyId
})
afterAll(() => database[Symbol.asyncDispose]())

interface Script {
  started: number
  checked: Operation[]
  canceled: Operation[]
}

const done: ProviderOutcome = { status: 'completed', images: [] }
const pending = (note = 'first', checkAfterMs = 1): ProviderOutcome => ({
  status: 'pending',
  operation: { id: 'job-1', note },
  checkAfterMs,
})
const trouble = (retryable: boolean) =>
  new ProviderError({
    code: retryable ? 'upstream_unavailable' : 'upstream_failed',
    attribution: 'upstream',
    message: 'trouble',
    dispatched: 'yes',
    retryable,
  })

/** A provider that answers word for word; `onCheck` looks at the world each time it is asked. */
function scripted(answers: (ProviderOutcome | Error)[], onCheck?: () => Promise<void>) {
  const script: Script = { started: 0, checked: [], canceled: [] }
  const next = () => {
    const answer = answers.shift() ?? done
    if (answer instanceof Error) throw answer
    return answer
  }
  const adapter: Provider = {
    id: 'scripted',
    async start() {
      script.started += 1
      return next()
    },
    async check(operation) {
      await onCheck?.()
      script.checked.push(operation)
      return next()
    },
    async cancel(operation) {
      script.canceled.push(operation)
    },
  }
  return { script, adapter }
}

async function call(adapter: Provider, options: Partial<CallDependencies> & { signal?: AbortSignal } = {}) {
  const taskId = createId('image')
  await admitSampleTask(database.db, { keyId, nodeId, id: taskId })
  const reported: unknown[] = []
  const dependencies: CallDependencies = {
    db: database.db,
    nodeId,
    operationTimeoutMs: 5_000,
    events: {
      providerAnswered: (fact) => reported.push(fact),
      operationNotKept: (fact) => reported.push(fact),
    },
    ...options,
  }
  const route = { ...servedModel('gesso-collage'), provider: 'scripted', upstreamModel: 'm', adapter }
  const request = { taskId, model: 'm', prompt: 'x', n: 1 }
  const outcome = await callProvider(
    dependencies,
    { route, request, index: 0, note: sampleNote() },
    options.signal ?? AbortSignal.timeout(10_000),
  ).catch((error: unknown) => error)
  return { outcome, reported, taskId }
}

test('after a stop no provider is asked, and the caller may ask again', async () => {
  const { script, adapter } = scripted([done])
  const stopped = await call(adapter, { signal: AbortSignal.abort() })
  expect(stopped.outcome).toMatchObject({ code: 'overloaded', dispatched: 'no', retryable: true })
  expect([script.started, stopped.reported]).toEqual([0, []])
  const { outcome, reported } = await call(adapter)
  expect(outcome).toEqual(done)
  expect([script.started, reported.length]).toEqual([1, 1])
})

test('accepted work is kept before it is asked for, and again when its note changes', async () => {
  const seen: unknown[] = []
  let taskId = ''
  const { script, adapter } = scripted([pending(), pending(), pending('second'), done], async () => {
    const rows = await database.db.selectFrom('operations').select(['task_id', 'operation']).execute()
    const mine = rows.at(-1)
    taskId = mine?.task_id ?? ''
    seen.push(mine?.operation)
  })
  const { outcome } = await call(adapter)
  expect(outcome).toEqual(done)
  expect(script.started).toBe(1)
  expect(seen).toEqual([
    { id: 'job-1', note: 'first' },
    { id: 'job-1', note: 'first' },
    { id: 'job-1', note: 'second' },
  ])
  expect(await getUnfinished(database.db, { taskId, nodeId })).toMatchObject({
    work: sampleNote(),
    operations: [{ call: 0, operation: { note: 'second' } }],
  })
})

test('asking that fails is repeated, work that fails is not', async () => {
  const patient = scripted([pending(), trouble(true), done])
  expect((await call(patient.adapter)).outcome).toEqual(done)
  expect([patient.script.started, patient.script.checked.length]).toEqual([1, 2])
  const failed = scripted([pending(), trouble(false)])
  expect((await call(failed.adapter)).outcome).toMatchObject({ code: 'upstream_failed' })
  expect([failed.script.started, failed.script.checked.length]).toEqual([1, 1])
})

test('an answer that an adapter trips over is asked for again', async () => {
  const odd = scripted([pending(), new TypeError('null'), done])
  expect((await call(odd.adapter)).outcome).toEqual(done)
})

test.each([Number.NaN, -5, 0])('a pause of %s ms is no reason to ask without a pause', async (ms) => {
  const { script, adapter } = scripted(Array.from({ length: 10_000 }, () => pending('first', ms)))
  await call(adapter, { operationTimeoutMs: 100 })
  expect(script.checked.length).toBeLessThanOrEqual(11)
})

test('work that takes too long is told to stop, and nothing invites a repetition', async () => {
  const slow = scripted(Array.from({ length: 10_000 }, () => pending()))
  const { outcome } = await call(slow.adapter, { operationTimeoutMs: 100 })
  expect(outcome).toMatchObject({ code: 'outcome_unknown', dispatched: 'yes', retryable: false })
  expect(slow.script.canceled).toEqual([{ id: 'job-1', note: 'first' }])
})

test('a stop in the middle leaves the work to the next process', async () => {
  const { script, adapter } = scripted([pending('first', 5_000)])
  const { outcome, taskId } = await call(adapter, { signal: AbortSignal.timeout(300) })
  expect(outcome).toMatchObject({ name: 'LeftUnderWayError', code: 'outcome_unknown', retryable: false })
  expect([script.checked, script.canceled]).toEqual([[], []])
  expect(await getUnfinished(database.db, { taskId, nodeId })).toMatchObject({ operations: [{ call: 0 }] })
})

test('a task that another process has taken over is not followed twice', async () => {
  const { script, adapter } = scripted([pending(), pending('second'), done], async () => {
    await database.db.updateTable('tasks').set({ node_id: 'node_other' }).execute()
  })
  const { outcome } = await call(adapter)
  expect(outcome).toMatchObject({ code: 'outcome_unknown', retryable: false })
  expect(script.checked).toHaveLength(1)
})

test('work that could not be kept at first is kept as soon as the database is back', async () => {
  await sql`alter table operations rename to operations_away`.execute(database.db)
  let asked = 0
  const { adapter } = scripted([pending(), pending(), pending(), done], async () => {
    asked += 1
    if (asked === 1) await sql`alter table operations_away rename to operations`.execute(database.db)
  })
  const { outcome, taskId, reported } = await call(adapter)
  expect([outcome, reported.length]).toEqual([done, 2])
  expect(await getUnfinished(database.db, { taskId, nodeId })).toMatchObject({ operations: [{ call: 0 }] })
})

test('a stop that cannot note the work down does not promise its pictures', async () => {
  await sql`alter table operations rename to operations_away`.execute(database.db)
  const { adapter } = scripted([pending('first', 5_000)])
  const { outcome } = await call(adapter, { signal: AbortSignal.timeout(300) })
  await sql`alter table operations_away rename to operations`.execute(database.db)
  expect(outcome).toMatchObject({ name: 'ProviderError', code: 'outcome_unknown', dispatched: 'yes' })
  expect(outcome).toMatchObject({ message: expect.stringContaining('cannot be fetched') })
})

test('work that is accepted for a task that has ended meanwhile is told to stop', async () => {
  const { script, adapter } = scripted([])
  const start = async (request: { taskId: string }) => {
    await database.db
      .updateTable('tasks')
      .set({ node_id: 'node_other' })
      .where('id', '=', request.taskId)
      .execute()
    return pending()
  }
  const { outcome } = await call({ ...adapter, start })
  expect(outcome).toMatchObject({ code: 'outcome_unknown', dispatched: 'yes' })
  expect([script.checked, script.canceled.length]).toEqual([[], 1])
})

test('without a database the work is followed all the same, and said', async () => {
  const away = await createTestDatabase()
  const { adapter } = scripted([pending(), done])
  await away[Symbol.asyncDispose]()
  const { outcome, reported } = await call(adapter, { db: away.db })
  expect(outcome).toEqual(done)
  expect(reported).toMatchObject([{ error: expect.anything() }, { provider: 'scripted' }])
})
