/**
 * Everything that locks rows of money, tasks, keys and accounts, at once and in any order: nobody waits in a circle. A
 * deadlock would only cost a retry, but one that stands in the way of an outcome costs a picture.
 */
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { updateAccount } from '../accounts/update-account.ts'
import { type OpenDatabase, openDatabase } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { createKey } from '../keys/create-key.ts'
import { createUseNotes } from '../keys/note-use.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { rotateKey } from '../keys/rotate-key.ts'
import { updateKey } from '../keys/update-key.ts'
import { GessoError } from '../lib/errors.ts'
import { createId } from '../lib/ids.ts'
import { Secret } from '../lib/secret.ts'
import { removeProviderKey } from '../provider-keys/remove-provider-key.ts'
import { createKeyBox } from '../provider-keys/seal-key.ts'
import { storeProviderKey } from '../provider-keys/store-provider-key.ts'
import { adoptOrphans, releaseTask } from '../tasks/adopt-orphans.ts'
import { failLost, failOrphans } from '../tasks/fail-orphans.ts'
import { forgetRepetitions } from '../tasks/forget-repetitions.ts'
import { keepOperation } from '../tasks/keep-operation.ts'
import { createAnswerMarker } from '../tasks/mark-answered.ts'
import { adjustBalance } from './adjust-balance.ts'
import { checkLedger } from './check-ledger.ts'
import { creditAccount } from './credit-account.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  sampleActor,
  sampleBill,
} from './testing/money-world.ts'

const durationMs = Number(process.env.GESSO_SOAK ? 60_000 : 5_000)
const hourMs = 3_600_000

let database: TestDatabase
let processes: OpenDatabase[]
let accountIds: string[]
/** The newest of each line of successors. */
let keyIds: string[]
beforeAll(async () => {
  database = await createTestDatabase()
  processes = Array.from({ length: 3 }, () =>
    openDatabase({ connectionString: database.url }, { poolSize: 6 }),
  )
  const limits = { requests_per_minute: 100_000_000, images_per_minute: 100_000, concurrency: 10_000 }
  accountIds = await Promise.all([
    createSampleAccount(database.db, { credit: 1_000_000, spend_total_micros: 10_000_000, ...limits }),
    createSampleAccount(database.db, { credit: 1_000_000, free_images: 20 }),
    createSampleAccount(database.db, { billing: 'unmetered' }),
  ])
  keyIds = await Promise.all(
    [...accountIds, ...accountIds].map((accountId) => createSampleKey(database.db, accountId, limits)),
  )
  // One of the three is dead.
  const living = nodeIds
    .slice(1)
    .map((id) => ({ id, host: 'h', pid: 1, heartbeat_at: new Date(Date.now() + hourMs) }))
  await database.db.insertInto('nodes').values(living).execute()
  // The last admin key of the server is nobody's here.
  await createKey(database.db, { accountId: accountIds[2] ?? '', name: 'admin', scopes: ['admin'] })
})
afterAll(async () => {
  await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()))
  await database[Symbol.asyncDispose]()
})

const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item

const nodeIds = [createId('node'), createId('node'), createId('node')]
/** The last that were admitted, whatever became of them. */
const recent: { id: string; nodeId: string; accountId: string }[] = []
const by = () => ({ actor: sampleActor, now: new Date() })
const box = createKeyBox({ secret: new Secret('the secret of this server, long enough') })
const lease = { deadAfterMs: 15_000, resultTtlMs: 1_000 }

async function admit(db: Kysely<Database>): Promise<void> {
  const index = Math.floor(Math.random() * keyIds.length)
  const [id, nodeId] = [createId('image'), oneOf(nodeIds)]
  const mark = Math.floor(Math.random() * 12)
  const fingerprint = Buffer.alloc(32, mark)
  const repetition = oneOf([
    undefined,
    { key: `order-${mark}`, fingerprint, retryCount: 0 },
    { fingerprint, retryCount: oneOf([0, 1, 2]) },
  ])
  // Clocks that stand elsewhere let idempotency keys run out.
  const now = new Date(Date.now() + oneOf([0, 0, 0, -hourMs, 25 * hourMs]))
  const work = { id, nodeId, price: oneOf([0, 5, 50, null]), images: oneOf([1, 4]), repetition, now }
  const admission = await admitSample(db, { keyId: keyIds[index] ?? '', ...work })
  if (admission.outcome !== 'admitted') return
  recent.push({ id, nodeId, accountId: accountIds[index % accountIds.length] ?? '' })
  if (recent.length > 40) recent.shift()
}

