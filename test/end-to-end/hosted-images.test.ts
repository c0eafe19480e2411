import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, type World } from '../setup/world.ts'

let now = new Date()
let world: World
let url: string
let bytes: Buffer
beforeAll(async () => {
  world = await openWorld({}, { clock: { now: () => now } })
  url = await makePicture()
  bytes = Buffer.from(await (await fetch(url)).arrayBuffer())
})
afterAll(() => world[Symbol.asyncDispose]())

async function makePicture(): Promise<string> {
  const response = await world.call('/v1/images/generations', {
    model: 'gesso-collage',
    prompt: 'a red fox',
    size: '256x256',
  })
  return ((await response.json()) as { data: { url: string }[] }).data[0]?.url ?? ''
}

const get = (headers: Record<string, string>, address = url) => fetch(address, { headers })

test('a browser may show it and nothing else: type by bytes, nosniff, sandbox, private cache within the link’s life', async () => {
  const { status, headers } = await get({})
  expect(status).toBe(200)
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'image/png',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'accept-ranges': 'bytes',
    'content-length': String(bytes.length),
  })
  expect(headers.has('set-cookie')).toBe(false)
  const maxAge = Number(/^private, max-age=(\d+)/.exec(headers.get('cache-control') ?? '')?.[1])
  expect(maxAge).toBeLessThanOrEqual(
    Number(new URL(url).searchParams.get('exp')) - Math.floor(now.getTime() / 1_000),
  )
})

test('HEAD is GET without the body', async () => {
  const head = await fetch(url, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), (await head.arrayBuffer()).byteLength]).toEqual([
    200,
    String(bytes.length),
    0,
  ])
})

test('a known ETag is 304, another is 200', async () => {
  const etag = (await get({})).headers.get('etag') ?? ''
  expect((await get({ 'if-none-match': etag })).status).toBe(304)
  expect((await get({ 'if-none-match': `"x", W/${etag}` })).status).toBe(304)
  expect((await get({ 'if-none-match': '"x"' })).status).toBe(200)
})

test.each([
  ['the first bytes', 'bytes=0-9', () => bytes.subarray(0, 10)],
  ['the middle', 'bytes=100-199', () => bytes.subarray(100, 200)],
  ['from somewhere on', 'bytes=100-', () => bytes.subarray(100)],
  ['the last bytes', 'bytes=-7', () => bytes.subarray(-7)],
  ['beyond the end, cut there', 'bytes=10-99999999', () => bytes.subarray(10)],
])('a range: %s', async (_name, range, expected) => {
  const response = await get({ range })
  const part = Buffer.from(await response.arrayBuffer())
  expect(response.status).toBe(206)
  expect(part.equals(expected())).toBe(true)
  const start = bytes.indexOf(part)
  expect(response.headers.get('content-range')).toBe(
    `bytes ${start}-${start + part.length - 1}/${bytes.length}`,
  )
})

test('a range past the end is 416; nonsense, several ranges and a stale If-Range give the whole', async () => {
  const unsatisfiable = await get({ range: 'bytes=99999999-' })
  expect([unsatisfiable.status, unsatisfiable.headers.get('content-range')]).toEqual([
    416,
    `bytes */${bytes.length}`,
  ])
  expect(unsatisfiable.headers.get('x-should-retry')).toBe('false')
  expect(unsatisfiable.headers.get('cache-control')).toBeNull()
  expect(await unsatisfiable.json()).toMatchObject({ error: { code: 'range_not_satisfiable' } })
  for (const headers of [
    { range: 'lines=1-2' },
    { range: 'lines=99999999-' },
    { range: 'bytes=5-2' },
    { range: 'bytes=-' },
    { range: 'bytes=a-b' },
    { range: 'bytes=0-1,5-6' },
    { range: `bytes=${'0-1,'.repeat(1_000)}0-1` },
    { range: 'bytes=0-9', 'if-range': '"old"' },
  ] as Record<string, string>[]) {
    const response = await get(headers)
    expect(
      [response.status, (await response.arrayBuffer()).byteLength],
      JSON.stringify(headers).slice(0, 60),
    ).toEqual([200, bytes.length])
  }
})

test('altered, unsigned and foreign links are refused and may not be cached', async () => {
  const { pathname, search, origin } = new URL(url)
  const wrong = [
    pathname,
    `${pathname}?exp=1&sig=x`,
    `${pathname}${search}&w=10`,
    `${pathname}${search}?x=1`,
    `${pathname}${search}?`,
    `${pathname}?${search}`,
    `${pathname.replace('.png', '.jpg')}${search}`,
    `${pathname}/${search}`,
    `/${pathname}${search}`,
    `/i/..%2f..%2fsecret${search}`,
    `/i/%2e%2e/%2e%2e/secret${search}`,
    `${pathname.replace('img_', '%69mg_')}${search}`,
    `/i/img_${'0'.repeat(24)}.png${search}`,
    `/i/%${search}`,
    `/i/${'a'.repeat(500)}.png${search}`,
  ]
  for (const address of wrong) {
    const response = await fetch(origin + address)
    expect([403, 404], address).toContain(response.status)
    expect(response.headers.get('cache-control') ?? 'no-store', address).toBe('no-store')
    expect(response.headers.get('content-type')).toContain('json')
  }
})

test('an expired link is 403, also for a revalidation', async () => {
  const address = await makePicture()
  const etag = (await get({}, address)).headers.get('etag') ?? ''
  const before = now
  now = new Date(Number(new URL(address).searchParams.get('exp')) * 1_000)
  expect((await get({}, address)).status).toBe(403)
  expect((await get({ 'if-none-match': etag }, address)).status).toBe(403)
  now = before
})

test('a file that is missing or has another length is an error without a path or a cache, never another file', async () => {
  const address = await makePicture()
  const objects = join(world.dataDir, 'objects')
  const id = /img_[0-9a-f]+/.exec(address)?.[0] ?? ''
  const file =
    readdirSync(objects, { recursive: true, encoding: 'utf8' }).find(
      (one) => one.includes(id) && statSync(join(objects, one)).isFile(),
    ) ?? ''
  const whole = readFileSync(join(objects, file))
  const ask = (method: string, headers: Record<string, string> = {}) => fetch(address, { method, headers })

  rmSync(join(objects, file))
  expect(await (await ask('GET')).json()).toMatchObject({ error: { code: 'image_not_found' } })
  expect((await ask('HEAD')).status).toBe(404)

  for (const other of [whole.subarray(0, -1), Buffer.concat([whole, whole]), Buffer.from('<html>')]) {
    writeFileSync(join(objects, file), other)
    for (const response of [await ask('GET'), await ask('GET', { range: 'bytes=100-' }), await ask('HEAD')]) {
      expect([response.status, response.headers.get('cache-control'), response.headers.get('etag')]).toEqual([
        500,
        null,
        null,
      ])
      expect(response.headers.get('content-type')).toContain('json')
      const text = await response.text()
      expect(text).not.toContain('html')
      expect(text).not.toMatch(/objects|img_/)
    }
  }
  writeFileSync(join(objects, file), whole)
  expect((await ask('GET')).status).toBe(200)
})
