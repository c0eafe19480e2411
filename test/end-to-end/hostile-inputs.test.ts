/**
 * An attacker with a key, at every door that takes the address of a picture, and a provider that answers with
 * addresses: what is refused reaches nobody, reads alike whatever the reason, and leaves nothing behind.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import dns, { type LookupAddress } from 'node:dns'
import dnsPromises from 'node:dns/promises'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LoopbackHttpServer, serveHttp } from '../../src/net/testing/loopback.ts'
import { openWorld, type World } from '../setup/world.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

const model = 'local/edit'
const config = `models:
  - id: ${model}
    provider: openai
    supports: [image, mask, lora_weights, lora_scale, extra_lora_weights, safety_identifier]
`

/** What names mean here: a provider with a public name, and names that an attacker owns. */
const names: Record<string, string[]> = {
  'api.vendor.test': ['127.0.0.1'],
  'inner.attacker.test': ['127.0.0.1'],
  'mixed.attacker.test': ['8.8.8.8', '127.0.0.1'],
  'six.attacker.test': ['::1'],
}

const cleanUps = new AsyncDisposableStack()
let world: World
let upstream: FakeUpstream
/** The only address that is open. It redirects to what `to` says, and is a picture else. */
let open: LoopbackHttpServer
/** Listens on all addresses of this machine, none of which anybody may be sent to. */
let victim: LoopbackHttpServer
let database: pg.Client
let png: Buffer
/** Where this process began to connect to, in order. */
const attempts: string[] = []

beforeAll(async () => {
  answerForNames()
  watchConnections()
  png = await sharp({ create: { width: 64, height: 48, channels: 4, background: '#c08040' } })
    .png()
    .toBuffer()
  victim = await serveHttp((_request, response) => response.end(png), '::')
  open = await serveHttp(answerAsOpenHost, '127.0.0.2')
  upstream = await startFakeOpenAi({ dialect: 'openai-compatible' })
  for (const server of [victim, open, upstream]) cleanUps.defer(() => server.close())
  const folder = mkdtempSync(join(tmpdir(), 'gesso-hostile-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'gesso.yaml'), config)
  world = cleanUps.use(
    await openWorld({
      GESSO_CONFIG: join(folder, 'gesso.yaml'),
      GESSO_ALLOW_PRIVATE: '127.0.0.2/32',
      GESSO_REQUESTS_PER_MINUTE: '100000',
      OPENAI_API_KEY: fakeOpenAiKey,
      OPENAI_BASE_URL: upstream.url.replace('127.0.0.1', 'api.vendor.test'),
    }),
  )
  database = new pg.Client({ connectionString: world.databaseUrl })
  await database.connect()
  cleanUps.defer(() => database.end())
})
afterAll(() => cleanUps.disposeAsync())
beforeEach(async () => {
  await upstream.play('ok')
  for (const list of [attempts, victim.connections, open.seen, upstream.requests]) list.length = 0
})

/** The system's resolver, but for the names of this file. */
function answerForNames(): void {
  const { lookup } = dns
  const { lookup: lookupPromise } = dnsPromises
  const known = (hostname: string): LookupAddress[] | undefined =>
    names[hostname]?.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  dns.lookup = ((
    hostname: string,
    options: dns.LookupAllOptions,
    callback: (...result: unknown[]) => void,
  ) => {
    const found = known(hostname)
    if (!found) lookup(hostname, options, callback)
    else if (options.all) callback(null, found)
    else callback(null, found[0]?.address, found[0]?.family)
  }) as typeof dns.lookup
  dnsPromises.lookup = (async (hostname: string, options: dns.LookupAllOptions) =>
    known(hostname) ?? lookupPromise(hostname, options)) as typeof dnsPromises.lookup
  syncBuiltinESMExports()
  cleanUps.defer(() => {
    dns.lookup = lookup
    dnsPromises.lookup = lookupPromise
    syncBuiltinESMExports()
  })
}

function watchConnections(): void {
  const listen = (message: unknown) => {
    const { socket } = message as { socket: Socket }
    // A database is reached by a path, which has no port.
    socket.on('connectionAttempt', (ip: string, port?: number) => port && attempts.push(`${ip} ${port}`))
  }
  subscribe('net.client.socket', listen)
  cleanUps.defer(() => void unsubscribe('net.client.socket', listen))
}

function answerAsOpenHost(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://open')
  const hops = Number(url.searchParams.get('hops') ?? 0)
  const to = hops > 1 ? `/?hops=${hops - 1}` : hops === 1 ? '/picture.png' : url.searchParams.get('to')
  if (to !== null) {
    const location = Buffer.from(to).toString('latin1')
    response.writeHead(302, { ...(to ? { location } : {}), 'set-cookie': 'session=stolen' }).end()
  } else if (url.pathname === '/endless') {
    response.on('error', () => undefined)
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024)));
    }
    response.on('drain', more)
    more()
  } else if (url.pathname === '/announced') {
    response.writeHead(200, { 'content-length': 60 * 1024 * 1024 }).flushHeaders()
  } else response.end(png)
}

