/**
 * Limits that hold over four processes on one database: 200 requests at once with room for ten are ten pictures, every time.
 * `npm run test:soak` tries each twenty times.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { endLeftovers, type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import type { FakeUpstream } from '../upstreams/fake-upstream.ts'
import { startFakeOpenAi } from '../upstreams/openai.ts'
import { openPurse, type Purse, wrongBooks } from './purse.ts'

const rounds = process.env.GESSO_SOAK ? 20 : 1
const cleanUps = new AsyncDisposableStack()
let upstream: FakeUpstream
/** The upstream answers when this is resolved. */
let refused = Promise.withResolvers<void>()
let processes: GessoProcess[]
let database: ReturnType<typeof openDatabase>
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gesso-many-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  upstream = cleanUps.use(
    await startFakeOpenAi({ dialect: 'openai-compatible', hold: () => refused.promise }),
  )
  const empty = await createEmptyDatabase()
  cleanUps.defer(() => empty.drop())
  database = cleanUps.use(openDatabase({ connectionString: empty.url }, { poolSize: 2 }))
  const config = join(folder, 'gesso.yaml')
  writeFileSync(
    config,
    'models:\n  - { id: seven, provider: openai, price: { items: [{ per: image, micros: 7 }] } }\n',
  )
  const env = { DATABASE_URL: empty.url, GESSO_CONFIG: config, OPENAI_BASE_URL: upstream.url }
  const start = () => startGesso({ dataDir: join(folder, 'data'), env })
  const first = await start()
  processes = [first, ...(await Promise.all([start(), start(), start()]))]
})
afterAll(async () => {
  await endLeftovers()
  await cleanUps.disposeAsync()
})

/**
 * Sends that many requests at once, spread over the processes; answers how often each answer came. Nothing is finished
 * before all but `admitted` of them are refused.
 */
async function race(
  purse: Purse,
  { requests = 200, n = 1, admitted = 10 } = {},
): Promise<Record<string, number>> {
  refused = Promise.withResolvers()
  let refusals = 0
  const answers = await Promise.all(
    Array.from({ length: requests }, async (_, index) => {
      const { url } = processes[index % processes.length] as GessoProcess
      const response = await fetch(`${url}/v1/images/generations`, {
        method: 'POST',
        headers: { ...purse.as, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'seven', prompt: 'a fox', n }),
      })
      if (!response.ok && ++refusals === requests - admitted) refused.resolve()
      const { data, error } = (await response.json()) as {
        data?: unknown[]
        error?: { code: string; param: string }
      }
      return [response.status, data ? `${data.length} drawn` : error?.code, error?.param]
        .filter(Boolean)
        .join(' ')
    }),
  )
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1
  return counts
}

const drawn = (tasks: Awaited<ReturnType<Purse['tasks']>>) =>
  tasks.filter(({ status }) => status === 'SUCCEEDED').reduce((sum, { images }) => sum + images, 0)

test.each([
  ['credit for ten', 70, 200, 1, { '200 1 drawn': 10, '402 insufficient_credit': 190 }, 0],
  ['credit for ten and a rest', 76, 200, 1, { '200 1 drawn': 10, '402 insufficient_credit': 190 }, 6],
  ['credit for one of three', 23, 60, 3, { '200 3 drawn': 1, '402 insufficient_credit': 59 }, 2],
])(
  '%s: what is not there is not spent',
  async (_what, credit, requests, n, expected, left) => {
    for (let round = 0; round < rounds; round++) {
      const purse = await openPurse(database.db, { credit })
      const before = upstream.submissions()
      expect(await race(purse, { requests, n, admitted: n === 1 ? 10 : 1 })).toEqual(expected)
      expect(upstream.submissions() - before).toBe(drawn(await purse.tasks()) / n)
      expect(await purse.money()).toEqual({ balance: left, reserved: 0 })
    }
  },
  120_000,
)

test.each([
  ['ten pictures a day', { key: { imagesPerDay: 10 } }, '429 rate_limit_exceeded images_per_day'],
  [
    'ten pictures a day of the account',
    { account: { imagesPerDay: 10 } },
    '429 rate_limit_exceeded images_per_day',
  ],
  ['ten at once', { key: { concurrency: 10 } }, '429 rate_limit_exceeded concurrency'],
  ['ten free ones', { account: { freeImages: 10 }, credit: 0 }, '429 free_quota_exceeded'],
  ['70 micro-USD a day', { key: { spendPerDayMicros: 70 } }, '402 spend_limit_reached spend_per_day_micros'],
])(
  '%s: ten of 200 requests at once',
  async (_what, limits, refused) => {
    for (let round = 0; round < rounds; round++) {
      const purse = await openPurse(database.db, { credit: 10_000, ...limits })
      const before = upstream.submissions()
      expect(await race(purse)).toEqual({ '200 1 drawn': 10, [refused]: 190 })
      expect(upstream.submissions() - before).toBe(10)
      expect(await purse.money()).toMatchObject({ reserved: 0 })
    }
  },
  120_000,
)

test('who is refused for want of pictures uses up neither credit nor requests', async () => {
  const purse = await openPurse(database.db, {
    credit: 140,
    key: { imagesPerDay: 10, requestsPerMinute: 300 },
  })
  expect(await race(purse)).toEqual({ '200 1 drawn': 10, '429 rate_limit_exceeded images_per_day': 190 })
  expect(await purse.money()).toEqual({ balance: 70, reserved: 0 })
})

test('the books agree with what happened', async () => {
  expect(await wrongBooks(database.db)).toEqual([])
})
