/**
 * Money is conserved under a mess: two processes on one database, a vendor that does everything wrong, clients that hang up
 * and clients that try again, and a process that is killed now and then. `GESSO_SOAK=1` makes it longer, `GESSO_SEED` other.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { failOrphans } from '../../src/tasks/fail-orphans.ts'
import { endLeftovers, type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { startFakeOpenAi } from '../upstreams/openai.ts'
import { type MisbehavingVendor, misbehaviours, openMisbehavingVendor } from './misbehaving-vendor.ts'
import { openPurse, type Purse, wrongBooks } from './purse.ts'

const requests = process.env.GESSO_SOAK ? 300 : 80
const kills = process.env.GESSO_SOAK ? 8 : 2
const seed = Number(process.env.GESSO_SEED ?? 7)
const [credit, price, clients] = [100_000, 7, 10]

const cleanUps = new AsyncDisposableStack()
let vendor: MisbehavingVendor
let database: ReturnType<typeof openDatabase>
let purse: Purse
let start: () => Promise<GessoProcess>
let steady: GessoProcess
/** Killed now and then; absent until it runs again. */
let mortal: GessoProcess | undefined
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gesso-mess-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  const fake = cleanUps.use(await startFakeOpenAi({ dialect: 'openai-compatible' }))
  vendor = cleanUps.use(await openMisbehavingVendor(fake.origin))
  const empty = await createEmptyDatabase()
  cleanUps.defer(() => empty.drop())
  database = cleanUps.use(openDatabase({ connectionString: empty.url }, { poolSize: 2 }))
  const config = join(folder, 'gesso.yaml')
  writeFileSync(
    config,
    `
providers: { openai: { base_url: "${vendor.url}", timeout_ms: 1000 } }
models:
  - { id: seven, provider: openai, images_per_call: 1, price: { items: [{ per: image, micros: ${price} }] } }
`,
  )
  start = () =>
    startGesso({ dataDir: join(folder, 'data'), env: { DATABASE_URL: empty.url, GESSO_CONFIG: config } })
  steady = await start()
  mortal = await start()
  purse = await openPurse(database.db, { credit })
})
afterAll(async () => {
  // Clients that gave up left connections behind for which an orderly stop would wait.
  await Promise.all([steady, mortal].map((gesso) => gesso?.end('SIGKILL')))
  await endLeftovers()
  await cleanUps.disposeAsync()
})

/** The same numbers for the same seed (mulberry32). */
function createDice(start: number): (sides: number) => number {
  let state = start
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

interface Order {
  prompt: string
  n: number
  /** Sent with an `Idempotency-Key`, several times at once and again after a broken connection. */
  isKeyed: boolean
  /** The client hangs up after so long. */
  patienceMs?: number
}

interface Told {
  order: Order
  status: number
  taskId: string | null
  micros?: number
}

function drawOrders(): Order[] {
  const dice = createDice(seed)
  const words = Object.keys(misbehaviours)
  return Array.from({ length: requests }, (_, index) => {
    const word = dice(3) === 0 ? 'good' : words[dice(words.length)]
    return {
      prompt: `${word} ${index}`,
      n: word === 'partly' ? 4 : 1 + (dice(4) === 0 ? 1 : 0),
      isKeyed: dice(3) === 0,
      patienceMs: dice(6) === 0 ? 20 + dice(120) : undefined,
    }
  })
}

/** What came of sending it once; undefined where the connection broke. */
async function send(order: Order, { url }: GessoProcess): Promise<Told | undefined> {
  const { prompt, n, isKeyed, patienceMs } = order
  try {
    const response = await fetch(`${url}/v1/images/generations`, {
      method: 'POST',
      headers: {
        ...purse.as,
        'content-type': 'application/json',
        ...(isKeyed ? { 'idempotency-key': prompt } : {}),
      },
      body: JSON.stringify({ model: 'seven', prompt, n }),
      signal: patienceMs === undefined ? null : AbortSignal.timeout(patienceMs),
    })
    const { cost } = (await response.json()) as { cost?: { micros: number } }
    return {
      order,
      status: response.status,
      taskId: response.headers.get('x-gesso-task-id'),
      micros: cost?.micros,
    }
  } catch {
    return undefined
  }
}

async function fulfil(order: Order, index: number): Promise<Told[]> {
  const here = index % 2 === 0 ? steady : (mortal ?? steady)
  const first = order.isKeyed ? [send(order, here), send(order, steady)] : [send(order, here)]
  const told = await Promise.all(first)
  const again =
    order.isKeyed && told.includes(undefined) ? [await send({ ...order, patienceMs: undefined }, steady)] : []
  return [...told, ...again].filter((one) => one !== undefined)
}

/** Kills the process, lets its lease be over at once instead of in a while, and starts another. */
async function killAndRestart(): Promise<void> {
  const doomed = mortal
  if (!doomed) return
  mortal = undefined
  await doomed.end('SIGKILL')
  await sql`update nodes set heartbeat_at = now() - interval '1 minute' where pid = ${doomed.child.pid}`.execute(
    database.db,
  )
  await failOrphans(database.db, { deadAfterMs: 15_000, resultTtlMs: 60_000 })
  mortal = await start()
}

async function makeTheMess(orders: readonly Order[]): Promise<Told[]> {
  const told: Told[] = []
  const waiting = [...orders.entries()]
  const restarts: Promise<void>[] = []
  let done = 0
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        told.push(...(await fulfil(next[1], next[0])))
        done += 1
        if (done % Math.floor(requests / (kills + 1)) === 0) restarts.push(killAndRestart())
      }
    }),
  )
  await Promise.all(restarts)
  return told
}