const knockByForm = (url: string) => postForm({ prompt: 'x', model, image: url })

/** The ways in, each with the name that its refusal has to give. */
const doors: [name: string, param: string, knock: (url: string) => Promise<Response>][] = [
  ['image', 'image', (url) => post('/v1/images/generations', { image: url })],
  [
    'image as an object in a list',
    'image[1].image_url.url',
    (url) => post('/v1/images/generations', { image: [data(), { image_url: { url } }] }),
  ],
  ['mask', 'mask', (url) => post('/v1/images/generations', { image: data(), mask: url })],
  [
    'images of an edit',
    'images[0].image_url',
    (url) => post('/v1/images/edits', { images: [{ image_url: url }] }),
  ],
  ['mask of an edit', 'mask.url', (url) => post('/v1/images/edits', { image: data(), mask: { url } })],
  ['a part of a form', 'image', knockByForm],
  ['a variation', 'image', (url) => world.call('/v1/images/variations', { model, image: url })],
  ['/api/v1', 'image[0].url', (url) => post('/api/v1/images/generations', { image: [{ url }] })],
  ['Aliyun’s content', 'input.image[0]', (url) => world.call('/aliyun/v1/images/generations', aliyun(url))],
]

const data = () => `data:image/png;base64,${png.toString('base64')}`
const post = (path: string, body: object) => world.call(path, { model, prompt: 'a hat', ...body })
const aliyun = (image: string) => ({
  model,
  input: { messages: [{ role: 'user', content: [{ text: 'a hat' }, { image }] }] },
})

function postForm(fields: Record<string, string>): Promise<Response> {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  return fetch(new URL('/v1/images/edits', world.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}` },
    body,
  })
}

/** One of each class of addresses and spellings; where one leads to this machine, somebody listens there. */
function forbidden(): string[] {
  const { port } = victim
  return [
    `http://127.0.0.1:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://[64:ff9b::7f00:1]:${port}/`,
    `http://[2002:7f00:1::]:${port}/`,
    `http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:${port}/`,
    `http://2130706433:${port}/`,
    `http://017700000001:${port}/`,
    `http://0x7f.1:${port}/`,
    `http://①②⑦.⓪.⓪.①:${port}/`,
    `http://0.0.0.0:${port}/`,
    `http://localhost.:${port}/`,
    `http://inner.attacker.test:${port}/`,
    `http://mixed.attacker.test:${port}/`,
    `http://six.attacker.test:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'https://198.18.0.1/',
    `http://user:secret-of-a-url@127.0.0.2:${open.port}/picture.png`,
    `http://example.com\\@127.0.0.1:${port}/`,
    'http://127.0.0.2:25/',
    'http://127.0.0.2:22/',
    'http://127.0.0.2:0/',
    `http://127.0.0.2:${open.port}/%00`,
    `http://127.0.0.2:${open.port}/${'a'.repeat(9_000)}`,
    `${world.url}/healthz`,
  ]
}

/** What only Gesso's own server, its database and the fakes of this file may be sent. */
function expectNobodyReached(): void {
  const known = [new URL(world.url).port, String(open.port), new URL(upstream.url).port]
  expect(attempts.filter((attempt) => !known.includes(attempt.split(' ')[1] ?? ''))).toEqual([])
  expect(victim.connections).toHaveLength(0)
}

async function expectNothingStored(): Promise<void> {
  const { rows } = await database.query('select count(*)::int as count from images')
  expect(rows).toEqual([{ count: 0 }])
  expect(filesBelow('objects')).toEqual([])
  await expect.poll(() => filesBelow('spool')).toEqual([])
}

