import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/setup/test-database.ts'
import { type OpenDatabase, openDatabase } from '../db/open-database.ts'
import { createId } from '../lib/ids.ts'
import { failLost } from '../tasks/fail-orphans.ts'
import { checkLedger } from './check-ledger.ts'
import { getBalance } from './get-balance.ts'
import { expectSound, type MoneyCommand, moneyCommand, openPlay } from './testing/money-play.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  sampleBill,
} from './testing/money-world.ts'

let database: TestDatabase
let processes: OpenDatabase[]
beforeAll(async () => {
  database = await createTestDatabase()
  processes = Array.from({ length: 3 }, () =>
    openDatabase({ connectionString: database.url }, { poolSize: 4 }),
  )
})
afterAll(async () => {
  await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()))
  await database[Symbol.asyncDispose]()
})

/** Plays the commands in batches of so many at once, and holds what came of it against what the answers said. */
async function play(commands: readonly MoneyCommand[], atOnce: number): Promise<readonly string[]> {
  const { db } = database
  const stage = await openPlay(processes.map((process) => process.db))
  for (let start = 0; start < commands.length; start += atOnce) {
    await stage.perform(commands.slice(start, start + atOnce))
    await expectSound(db, stage)
  }
  await expectLedger(stage.accountIds)
  await stage.endAll()
  await expectSound(db, stage)
  await expectLedger(stage.accountIds)
  for (const accountId of stage.accountIds) {
    const balance = await getBalance(db, accountId)
    expect(balance).toMatchObject({ balanceMicros: stage.balances.get(accountId), reservedMicros: 0 })
  }
  return stage.accountIds
}

async function expectLedger(accountIds: readonly string[]): Promise<void> {
  const discrepancies = await checkLedger(database.db)
  const told = discrepancies.map(({ accountId, message }) => `${accountId}: ${message}`)
  expect(told.filter((line) => accountIds.some((id) => line.startsWith(id))).join('\n')).toBe('')
}

test('whatever happens at once, money is neither made nor lost', async () => {
  const commands = fc.array(moneyCommand, { minLength: 20, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(commands, fc.integer({ min: 4, max: 12 }), async (some, atOnce) => {
      await play(some, atOnce)
    }),
    // What happened between processes cannot be played again, so that a smaller example would be chance.
    { numRuns: 40, endOnFailure: true },
  )
}, 60_000)

test('the play would notice: a row that is changed behind its back is named with its account', async () => {
  const [accountId = ''] = await play([], 1)
  await sql`update accounts set reserved_micros = 1 where id = ${accountId}`.execute(database.db)
  await expect(expectLedger([accountId])).rejects.toThrow(accountId)
  await sql`update accounts set reserved_micros = 0 where id = ${accountId}`.execute(database.db)
})

test('a process that is given up while its tasks end: each ends once, and nobody waits for the other', async () => {
  const { db } = database
  const accountIds = await Promise.all([1, 2].map(() => createSampleAccount(db, { credit: 1_000 })))
  const keyIds = await Promise.all(accountIds.map((accountId) => createSampleKey(db, accountId)))
  for (let round = 0; round < 3; round++) {
    const nodeId = createId('node')
    const taskIds = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const id = createId('image')
        await admitSample(db, { keyId: keyIds[index % 2] ?? '', price: 2, id, nodeId })
        return id
      }),
    )
    await Promise.all([
      ...taskIds.map((taskId, index) => {
        const process = processes[index % processes.length]
        return finishSample((process ?? database).db, { taskId, nodeId, bill: sampleBill(1) })
      }),
      ...processes.map(() => failLost(db, { nodeId, running: () => [], resultTtlMs: 1_000 })),
    ])
  }
  await expectLedger(accountIds)
  for (const accountId of accountIds) {
    expect(await getBalance(db, accountId)).toMatchObject({ reservedMicros: 0 })
  }
})
