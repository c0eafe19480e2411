/** Whose bodies are read, how many at once, and what happens to those that are not. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorld, type World } from '../setup/world.ts'
import { type Connection, head, openConnection, readAnswer } from './http-connection.ts'

const path = '/v1/images/generations'
const good = { model: 'gesso-collage', prompt: 'a red fox', size: '64x64' }

let world: World
beforeAll(async () => {
  const config = join(mkdtempSync(join(tmpdir(), 'gesso-yaml-')), 'gesso.yaml')
  writeFileSync(config, 'server:\n  body_limit_bytes: 200000\n  body_budget_bytes: 250000\n')
  world = await openWorld({ GESSO_CONFIG: config })
})
afterAll(() => world[Symbol.asyncDispose]())

const keyLine = () => `Authorization: Bearer ${world.key}`

/** Sends a request whose body never comes in full, and waits for the end of the connection. */
async function sendHalf(lines: string[], body: Buffer): Promise<Connection> {
  const connection = openConnection(world.url)
  connection.write(head(...lines, 'Host: x', `Content-Length: ${body.length + 1}`))
  connection.write(body)
  await connection.ended(2_000)
  return connection
}

describe('a body that nobody has a use for is not waited for', () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const json = ['Content-Type: application/json', 'Content-Encoding: gzip']

  test.each([
    ['an address that does not exist', 'POST /nope', 404],
    ['a method that does not exist', 'PUT /v1/images/generations', 404],
    ['a POST to a public address', 'POST /healthz', 404],
    ['a public address', 'GET /healthz', 200],
    ['a caller without a key', `POST ${path}`, 401],
  ])('%s', async (_name, line, status) => {
    using connection = await sendHalf([`${line} HTTP/1.1`, ...json], bomb)
    expect(connection.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  test('nor a GET with a key', async () => {
    using connection = await sendHalf(['GET /v1/models HTTP/1.1', keyLine(), ...json], bomb)
    expect(connection.received()).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('bodies that are being read share a budget', () => {
  const first = (bytes: number) => {
    const connection = openConnection(world.url)
    connection.write(
      head(
        `POST ${path} HTTP/1.1`,
        'Host: x',
        keyLine(),
        'Content-Type: application/json',
        'Content-Length: 199999',
      ),
    )
    connection.write(`{"prompt":"${'a'.repeat(bytes - 11)}`)
    return connection
  }
  const padded = (bytes: number) =>
    world.call(path, { ...good, metadata: { pad: 'x'.repeat(bytes) } }).then(async (response) => ({
      status: response.status,
      retry: [response.headers.get('retry-after'), response.headers.get('x-should-retry')],
      error: ((await response.json()) as { error: { code: string; message: string } }).error,
    }))

  test('one too many is 429 and may try again; the budget is free once the others are gone', async () => {
    using holder = first(190_000)
    await expect
      .poll(() => padded(100_000), { timeout: 10_000 })
      .toMatchObject({ status: 429, retry: ['1', 'true'], error: { code: 'queue_full' } })
    // Small ones still fit.
    expect((await world.call(path, good)).status).toBe(200)
    holder.socket.destroy()
    await expect.poll(async () => (await padded(190_000)).status, { timeout: 10_000 }).toBe(400)
  })

  test('every end of a body gives its share back', async () => {
    const headers = { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' }
    const send = (body: string | Buffer<ArrayBuffer>, more: Record<string, string> = {}) =>
      fetch(new URL(path, world.url), { method: 'POST', headers: { ...headers, ...more }, body })
    const gzip = { 'content-encoding': 'gzip' }
    const zipped = gzipSync('x'.repeat(150_000))
    const statuses: number[] = []
    for (let round = 0; round < 4; round++) {
      for (const response of [
        await send('x'.repeat(190_000)),
        await send('x'.repeat(250_000)),
        await send(gzipSync('x'.repeat(1_000_000)), gzip),
        await send(zipped.subarray(0, -9), gzip),
        await send('x'.repeat(150_000), gzip),
      ]) {
        statuses.push(response.status)
        await response.body?.cancel()
      }
    }
    for (let round = 0; round < 4; round++) first(60_000).socket.destroySoon()
    expect(statuses).toEqual(Array(4).fill([400, 413, 413, 400, 400]).flat())
    await expect.poll(async () => (await padded(190_000)).error.code).toBe('invalid_image_request')
  })
})

describe('100-continue', () => {
  const ask = (...lines: string[]) => {
    const connection = openConnection(world.url)
    connection.write(
      head(
        `POST ${path} HTTP/1.1`,
        'Host: x',
        'Expect: 100-continue',
        'Content-Type: application/json',
        `Content-Length: ${JSON.stringify(good).length}`,
        ...lines,
      ),
    )
    return connection
  }

  test('is told to a caller with a key, whose body is then read', async () => {
    using connection = ask(keyLine(), 'Connection: close')
    await expect.poll(connection.received).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    connection.write(JSON.stringify(good))
    await connection.ended(5_000)
    expect(connection.received()).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
  })

  test('is never told to one without', async () => {
    using connection = ask()
    await connection.ended(2_000)
    expect(connection.received()).toMatch(/^HTTP\/1.1 401 /)
  })
})

describe('what is no proper request gets the usual error shape and headers', () => {
  test.each<[string, string, number, RegExp]>([
    ['no Host', head('GET /healthz HTTP/1.1', 'Connection: close'), 400, /Host header is missing/],
    ['another expectation', head('GET /healthz HTTP/1.1', 'Host: x', 'Expect: foo'), 417, /Expect/],
    ['no HTTP', 'hello\r\n\r\n', 400, /not a well-formed HTTP request/],
    [
      'headers without end',
      head('GET /healthz HTTP/1.1', `x: ${'y'.repeat(70_000)}`),
      431,
      /headers of this request are larger/,
    ],
  ])('%s', async (_name, bytes, status, message) => {
    using connection = openConnection(world.url)
    connection.write(bytes)
    await connection.ended(2_000)
    const answer = readAnswer(connection.received())
    expect(answer).toMatchObject({
      status,
      error: { type: 'invalid_request_error', message: expect.stringMatching(message) },
    })
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    expect(answer.headers.get('content-type')).toContain('application/json')
  })

  test('a second request that is broken does not take the place of the first one’s answer', async () => {
    using connection = openConnection(world.url)
    const body = JSON.stringify(good)
    connection.write(
      head(
        `POST ${path} HTTP/1.1`,
        'Host: x',
        keyLine(),
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ),
    )
    connection.write(`${body}no HTTP at all\r\n\r\n`)
    await connection.ended(5_000)
    expect(connection.received()).not.toContain('HTTP/1.1 400')
  })
})

test('no body, the one with a content type and the one without, is told as such', async () => {
  for (const headers of [{}, { 'content-type': 'application/json' }] as Record<string, string>[]) {
    const response = await fetch(new URL(path, world.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${world.key}`, ...headers },
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { param: null, message: 'The body is empty; send a JSON object.' },
    })
  }
})