async function finish(db: Kysely<Database>): Promise<void> {
  const { id: taskId, nodeId } = oneOf(recent)
  const how = oneOf([
    { bill: sampleBill(3), images: 2 },
    { code: 'upstream_failed' },
    { code: 'outcome_unknown' },
  ])
  await finishSample(db, { taskId, nodeId, ...how })
}

const acts: ((db: Kysely<Database>) => Promise<unknown>)[] = [
  ...Array.from({ length: 8 }, () => admit),
  ...Array.from({ length: 6 }, () => finish),
  (db) =>
    failLost(db, {
      nodeId: oneOf(nodeIds),
      running: () => recent.slice(20).map(({ id }) => id),
      resultTtlMs: 1,
    }),
  (db) => failOrphans(db, lease),
  (db) =>
    adoptOrphans(db, {
      nodeId: oneOf(nodeIds),
      adoption: { providers: ['p'], ownKeyProviders: [], strangersAfterMs: 0 },
    }),
  (db) => {
    const { id: taskId, nodeId } = oneOf(recent)
    const call = { taskId, nodeId, call: 0, operation: { id: 'job' }, acceptedAt: new Date(), work: {} }
    return keepOperation(db, call)
  },
  (db) => {
    const { id: taskId, nodeId } = oneOf(recent)
    return releaseTask(db, { taskId, nodeId })
  },
  async (db) => {
    await using marker = createAnswerMarker(db, { clock: { now: () => new Date() }, onFailure: note })
    for (const { id } of recent) oneOf([marker.mark, marker.unmark])(id)
  },
  (db) => forgetRepetitions(db, new Date(Date.now() + oneOf([0, 24 * hourMs]))),
  (db) => creditAccount(db, { accountId: oneOf(accountIds), micros: 100, ...by() }),
  (db) => adjustBalance(db, { accountId: oneOf(accountIds), micros: oneOf([-1, 1]), note: 'so', ...by() }),
  (db) => {
    const { id: taskId, accountId } = oneOf(recent)
    return adjustBalance(db, { accountId, micros: 1, note: 'sorry', taskId, ...by() })
  },
  (db) =>
    updateAccount(
      db,
      oneOf(accountIds),
      { name: createId('acct'), concurrency: oneOf([9_000, 9_001]) },
      by(),
    ),
  (db) => updateKey(db, oneOf(keyIds), { imagesPerDay: oneOf([1_000_000, 1_000_001]) }, by()),
  async (db) => {
    const index = Math.floor(Math.random() * keyIds.length)
    const old = keyIds[index] ?? ''
    const { id } = await rotateKey(db, old, { overlapSeconds: oneOf([0, 3_600]) }, by())
    keyIds[index] = id
    await revokeKey(db, old, by())
  },
  async (db) => {
    const notes = createUseNotes(db)
    for (const keyId of keyIds) notes.note({ keyId, lastUsedAt: null }, new Date())
  },
  (db) => {
    const place = { accountId: oneOf(accountIds), provider: oneOf(['p', 'q']) }
    return oneOf([true, false])
      ? storeProviderKey(
          db,
          box,
          { ...place, key: new Secret('sk-0123456789abcdef'), takers: ['p', 'q'] },
          by(),
        )
      : removeProviderKey(db, box, place, by())
  },
  (db) => checkLedger(db).then((found) => found.length > 0 && note(new Error(JSON.stringify(found)))),
]

/** What is no answer. */
const failures: unknown[] = []
function note(error: unknown): void {
  if (!(error instanceof GessoError)) failures.push(error)
}

test(
  'nobody waits in a circle',
  async () => {
    while (recent.length < 10) await admit(database.db)
    const end = Date.now() + durationMs
    const done: number[] = acts.map(() => 0)
    await Promise.all(
      processes.flatMap(({ db }) =>
        Array.from({ length: 6 }, async () => {
          while (Date.now() < end && failures.length === 0) {
            const index = Math.floor(Math.random() * acts.length)
            await acts[index]?.(db).catch(note)
            done[index] = (done[index] ?? 0) + 1
          }
        }),
      ),
    )
    expect(failures).toEqual([])
    expect(Math.min(...done)).toBeGreaterThan(0)
    expect(await checkLedger(database.db)).toEqual([])
  },
  durationMs + 30_000,
)