function filesBelow(folder: string): string[] {
  const path = join(world.dataDir, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
}

async function errorOf(response: Response): Promise<Json> {
  return ((await response.json()) as Json).error
}

describe('an address that is forbidden is refused in one sentence, and no packet leaves', () => {
  test.each(doors)('through %s', async (_name, param, knock) => {
    const sentences = new Set<string>()
    for (const url of forbidden()) {
      // A form's text is no address beyond ASCII; it is taken for the bytes of a picture.
      if (knock === knockByForm && /[^ -~]/.test(url)) continue
      const response = await knock(url)
      const error = await errorOf(response)
      expect([response.status, error.code, error.param], url).toEqual([400, 'invalid_image_request', param])
      sentences.add(error.message)
    }
    expect([...sentences]).toEqual([expect.stringContaining('The URL cannot be fetched.')])
    expect([...sentences].join()).not.toMatch(/secret-of-a-url|127\.0/)
    expectNobodyReached()
    expect([open.seen.length, upstream.requests.length]).toEqual([0, 0])
    await expectNothingStored()
  })

  test.each(doors)('what is no web address is no picture, through %s', async (_name, param, knock) => {
    const texts = ['file:///etc/hostname', 'gopher://127.0.0.1/', 'ftp://127.0.0.1/x.png', 'blob:http://x/y']
    for (const text of [...texts, 'data:text/html,<b>', '//127.0.0.1/x.png', ' http://127.0.0.1/']) {
      const response = await knock(text)
      const error = await errorOf(response)
      expect([response.status, error.param], text).toEqual([400, param])
    }
    expectNobodyReached()
    expect(upstream.requests).toHaveLength(0)
    await expectNothingStored()
  })
})

describe('a redirect', () => {
  const from = (to: string) => `http://127.0.0.2:${open.port}/?to=${encodeURIComponent(to)}`

  test.each(doors.slice(0, 4))(
    'to a forbidden place reads like that place itself, through %s',
    async (_name, param, knock) => {
      const direct = (await errorOf(await knock(`http://127.0.0.1:${victim.port}/`))).message
      const targets = [
        ...forbidden().slice(0, 16),
        'file:///etc/hostname',
        'data:image/png;base64,AAAA',
        `//127.0.0.1:${victim.port}/`,
      ]
      for (const target of targets) {
        const response = await knock(from(target))
        expect([response.status, await errorOf(response)], target).toEqual([
          400,
          expect.objectContaining({ message: direct, param }),
        ])
      }
      expectNobodyReached()
      expect(upstream.requests).toHaveLength(0)
    },
  )

  test('is followed three times and not a fourth; a loop and a missing target end', async () => {
    const at = (query: string) => `http://127.0.0.2:${open.port}/?${query}`
    for (const query of ['hops=4', 'to=', 'hops=1000']) {
      const response = await post('/v1/images/generations', { image: at(query) })
      expect([response.status, (await errorOf(response)).message], query).toEqual([
        400,
        expect.stringMatching(/redirects too often, or nowhere/),
      ])
    }
    expect(upstream.requests).toHaveLength(0)
    expect((await post('/v1/images/generations', { image: at('hops=3') })).status).toBe(200)
    expect(upstream.requests).toHaveLength(1)
  })

  test('and the download itself carry nothing of the caller, the provider or a host before', async () => {
    const response = await world.call(
      '/v1/images/generations',
      { model, prompt: 'a secret wish', image: from('/picture.png'), user: 'somebody' },
      { cookie: 'a=b', referer: 'https://somewhere.test/', 'x-api-key': 'k' },
    )
    expect(response.status).toBe(200)
    expect(open.seen).toHaveLength(2)
    for (const { headers, method, url } of open.seen) {
      expect(Object.keys(headers).sort()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'host',
        'user-agent',
      ])
      expect([method, `${url} ${JSON.stringify(headers)}`]).toEqual([
        'GET',
        expect.not.stringMatching(/secret|somebody/),
      ])
    }
  })
})

test.each(['/announced', '/endless'])('a file of more than 50 MB is left alone: %s', async (path) => {
  const image = `http://127.0.0.2:${open.port}${path}`
  for (const body of [{ image }, { image: data(), mask: image }]) {
    const before = process.memoryUsage.rss()
    const response = await post('/v1/images/generations', body)
    const error = await errorOf(response)
    expect([response.status, error.message]).toEqual([
      400,
      expect.stringContaining('larger than 52428800 bytes'),
    ])
    expect(process.memoryUsage.rss() - before).toBeLessThan(120 * 1024 * 1024)
  }
  expect(upstream.requests).toHaveLength(0)
})

describe('a provider with a public name', () => {
  const answerWith = (url: string) =>
    upstream.play({ status: 200, body: { created: 1, data: [{ url }, { url }] } })

  test('cannot send Gesso to a forbidden address: 502, nothing charged, nothing stored', async () => {
    const { rows } = await database.query('select count(*)::int as count from images')
    const before = rows[0].count
    const sentences = new Set<string>()
    const redirects = forbidden()
      .slice(0, 3)
      .map((url) => `http://127.0.0.2:${open.port}/?to=${encodeURIComponent(url)}`)
    for (const url of [...forbidden().filter((one) => one.length < 8_000), ...redirects]) {
      await answerWith(url)
      const submissions = upstream.submissions()
      const response = await post('/v1/images/generations', { n: 2 })
      const error = await errorOf(response)
      expect([response.status, error.code], url).toEqual([502, 'upstream_invalid_response'])
      expect(response.headers.get('x-gesso-cost-micros') ?? '0').toBe('0')
      expect(response.headers.get('x-should-retry')).toBe('false')
      expect(upstream.submissions() - submissions).toBe(1)
      sentences.add(error.message)
    }
    expect([...sentences]).toEqual([expect.stringContaining('could not be downloaded')])
    expectNobodyReached()
    expect((await database.query('select count(*)::int as count from images')).rows[0].count).toBe(before)
  })

  test('gets its picture fetched without the key it was called with', async () => {
    await answerWith(`http://127.0.0.2:${open.port}/picture.png`)
    expect((await post('/v1/images/generations', {})).status).toBe(200)
    expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${fakeOpenAiKey}`)
    for (const { headers } of open.seen) expect(JSON.stringify(headers)).not.toContain(fakeOpenAiKey)
    expect(open.seen.length).toBeGreaterThan(0)
  })
})
