/**
 * The same request at two processes of one database, as behind a load balancer: made once, whoever is asked, whoever stops,
 * and whoever is killed meanwhile. They log all they can, and nothing of it is a secret.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import type { Database } from '../../src/db/schema.ts'
import { failOrphans } from '../../src/tasks/fail-orphans.ts'
import { endLeftovers, type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { openPurse } from './purse.ts'
import { openTurnstile, type Turnstile } from './turnstile.ts'

const secret = 'the secret of both of these servers'
const adminKey = 'the-admin-key-of-both-of-these-servers'
const stack = new AsyncDisposableStack()
const folder = mkdtempSync(join(tmpdir(), 'gesso-two-'))
stack.defer(() => rmSync(folder, { recursive: true, force: true }))
let turnstile: Turnstile
let db: Kysely<Database>
let env: Record<string, string>
let one: GessoProcess
let other: GessoProcess
let picture: Buffer
const started: GessoProcess[] = []
beforeAll(async () => {
  const upstream = stack.use(await startFakeOpenAi({ echo: true }))
  turnstile = stack.use(await openTurnstile(upstream.origin))
  const database = await createEmptyDatabase()
  stack.defer(() => database.drop())
  db = stack.use(openDatabase({ connectionString: database.url }, { poolSize: 2 })).db
  const config = join(folder, 'gesso.yaml')
  writeFileSync(config, 'server: { stop_timeout_ms: 300 }\ninputs: { memory_bytes: 0 }\n')
  env = {
    DATABASE_URL: database.url,
    GESSO_CONFIG: config,
    GESSO_LOG_LEVEL: 'debug',
    GESSO_SECRET: secret,
    GESSO_ADMIN_KEY: adminKey,
    OPENAI_API_KEY: fakeOpenAiKey,
    OPENAI_BASE_URL: `${turnstile.origin}/v1`,
  }
  one = await start()
  other = await start()
  picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#c85028' } })
    .png()
    .toBuffer()
})
afterAll(async () => {
  turnstile?.release()
  await endLeftovers()
  await stack.disposeAsync()
})
beforeEach(() => turnstile.release())

async function start(): Promise<GessoProcess> {
  const gesso = await startGesso({ dataDir: join(folder, 'data'), env })
  started.push(gesso)
  return gesso
}

const body = (own: object = {}) => ({
  model: 'gpt-image-2',
  prompt: 'an unmistakable heron',
  size: '1024x1024' as const,
  quality: 'low' as const,
  ...own,
})

interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
  json: any
}

const answers: string[] = []

async function send(
  at: GessoProcess,
  key: string,
  content: object | FormData = body(),
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isForm = content instanceof FormData
  const response = await fetch(`${at.url}/v1/images/${isForm ? 'edits' : 'generations'}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${at.key}`,
      ...(isForm ? {} : { 'content-type': 'application/json' }),
      'idempotency-key': key,
      ...headers,
    },
    body: isForm ? content : JSON.stringify(content),
  })
  const text = await response.text()
  if (!response.ok) answers.push(text)
  return { status: response.status, headers: response.headers, json: JSON.parse(text) }
}

/** A client that finds its calls at one process and the other in turns, as a load balancer would send them. */
function balancedClient(options: { timeout?: number; onSent?(attempt: number): void } = {}) {
  let sent = 0
  return new OpenAI({
    baseURL: `${one.url}/v1`,
    apiKey: one.key,
    timeout: options.timeout,
    fetch: (url, init) => {
      // The client tries its fetch on a data URI first.
      if (!String(url).startsWith('http')) return fetch(url, init)
      sent += 1
      options.onSent?.(sent)
      const at = [other, one][sent % 2] as GessoProcess
      return fetch(String(url).replace(one.url, at.url), init)
    },
  })
}

/** Holds the provider back until its call has come; answers how many came once all is over. */
async function madeWhile(work: (called: () => Promise<void>) => Promise<unknown>): Promise<number> {
  turnstile.hold()
  const before = turnstile.arrived()
  const arrived = () => turnstile.arrived() - before
  await work(() => expect.poll(arrived, { interval: 5 }).toBe(1))
  turnstile.release()
  return arrived()
}

/** The files of pictures that came with requests and are still kept. */
const uploads = () =>
  readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.parentPath.includes('spool'),
  ).length

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const hashAt = async (url: string) => hashOf(Buffer.from(await (await fetch(url)).arrayBuffer()))

