/** What becomes of work that another process has sent: asked for, however late; ended where it cannot be. */
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { systemClock } from '../lib/clock.ts'
import { createId } from '../lib/ids.ts'
import { Secret } from '../lib/secret.ts'
import { createGuardedFetch } from '../net/guarded-fetch.ts'
import { readProviderKey } from '../provider-keys/read-provider-key.ts'
import { createKeyBox, sealKey } from '../provider-keys/seal-key.ts'
import type { Provider } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { keepOperation } from '../tasks/keep-operation.ts'
import { createOutcomeRecorder } from '../tasks/record-outcome.ts'
import { admitSampleTask, createSampleKey } from '../tasks/testing/sample-task.ts'
import { resume } from './resume.ts'
import { sampleNote } from './testing/sample-note.ts'

const nodeId = 'node_mine'
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const guardedFetch = createGuardedFetch({ allowPrivate: [] })
let database: TestDatabase
let keyId: string
beforeAll(async () => {
  database = await createTestDatabase()
  keyId = (await createSampleKey(database.db)).keyId
})
afterAll(async () => {
  await guardedFetch[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const made = { status: 'completed' as const, images: [{ source: { kind: 'bytes' as const, bytes: png } }] }
const passing = new ProviderError({
  code: 'upstream_unavailable',
  attribution: 'upstream',
  message: 'away',
  dispatched: 'yes',
  retryable: true,
})

/** Answers how the task stands after this process has followed it. */
async function followed(
  check: NonNullable<Provider['check']>,
  task: {
    work?: object
    operation?: object
    request?: object
    acceptedAt?: Date
    signal?: AbortSignal
    /** It is paid with the account's own key, and the server has none. */
    own?: { db?: TestDatabase['db'] }
  } = {},
) {
  const taskId = createId('image')
  await admitSampleTask(database.db, { keyId, nodeId, id: taskId })
  const { operation = { id: 'job-1' }, acceptedAt = new Date(), work = sampleNote() } = task
  await keepOperation(database.db, { nodeId, taskId, call: 0, operation, acceptedAt, work })
  const request = { prompt: 'a fox', ...task.request }
  const source = task.own ? 'user' : 'unmetered'
  await sql`
    update tasks set request = ${JSON.stringify(request)}::jsonb, source = ${source} where id = ${taskId}`.execute(
    database.db,
  )
  const usedKeys: string[] = []
  let canceled = 0
  const adapter: Provider = {
    id: 'scripted',
    start: () => Promise.reject(new Error('sent again')),
    check,
    async cancel() {
      canceled += 1
    },
  }
  await resume(
    {
      db: database.db,
      nodeId,
      providers: {
        get: () => (task.own ? undefined : adapter),
        howToConfigure: () => '',
        withKey: (_id, key) => {
          usedKeys.push(key)
          return adapter
        },
        acceptsOwnKeys: () => true,
      },
      readProviderKey: (place) => readProviderKey(task.own?.db ?? database.db, box, place),
      fanOut: 4,
      operationTimeoutMs: 1_000,
      outcomes: createOutcomeRecorder(database.db, nodeId),
      clock: systemClock,
      resultTtlMs: 60_000,
      events: { taskEnded() {} },
      objects: {
        put: async () => ({ sha256: 'ab'.repeat(32), sizeBytes: png.length }),
        get: async () => undefined,
        check: async () => undefined,
      } as never,
      guardedFetch,
      maxImageBytes: 1_000,
    },
    taskId,
    task.signal ?? AbortSignal.timeout(20_000),
  )
  const row = await database.db
    .selectFrom('tasks')
    .select(['status', 'error', 'work', 'node_id'])
    .where('id', '=', taskId)
    .executeTakeFirst()
  return { ...row, canceled, usedKeys }
}

const box = createKeyBox({ secret: new Secret('a secret of this server') })
const longAgo = new Date(Date.now() - 3_600_000)

test('pictures that were finished while no server ran are fetched, however long ago they were ordered', async () => {
  expect(await followed(async () => made, { acceptedAt: longAgo })).toMatchObject({
    status: 'SUCCEEDED',
    work: null,
    canceled: 0,
  })
})

test('nor is one question that fails the end of them', async () => {
  const answers = [passing]
  const check = async () => {
    const trouble = answers.pop()
    if (trouble) throw trouble
    return made
  }
  expect(await followed(check, { acceptedAt: longAgo })).toMatchObject({ status: 'SUCCEEDED', canceled: 0 })
})

test('what is still at work after its time is told to stop', async () => {
  const check: Provider['check'] = async (operation) => ({ status: 'pending', operation, checkAfterMs: 1 })
  expect(await followed(check, { acceptedAt: longAgo })).toMatchObject({
    status: 'FAILED',
    error: { code: 'outcome_unknown' },
    canceled: 1,
  })
})

test.each([
  ['a note', { work: { version: 'of old' } }],
  ['an operation', { operation: { id: 'job-1', more: { nested: true } } }],
  ['a request', { request: { prompt: 7 } }],
])('%s that cannot be read ends the task, and says that nothing is known', async (_what, task) => {
  expect(await followed(async () => made, task)).toMatchObject({
    status: 'FAILED',
    error: { code: 'outcome_unknown', message: expect.stringContaining('another version') },
    work: null,
  })
})

test('errors repeat none of the words that were sent', async () => {
  const withheld: (readonly string[])[] = []
  const check: Provider['check'] = async (_operation, _signal, withhold = []) => {
    withheld.push(withhold)
    return made
  }
  const request = {
    negativePrompt: 'no red barns',
    safetyIdentifier: 'user-7',
    loraWeights: 'https://x.test/y',
  }
  await followed(check, { request, work: sampleNote({ prompt: 'a red fox' }) })
  expect(withheld).toEqual([
    expect.arrayContaining(['a red fox', 'no red barns', 'user-7', 'https://x.test/y']),
  ])
})

test('a download that a stop breaks off is left to the next process', async () => {
  const signal = AbortSignal.timeout(50)
  const url = 'http://127.0.0.1:9/no-picture'
  const check: Provider['check'] = async () => {
    // The answer is here, and then the process must end.
    await new Promise((done) => setTimeout(done, 100))
    return { status: 'completed', images: [{ source: { kind: 'url', url, trusted: true } }] }
  }
  expect(await followed(check, { signal })).toMatchObject({
    status: 'IN_PROGRESS',
    node_id: null,
    error: null,
  })
})

test('work that the account’s own key began is followed with that key, also when the database is away for a moment', async () => {
  const { db } = database
  const { account_id: accountId } = await db
    .selectFrom('keys')
    .select('account_id')
    .where('id', '=', keyId)
    .executeTakeFirstOrThrow()
  const place = { accountId, provider: sampleNote().provider }
  const { secretId: secret_id, sealed } = sealKey(box, place, new Secret('sk-own'))
  await db
    .insertInto('provider_keys')
    .values({
      account_id: accountId,
      provider: place.provider,
      secret_id,
      sealed,
      hint: '',
      created_at: longAgo,
    })
    .execute()
  const check = async () => made
  expect(await followed(check, { own: {} })).toMatchObject({ status: 'SUCCEEDED', usedKeys: ['sk-own'] })

  let failures = 1
  const flaky = db.withPlugin({
    transformQuery({ node }) {
      if (failures-- > 0) throw Object.assign(new Error('no server'), { code: 'ECONNREFUSED' })
      return node
    },
    transformResult: async ({ result }) => result,
  })
  expect(await followed(check, { own: { db: flaky } })).toMatchObject({ status: 'SUCCEEDED' })

  await db.deleteFrom('provider_keys').execute()
  expect(await followed(check, { own: {} })).toMatchObject({
    status: 'FAILED',
    error: { code: 'outcome_unknown' },
    usedKeys: [],
  })
})
