/**
 * kill -9 in the middle of four requests that carry an `Idempotency-Key`: before the provider was asked, after dispatch to
 * one that answers at once, after dispatch to one that works on, and after the end of a task whose answer never left. What is repeated under the
 * same key is never made, or paid, twice.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { endLeftovers, type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { type FakeChat, startFakeChat } from '../upstreams/fake-chat.ts'
import type { FakeUpstream } from '../upstreams/fake-upstream.ts'
import { startFakeOpenAi } from '../upstreams/openai.ts'
import { fakeReplicateKey, startFakeReplicate } from '../upstreams/replicate.ts'
import { openPurse, type Purse, wrongBooks } from './purse.ts'

const cleanUps = new AsyncDisposableStack()
/** Answers at once, or when `held` is resolved. */
let openai: FakeUpstream
let held = Promise.resolve()
/** Accepts work, and answers later. */
let replicate: FakeUpstream
/** Rewrites prompts, which comes before the provider is asked. */
let chat: FakeChat
let database: ReturnType<typeof openDatabase>
let purse: Purse
let start: () => Promise<GessoProcess>
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gesso-windows-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  openai = cleanUps.use(await startFakeOpenAi({ dialect: 'openai-compatible', hold: () => held }))
  replicate = cleanUps.use(await startFakeReplicate())
  chat = cleanUps.use(await startFakeChat({ slowMs: 60_000 }))
  const empty = await createEmptyDatabase()
  cleanUps.defer(() => empty.drop())
  database = cleanUps.use(openDatabase({ connectionString: empty.url }, { poolSize: 2 }))
  const config = join(folder, 'gesso.yaml')
  writeFileSync(
    config,
    `
tasks: { heartbeat_ms: 500, dead_after_ms: 5000 }
optimizer: { base_url: "${chat.url}" }
prices: { models: { flux-1-schnell: { items: [{ per: image, micros: 11 }] } } }
models:
  - { id: seven, provider: openai, price: { items: [{ per: image, micros: 7 }] } }
`,
  )
  const env = {
    DATABASE_URL: empty.url,
    GESSO_CONFIG: config,
    OPENAI_BASE_URL: openai.url,
    REPLICATE_API_TOKEN: fakeReplicateKey,
    REPLICATE_BASE_URL: replicate.url,
  }
  start = () => startGesso({ dataDir: join(folder, 'data'), env })
})
afterAll(async () => {
  await endLeftovers()
  await cleanUps.disposeAsync()
})

/** The request of that name, which is its key and its prompt. */
function send(
  { url }: GessoProcess,
  name: string,
  model: string,
  { signal, ...more }: { signal?: AbortSignal; enhance_prompt?: boolean } = {},
): Promise<Response> {
  return fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { ...purse.as, 'content-type': 'application/json', 'idempotency-key': name },
    body: JSON.stringify({ model, prompt: `a fox, ${name}`, ...more }),
    signal,
  })
}

async function answerOf(response: Response) {
  const body = (await response.json()) as { id?: string; data?: { url: string }[]; error?: { code: string } }
  const replayed = response.headers.get('idempotent-replayed') === 'true'
  return { status: response.status, taskId: response.headers.get('x-gesso-task-id'), replayed, ...body }
}

test('what a dead process had begun is told, or finished, within half a minute, and nothing is made twice', async () => {
  const first = await start()
  purse = await openPurse(database.db, { credit: 100 })
  const client = new AbortController()
  const unread = send(first, 'ended', 'seven', { signal: client.signal })
  await expect.poll(() => openai.submissions(), { interval: 5 }).toBe(1)
  client.abort()
  await expect(unread).rejects.toThrow()
  await expect.poll(() => purse.tasks()).toMatchObject([{ status: 'SUCCEEDED', charged: 7 }])

  const late = Promise.withResolvers<void>()
  held = late.promise
  await replicate.play('pending')
  await chat.play('slow')
  const rewritten = { enhance_prompt: true }
  const broken = Promise.allSettled([
    send(first, 'admitted', 'seven', rewritten),
    send(first, 'dispatched', 'seven'),
    send(first, 'accepted', 'flux-1-schnell'),
  ])
  await expect.poll(() => chat.requests.length).toBe(1)
  await expect.poll(() => openai.submissions()).toBe(2)
  const kept = () => database.db.selectFrom('operations').select('task_id').execute()
  await expect.poll(async () => (await kept()).length).toBe(1)
  expect(await purse.money()).toEqual({ balance: 93, reserved: 25 })
  await first.end('SIGKILL')
  const killedAtMs = performance.now()
  for (const one of await broken) expect(one.status).toBe('rejected')

  const [ended, ...begun] = (await purse.tasks()).map(({ id }) => id)
  await chat.play('ok')
  const second = await start()
  const unsent = send(second, 'admitted', 'seven', rewritten).then(answerOf)
  const again = ['ended', 'dispatched', 'accepted'].map(async (name) =>
    answerOf(await send(second, name, name === 'accepted' ? 'flux-1-schnell' : 'seven')),
  )
  await replicate.play('ok')
  const [replayed, unknown, delivered] = await Promise.all(again)
  expect(replayed).toMatchObject({ status: 200, id: ended, replayed: true })
  expect(unknown).toMatchObject({ status: 504, error: { code: 'outcome_unknown' }, replayed: true })
  expect(delivered).toMatchObject({ status: 200, replayed: true })
  expect(begun).toEqual(expect.arrayContaining([unknown?.taskId, delivered?.taskId]))
  // It was surely not sent: that is told to whoever waits, and the next one is made.
  const never = await unsent
  expect(never).toMatchObject({ status: 503, error: { code: 'overloaded' } })
  expect(begun).toContain(never.taskId)
  expect(performance.now() - killedAtMs).toBeLessThan(30_000)
  for (const { data } of [replayed, delivered].filter((one) => one !== undefined)) {
    expect((await fetch(data?.[0]?.url ?? '')).status).toBe(200)
  }

  // The answer that nobody waits for any more.
  late.resolve()
  expect(await answerOf(await send(second, 'dispatched', 'seven'))).toMatchObject({
    status: 504,
    replayed: true,
  })
  const made = await answerOf(await send(second, 'admitted', 'seven', rewritten))
  expect(made).toMatchObject({ status: 200, replayed: false })
  expect([openai.submissions(), replicate.submissions()]).toEqual([3, 1])
  expect(await purse.money()).toEqual({ balance: 75, reserved: 0 })
  const charged = (await purse.tasks()).map((task) => task.charged)
  expect(charged.toSorted((one, other) => one - other)).toEqual([0, 0, 7, 7, 11])
  expect(await wrongBooks(database.db)).toEqual([])
  expect(await second.end('SIGTERM')).toBe(0)
}, 60_000)
