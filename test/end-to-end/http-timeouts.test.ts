/** Connections that stand still have an end, whichever side is waiting. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endLeftovers, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { openWorld, type World } from '../setup/world.ts'
import { head, openConnection, readAnswer } from './http-connection.ts'

const path = '/v1/images/generations'
const good = { model: 'gesso-collage', prompt: 'a red fox', size: '64x64' }

let world: World
beforeAll(async () => {
  const config = join(mkdtempSync(join(tmpdir(), 'gesso-yaml-')), 'gesso.yaml')
  writeFileSync(
    config,
    'server:\n  request_timeout_ms: 1000\n  write_timeout_ms: 1000\n  keep_alive_timeout_ms: 1000\n',
  )
  world = await openWorld({ GESSO_CONFIG: config })
})
afterAll(async () => {
  await endLeftovers()
  await world[Symbol.asyncDispose]()
})

/** A picture's link whose file is so large that no kernel takes it off the server's hands. */
async function makeLargePicture(sizeBytes: number): Promise<string> {
  const made = (await (await world.call(path, good)).json()) as { data: { url: string; image_id: string }[] }
  const client = new pg.Client({ connectionString: world.databaseUrl })
  await client.connect()
  const { rows } = await client.query(
    'update images set size_bytes = $1 where id = $2 returning object_key',
    [sizeBytes, made.data[0]?.image_id],
  )
  await client.end()
  writeFileSync(join(world.dataDir, 'objects', rows[0].object_key), Buffer.alloc(sizeBytes, 'x'))
  return made.data[0]?.url ?? ''
}

describe.concurrent('a connection', () => {
  test('that is idle after its answer is closed', async ({ expect }) => {
    using connection = openConnection(world.url)
    const startedAtMs = performance.now()
    connection.write(head('GET /healthz HTTP/1.1', 'Host: x'))
    await expect.poll(connection.received).toContain('{"status":"ok"}')
    expect(connection.received()).toMatch(/keep-alive: timeout=1\r\n/i)
    await connection.ended(15_000)
    expect(performance.now() - startedAtMs).toBeGreaterThan(900)
  })

  test('that is kept busy stays, also beyond every timeout', async ({ expect }) => {
    using connection = openConnection(world.url)
    for (let asked = 1; asked <= 5; asked++) {
      connection.write(head('GET /healthz HTTP/1.1', 'Host: x'))
      await expect.poll(() => connection.received().split('"ok"').length - 1).toBe(asked)
      await new Promise((done) => setTimeout(done, 500))
    }
    expect(connection.socket.destroyed).toBe(false)
  })

  test('whose request does not arrive in full gets 408, and may try again', async ({ expect }) => {
    using connection = openConnection(world.url)
    connection.write(
      head(
        `POST ${path} HTTP/1.1`,
        'Host: x',
        `Authorization: Bearer ${world.key}`,
        'Content-Type: application/json',
        'Content-Length: 100000',
      ),
    )
    const drip = setInterval(() => connection.write(' '), 100)
    await connection.ended(15_000).finally(() => clearInterval(drip))
    const answer = readAnswer(connection.received())
    expect(answer).toMatchObject({ status: 408, error: { code: 'request_timeout' } })
    expect(answer.headers.get('x-should-retry')).toBe('true')
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
  })

  test('whose client stops reading is cut, and one that goes on gets everything', async ({ expect }) => {
    const sizeBytes = 30_000_000
    const url = new URL(await makeLargePicture(sizeBytes))
    const line = head(`GET ${url.pathname}${url.search} HTTP/1.1`, 'Host: x')
    using still = openConnection(world.url)
    still.socket.once('data', () => still.socket.pause())
    still.write(line)
    using reading = openConnection(world.url)
    reading.write(line)
    await expect.poll(() => reading.received().length, { timeout: 15_000 }).toBeGreaterThan(sizeBytes)
    await new Promise((done) => setTimeout(done, 2_500))
    still.socket.resume()
    await still.ended(15_000)
    expect(still.received().length).toBeLessThan(sizeBytes)
  })
})

test('a client that hangs up leaves no error in the log', async () => {
  const database = await createEmptyDatabase()
  const dataDir = mkdtempSync(join(tmpdir(), 'gesso-hangup-'))
  const gesso = await startGesso({ dataDir, env: { DATABASE_URL: database.url, GESSO_LOG_LEVEL: 'info' } })
  try {
    const gone = new AbortController()
    const call = fetch(`${gesso.url}${path}`, {
      method: 'POST',
      signal: gone.signal,
      headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...good, size: '2048x2048', output_format: 'avif' }),
    })
    setTimeout(() => gone.abort(), 100)
    await expect(call).rejects.toThrow()
    await expect.poll(gesso.stderr, { timeout: 15_000 }).toMatch(/"the client hung up"/)
    expect(gesso.stderr()).not.toContain('"level":"error"')
    expect(gesso.stderr()).not.toContain('PREMATURE_CLOSE')
  } finally {
    await gesso.end('SIGTERM')
    await database.drop()
  }
})

test('a stop right after an answer does not wait for the connection that the answer promised to keep', async () => {
  for (let round = 0; round < 6; round++) {
    const world = await openWorld()
    const made = await world.call('/v1/images/generations', {
      model: 'gesso-collage',
      prompt: 'x',
      size: '64x64',
    })
    const { data } = (await made.json()) as { data: [{ url: string }] }
    await (await fetch(data[0].url)).arrayBuffer()
    const startedAtMs = performance.now()
    await world[Symbol.asyncDispose]()
    expect(performance.now() - startedAtMs).toBeLessThan(10_000)
  }
})
