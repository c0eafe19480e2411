/** The database goes away while pictures are being made: nothing that is paid for is lost, nobody dies. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { openWorld, type World } from '../setup/world.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { openPurse, wrongBooks } from './purse.ts'

let upstream: FakeUpstream
let world: World
let administrator: pg.Client
let name: string
beforeAll(async () => {
  upstream = await startFakeOpenAi({ latencyMs: 400 })
  world = await openWorld({ OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: upstream.url })
  name = /\/(test_\w+)\?/.exec(world.databaseUrl)?.[1] ?? ''
  administrator = new pg.Client({ connectionString: world.databaseUrl.replace(name, 'postgres') })
  await administrator.connect()
})
afterAll(async () => {
  await administrator.end()
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

async function setReachable(reachable: boolean): Promise<void> {
  await administrator.query(`alter database ${name} allow_connections ${reachable}`)
  if (!reachable) {
    await administrator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ])
  }
}

const path = '/v1/images/generations'
const call = (as: Record<string, string> = {}) =>
  world.call(path, { model: 'gpt-image-2', prompt: 'x', size: '1024x1024', quality: 'low' }, as)

test('a picture that is made while the database is away is recorded, and paid, when it is back', {
  timeout: 40_000,
}, async () => {
  const before = upstream.submissions()
  await using rows = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
  const purse = await openPurse(rows.db, { credit: 1_000_000 })
  const calls = [call(purse.as), call(purse.as), call(purse.as)]
  await expect.poll(() => upstream.submissions() - before).toBe(3)
  await setReachable(false)
  const answers = await Promise.all(calls)
  await setReachable(true)
  for (const response of answers) {
    const body = (await response.json()) as { error: { code: string } }
    expect([response.status, body.error.code, response.headers.get('x-should-retry')]).toEqual([
      504,
      'outcome_unknown',
      'false',
    ])
    const id = response.headers.get('x-gesso-task-id')
    const task = async () =>
      (await (await world.call(`${path}/${id}`, undefined, purse.as)).json()) as {
        status: string
        result: { data: { url: string }[] }
      }
    await expect.poll(async () => (await task()).status, { timeout: 10_000 }).toBe('SUCCEEDED')
    expect((await fetch((await task()).result.data[0]?.url ?? '')).status).toBe(200)
  }
  expect(upstream.submissions() - before).toBe(3)
  const charged = (await purse.tasks()).map((task) => task.charged)
  expect(charged.every((micros) => micros > 0)).toBe(true)
  const balance = 1_000_000 - charged.reduce((sum, micros) => sum + micros, 0)
  expect(await purse.money()).toEqual({ balance, reserved: 0 })
  expect(await wrongBooks(rows.db)).toEqual([])
})

test('a moment without the database goes unnoticed', async () => {
  const before = upstream.submissions()
  const calls = [call(), call()]
  await expect.poll(() => upstream.submissions() - before).toBe(2)
  await setReachable(false)
  setTimeout(() => setReachable(true), 900)
  expect((await Promise.all(calls)).map((response) => response.status)).toEqual([200, 200])
})

test('a connection that is reset in the middle of a query fails that query and nothing else', async () => {
  const { host, port } = inject('postgres')
  const sockets: Socket[] = []
  const proxy = createServer((client) => {
    const server = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
    sockets.push(client)
    client.on('error', () => server.destroy())
    server.on('error', () => client.destroy())
    client.pipe(server).pipe(client)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { user, password } = inject('postgres')
  const proxied = {
    host: '127.0.0.1',
    port: (proxy.address() as AddressInfo).port,
    user,
    password,
    database: name,
  }
  {
    await using database = openDatabase(proxied, { poolSize: 2 })
    const sleeping = sql`select pg_sleep(20)`.execute(database.db).catch((error: Error) => error)
    await expect.poll(() => sockets.length).toBe(1)
    await new Promise((done) => setTimeout(done, 200))
    // Without a word, as a firewall does it. An error that nobody hears would end this very process.
    for (const socket of sockets) socket.resetAndDestroy()
    expect(await sleeping).toBeInstanceOf(Error)
    const one = () =>
      sql<{ one: number }>`select 1 as one`.execute(database.db).then(({ rows }) => rows[0]?.one)
    await expect.poll(() => one().catch(() => 0)).toBe(1)
  }
  proxy.close()
})