function form(): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(body())) data.set(name, value)
  data.set('image', new File([new Uint8Array(picture)], `${Math.random()}.png`, { type: 'image/png' }))
  return data
}

test.each<[string, () => object | FormData]>([
  ['JSON text', () => body()],
  ['JSON with base64', () => body({ response_format: 'b64_json' })],
  ['a form', form],
])(
  'ten times at once, as %s: one call, ten times the same picture, nine times replayed',
  async (kind, make) => {
    let all: Answer[] = []
    const made = await madeWhile(async (called) => {
      const sent = Array.from({ length: 10 }, (_, index) => send(index % 2 ? one : other, kind, make()))
      await called()
      const told = await send(one, kind, make(), { prefer: 'wait=0' })
      const toldByOther = await send(other, kind, make(), { prefer: 'wait=0' })
      for (const { status, json, headers } of [told, toldByOther]) {
        expect([status, json.error.code]).toEqual([409, 'idempotency_in_progress'])
        expect(headers.get('x-should-retry')).toBe('true')
      }
      // Who waits for another's picture needs none of its own.
      await expect.poll(uploads).toBeLessThan(3)
      turnstile.release()
      all = await Promise.all(sent)
    })
    expect(made).toBe(1)
    expect(all.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(all.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(9)
    const withoutLink = ({ json }: Answer) => ({ ...json, data: [{ ...json.data[0], url: '' }] })
    const [first, ...others] = all.map(withoutLink)
    for (const each of others) expect(each).toEqual(first)
    if (all[0]?.json.data[0].url) {
      const hashes = await Promise.all(all.map(({ json }) => hashAt(json.data[0].url)))
      expect(new Set(hashes).size).toBe(1)
    }
  },
)

test('ten times at once by the official client, and by one whose call times out and is repeated elsewhere', async () => {
  const made = await madeWhile(async (called) => {
    const client = balancedClient()
    const headers = { 'Idempotency-Key': 'official' }
    const sent = Array.from({ length: 10 }, () => client.images.generate(body(), { headers }).withResponse())
    await called()
    turnstile.release()
    const all = await Promise.all(sent)
    const ids = all.map(({ data }) => (data.data?.[0] as { image_id?: string } | undefined)?.image_id)
    expect(new Set(ids).size).toBe(1)
    const replays = all.filter(({ response }) => response.headers.get('idempotent-replayed') === 'true')
    expect(replays).toHaveLength(9)
  })
  expect(made).toBe(1)

  const image = await toFile(picture, 'a.png', { type: 'image/png' })
  for (const draw of [
    ({ images }: OpenAI) => images.generate(body({ user: 'impatient' })),
    ({ images }: OpenAI) => images.edit({ ...body(), image }),
  ]) {
    const onSent = (attempt: number) => attempt === 2 && turnstile.release()
    const repeated = await madeWhile(async () => {
      expect((await draw(balancedClient({ timeout: 700, onSent }))).data?.[0]?.url).toBeTruthy()
    })
    expect(repeated).toBe(1)
  }
})

test('a repetition is known by what was sent, and answered as its own sender is', async () => {
  const account = { billing: 'unmetered' as const, freeImages: null }
  const purse = await openPurse(db, { account, key: { defaults: { model: 'gpt-image-2' } } })
  const { model: _, ...silent } = body()
  const first = await send(one, 'silent', silent, purse.as)
  expect(first.json.model).toBe('gpt-image-2')
  await sql`update keys set defaults = '{"model": "gesso-collage"}' where id = ${purse.keyId}`.execute(db)
  const before = turnstile.arrived()
  const again = await send(other, 'silent', silent, { ...purse.as, 'user-agent': 'ai-sdk/openai/2.0' })
  expect([again.json.id, again.json.model]).toEqual([first.json.id, 'gpt-image-2'])
  expect(hashOf(Buffer.from(again.json.data[0].b64_json, 'base64'))).toBe(
    await hashAt(first.json.data[0].url),
  )
  await sql`update accounts set disabled_at = now() where id = ${purse.accountId}`.execute(db)
  for (const at of [one, other]) {
    const { status, json, headers } = await send(at, 'silent', silent, purse.as)
    expect([status, json.error.code]).toEqual([403, 'key_disabled'])
    expect(headers.has('idempotent-replayed')).toBe(false)
  }
  expect(turnstile.arrived()).toBe(before)
})

test('a stream that repeats one that is still under way ends with its picture', async () => {
  const stream = (at: GessoProcess) =>
    fetch(`${at.url}/v1/images/generations`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${at.key}`,
        'content-type': 'application/json',
        'idempotency-key': 'stream',
      },
      body: JSON.stringify(body({ stream: true, partial_images: 2 })),
    }).then((response) => response.text())
  const made = await madeWhile(async (called) => {
    const first = stream(one)
    await called()
    const { twin } = await waitAt(other, () => ({ twin: stream(other) }))
    turnstile.release()
    const completed = /^event: image_generation\.completed\ndata: .*$/m
    expect(completed.exec(await twin)?.[0]).toBe(completed.exec(await first)?.[0] ?? 'nothing')
  })
  expect(made).toBe(1)
})

test('a process that stops lets go of those who wait for the other’s work, and their repetition gets it', async () => {
  const made = await madeWhile(async (called) => {
    const first = send(one, 'stopping')
    await called()
    const { waiting } = await waitAt(other, () => ({ waiting: send(other, 'stopping') }))
    await other.end('SIGTERM')
    const { status, json, headers } = await waiting
    expect([status, json.error.code]).toEqual([503, 'overloaded'])
    expect([headers.get('x-should-retry'), headers.get('retry-after')]).toEqual(['true', '2'])
    const again = send(one, 'stopping')
    turnstile.release()
    expect((await again).json).toEqual((await first).json)
  })
  expect(made).toBe(1)
  other = await start()
})

test('where a process is killed, those who wait at the other are told what is known, and nothing is made twice', async () => {
  const made = await madeWhile(async (called) => {
    const first = send(one, 'killed').catch(() => 'broken off')
    await called()
    const { waiting } = await waitAt(other, () => ({
      waiting: Array.from({ length: 5 }, () => send(other, 'killed')),
    }))
    await one.end('SIGKILL')
    expect(await first).toBe('broken off')
    // Silent for long enough, in the eyes of whoever looks for tasks without a process.
    const { node_id: nodeId } = await db
      .selectFrom('tasks')
      .select('node_id')
      .where('status', '=', 'IN_PROGRESS')
      .executeTakeFirstOrThrow()
    await sql`update nodes set heartbeat_at = now() - interval '1 minute' where id = ${nodeId}`.execute(db)
    expect(await failOrphans(db, { deadAfterMs: 15_000, resultTtlMs: 60_000 })).toBe(1)
    const all = [...(await Promise.all(waiting)), await send(other, 'killed')]
    for (const { status, json, headers } of all) {
      expect([status, json.error.code]).toEqual([504, 'outcome_unknown'])
      expect([headers.get('x-should-retry'), headers.get('idempotent-replayed')]).toEqual(['false', 'true'])
    }
  })
  expect(made).toBe(1)
})

test('no log, answer or file tells a key, a secret, what a request was called or what it asked for', async () => {
  await other.end('SIGTERM')
  const audit = await sql<{ line: string }>`select row_to_json(a)::text as line from audit_log a`.execute(db)
  const written = {
    log: started.map((gesso) => gesso.stdout() + gesso.stderr()).join('\n'),
    errors: answers.join('\n'),
    audit: audit.rows.map(({ line }) => line).join('\n'),
  }
  expect(written.log).toContain('"level"')
  expect(written.errors).toContain('outcome_unknown')
  const hidden = ['unmistakable', 'JSON text', 'official', secret, adminKey, fakeOpenAiKey]
  for (const [where, text] of Object.entries(written)) {
    for (const word of hidden) expect(text.includes(word), `${word} in ${where}`).toBe(false)
  }
})

/** Sends repetitions, and goes on when the process asks the database again and again what became of their task. */
async function waitAt<Sent>(at: GessoProcess, sendAll: () => Sent): Promise<Sent> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db)
  const sent = sendAll()
  const asks = sql<{ count: number }>`
    select count(*)::int as count from pg_stat_activity
    where application_name = ${`gesso ${at.child.pid}`} and state_change > ${rows[0]?.now}
      and query like 'select "id" from "tasks" where "id" in%'`
  await expect.poll(async () => (await asks.execute(db)).rows[0]?.count, { interval: 10 }).toBeGreaterThan(0)
  return sent
}