test(
  `${requests} requests with seed ${seed}: what is charged is what is there, to the micro`,
  async () => {
    const orders = drawOrders()
    const told = await makeTheMess(orders)
    await expect
      .poll(async () => (await purse.tasks()).filter(({ status }) => status === 'IN_PROGRESS'))
      .toEqual([])

    const tasks = new Map((await purse.tasks()).map((task) => [task.id, task]))
    const charged = [...tasks.values()].reduce((sum, task) => sum + task.charged, 0)
    expect(await purse.money()).toEqual({ balance: credit - charged, reserved: 0 })
    expect(await wrongBooks(database.db)).toEqual([])
    expect(charged).toBeGreaterThan(requests)
    for (const task of tasks.values()) {
      expect(task.charged).toBe(task.images * price)
      expect(task.status === 'SUCCEEDED').toBe(task.images > 0)
    }
    expect(await sumsOf(purse)).toEqual({ entries: credit - charged, spent: charged, unresolved: 0 })

    // Every picture that was paid for can be fetched, and what a client was told stands.
    for (const { id, images } of tasks.values()) {
      if (images > 0) expect(await fetchable(id)).toBe(images)
    }
    for (const { taskId, status, micros } of told) {
      const task = tasks.get(taskId ?? '')
      expect([taskId, task?.status]).toEqual([taskId, status === 200 ? 'SUCCEEDED' : 'FAILED'])
      if (status === 200) expect(micros).toBe(task?.charged)
    }
    expectMadeOnce(orders, told)
  },
  requests * 1_000,
)

/** What entries and counters come to, and how many reservations have not exactly one end. */
async function sumsOf({ accountId }: Purse) {
  const { rows } = await sql<{ entries: number; spent: number; unresolved: number }>`
    select (select sum(amount_micros) from ledger_entries where account_id = ${accountId})::int as entries,
      (select coalesce(sum(micros), 0) from spend where owner_id = ${accountId})::int as spent,
      (select count(*) from tasks where account_id = ${accountId} and 2 <> (
        select count(*) from ledger_entries where task_id = tasks.id))::int as unresolved`.execute(
    database.db,
  )
  return rows[0]
}

async function fetchable(taskId: string): Promise<number> {
  const response = await fetch(`${steady.url}/v1/images/generations/${taskId}`, { headers: purse.as })
  const { result } = (await response.json()) as { result: { data: { url: string }[] } }
  // A link names the port of the process that made it; its path is good on any.
  const files = result.data.map(async ({ url }) => {
    const { pathname, search } = new URL(url)
    const file = await fetch(steady.url + pathname + search)
    return (await file.arrayBuffer()).byteLength > 0 ? file.status : 0
  })
  return (await Promise.all(files)).filter((status) => status === 200).length
}

/** One key is one task, and one call for each picture, unless it surely failed and was free to be sent anew. */
function expectMadeOnce(orders: readonly Order[], told: readonly Told[]): void {
  for (const order of orders) {
    const answers = told.filter((one) => one.order.prompt === order.prompt)
    const calls = vendor.calls.get(order.prompt) ?? 0
    // A task that died before its provider was asked is told as such, and the next one takes its place.
    const lasting = answers.filter(({ status }) => status === 200 || status === 504)
    if (!order.isKeyed) expect([order.prompt, calls <= order.n]).toEqual([order.prompt, true])
    else if (lasting.length > 0) {
      expect(new Set(lasting.map(({ taskId }) => taskId)).size).toBe(1)
      expect([order.prompt, calls <= order.n]).toEqual([order.prompt, true])
    }
  }
}
