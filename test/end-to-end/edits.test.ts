/**
 * Pictures to change, in every way that clients name them: what the provider sees is what was sent, upright, without
 * what tells where and by whom it was taken, and within the bounds of number and size.
 */
import { createHash, randomFillSync } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request as openRequest, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { createKey } from '../../src/keys/create-key.ts'
import { createId } from '../../src/lib/ids.ts'
import { privateWords, scene, tagged } from '../../src/media/metadata/testing/tagged-pictures.ts'
import { type LoopbackHttpServer, serveHttp } from '../../src/net/testing/loopback.ts'
import { openWorld, type World } from '../setup/world.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import type { RecordedFile } from '../upstreams/recorded-file.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

const model = 'local/edit'
const config = `models:\n  - id: ${model}\n    provider: openai\n    supports: [image, mask]\n`

const cleanUps = new AsyncDisposableStack()
let world: World
let upstream: FakeUpstream
/** Stands before the fake and keeps the bytes of what it passes on, while they are few. */
let front: LoopbackHttpServer
let passedOn: Buffer
/** Answers with the bytes of `hosted`. */
let host: LoopbackHttpServer
let hosted: Buffer
/** 90x66 and without metadata; the mask as large, and transparent in places. */
let png: Buffer
let mask: Buffer

beforeAll(async () => {
  png = await scene(3, 90, 66).png().toBuffer()
  mask = await scene(4, 90, 66).png().toBuffer()
  upstream = await startFakeOpenAi({ dialect: 'openai-compatible', otherSize: { width: 64, height: 64 } })
  front = await serveHttp(passOn)
  host = await serveHttp((_request, response) => response.end(hosted))
  for (const server of [upstream, front, host]) cleanUps.defer(() => server.close())
  const folder = mkdtempSync(join(tmpdir(), 'gesso-edits-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'gesso.yaml'), config)
  world = cleanUps.use(
    await openWorld({
      GESSO_CONFIG: join(folder, 'gesso.yaml'),
      GESSO_ALLOW_PRIVATE: '127.0.0.0/8',
      GESSO_REQUESTS_PER_MINUTE: '100000',
      OPENAI_BASE_URL: `${front.origin}/v1`,
    }),
  )
})
afterAll(() => cleanUps.disposeAsync())
beforeEach(() => {
  upstream.requests.length = 0
})

function passOn(request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request
  const onward = openRequest(new URL(url ?? '/', upstream.origin), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  if (Number(headers['content-length'] ?? 0) < 5_000_000) {
    void buffer(request).then((body) => {
      passedOn = body
      onward.end(body)
    })
  } else request.pipe(onward)
}

const edits = '/v1/images/edits'
const generations = '/v1/images/generations'
const variations = '/v1/images/variations'
const buckets = '/api/v1/images/generations'

async function read(response: Response) {
  return { status: response.status, json: (await response.json()) as Json }
}

const post = async (path: string, body: object, headers = {}) => {
  const wording = path === variations ? {} : { prompt: 'a hat' }
  return read(await world.call(path, { model, ...wording, ...body }, headers))
}

/** Files where there are bytes, text else; a list is a name that repeats. */
async function postForm(parts: Record<string, string | Buffer | Buffer[]>, path = edits) {
  const body = new FormData()
  const wording = path === edits ? { prompt: 'a hat' } : {}
  for (const [name, values] of Object.entries({ model, ...wording, ...parts })) {
    for (const value of [values].flat()) {
      if (typeof value === 'string') body.append(name, value)
      else body.append(name, new Blob([Uint8Array.from(value)]), 'x.bin')
    }
  }
  const headers = { authorization: `Bearer ${world.key}` }
  return read(await fetch(new URL(path, world.url), { method: 'POST', headers, body }))
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** What the provider saw last, in order. */
function seen(): { images: RecordedFile[]; mask: RecordedFile | undefined } {
  const body = upstream.requests.findLast(({ method }) => method === 'POST')?.body as Json
  return { images: [body.image ?? body['image[]'] ?? []].flat(), mask: body.mask }
}

function expectSeen(images: readonly Buffer[], seenMask?: Buffer): void {
  expect(seen().images.map((image) => image.sha256)).toEqual(images.map(sha256))
  expect(seen().mask?.sha256).toBe(seenMask && sha256(seenMask))
  expect(upstream.requests.at(-1)?.path).toBe(edits)
}

async function expectEmptySpool(): Promise<void> {
  const files = () =>
    readdirSync(world.dataDir, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.parentPath.includes('spool'),
    )
  await expect.poll(files).toEqual([])
}

function uri(bytes: Buffer, type = 'image/png'): string {
  return `data:${type};base64,${bytes.toString('base64')}`
}

/** One picture in every notation. */
const notations: Record<string, (bytes: Buffer) => unknown> = {
  'a data URI': uri,
  'a data URI of another type': (bytes) => uri(bytes, 'application/octet-stream'),
  'a data URI in capitals': (bytes) => uri(bytes).replace('data:image/png;', 'DATA:IMAGE/PNG;name=a.png;'),
  base64: (bytes) => bytes.toString('base64'),
  base64url: (bytes) => bytes.toString('base64url'),
  'base64 without padding': (bytes) => bytes.toString('base64').replace(/=+$/, ''),
  'base64 in lines': (bytes) => bytes.toString('base64').replace(/.{76}/g, '$&\r\n'),
  'a URL': address,
  '{url}': (bytes) => ({ url: address(bytes) }),
  '{url} of a data URI': (bytes) => ({ url: uri(bytes) }),
  '{image_url}': (bytes) => ({ image_url: address(bytes) }),
  '{image_url: {url}}': (bytes) => ({ image_url: { url: uri(bytes) } }),
  'a part of a chat message': (bytes) => ({
    type: 'image_url',
    image_url: { url: uri(bytes) },
  }),
  '{b64_json}': (bytes) => ({ b64_json: bytes.toString('base64'), url: null }),
}

function address(bytes: Buffer): string {
  hosted = bytes
  return `${host.origin}/picture?x=1`
}

describe('the provider sees exactly the picture that was sent', () => {
  test.each(Object.entries(notations))('as %s', async (_name, write) => {
    const sent = write(png)
    expect(await post(generations, { image: sent })).toMatchObject({ status: 200 })
    expectSeen([png])
    expect(await post(edits, { images: [sent] })).toMatchObject({ status: 200 })
    expectSeen([png])
    expect(await post(generations, { image: uri(png), mask: write(mask) })).toMatchObject({ status: 200 })
    expectSeen([png], mask)
    await expectEmptySpool()
  })

  test('as files of a form, whatever the list is called', async () => {
    const second = await scene(3, 40, 40).png().toBuffer()
    const forms: Record<string, Buffer | Buffer[]>[] = [
      { image: png },
      { image: [png, second] },
      { 'image[]': [png, second] },
      { 'image[0]': png, 'image[1]': second },
      { 'images[]': [png, second] },
      { image: png, mask },
      { 'mask[]': mask, 'image[]': [png, second] },
    ]
    for (const form of forms) {
      expect(await postForm(form), Object.keys(form).join()).toMatchObject({ status: 200 })
      const { mask: one, 'mask[]': list, ...images } = form
      expectSeen(Object.values(images).flat(), (one ?? list) as Buffer | undefined)
    }
    await expectEmptySpool()
  })

  test('as texts of a form, which may be addresses', async () => {
    for (const text of [uri(png), address(png)]) {
      expect(await postForm({ image: text, mask: uri(mask) })).toMatchObject({ status: 200 })
      expectSeen([png], mask)
      expect(await postForm({ image: text }, variations)).toMatchObject({ status: 200 })
      expectSeen([png])
    }
  })

  test('as the id of a picture made before, without what Gesso wrote into its file', async () => {
    const made = await post(generations, { response_format: 'b64_json' })
    const stored = Buffer.from(made.json.data[0].b64_json, 'base64')
    const { image_id: imageId } = made.json.data[0]
    for (const image of [{ image_id: imageId }, { file_id: imageId }, imageId]) {
      expect(await post(edits, { images: [image] })).toMatchObject({ status: 200 })
      expect(passedOn.includes(made.json.id)).toBe(false)
      expect(seen().images[0]).toMatchObject({ format: 'png', width: 64, height: 64 })
      expect(seen().images[0]?.sizeBytes).toBeLessThan(stored.length)
    }
  })

  test('which may be any of five formats; those it does not take become PNG', async () => {
    for (const format of ['png', 'jpeg', 'webp', 'gif', 'avif'] as const) {
      const bytes = await scene(4, 90, 66).toFormat(format).toBuffer()
      expect((await post(generations, { image: uri(bytes) })).status).toBe(200)
      const kept = !['gif', 'avif'].includes(format)
      expect(seen().images[0]).toMatchObject({ format: kept ? format : 'png', width: 90, height: 66 })
      if (kept) expectSeen([bytes])
    }
  })

  test.each([variations, buckets])('through %s', async (path) => {
    for (const image of [uri(png), { url: address(png) }, { image_url: { url: address(png) } }]) {
      expect(await post(path, { image })).toMatchObject({ status: 200 })
      expectSeen([png])
    }
  })

  test('but for what is behind its end', async () => {
    const polyglot = Buffer.concat([png, Buffer.from('<script>alert(1)</script>')])
    expect(await post(generations, { image: uri(polyglot) })).toMatchObject({ status: 200 })
    expectSeen([png])
  })
})

test('a photograph held sideways arrives upright, and says nothing of its owner or its place', async () => {
  const words = privateWords.filter((word) => !/\d/.test(word))
  for (const format of ['jpeg', 'png', 'webp', 'avif'] as const) {
    for (const orientation of [1, 6]) {
      const bytes = await tagged(scene(3, 90, 66), orientation)
        .toFormat(format)
        .toBuffer()
      for (const word of words) expect(bytes.includes(word), `${format} holds ${word}`).toBe(true)
      const upright = await sharp(bytes).autoOrient().toBuffer({ resolveWithObject: true })
      expect(await post(generations, { image: uri(bytes) })).toMatchObject({ status: 200 })
      expect(seen().images[0]).toMatchObject({ width: upright.info.width, height: upright.info.height })
      if (format === 'jpeg') expect(upright.info.width).toBe(orientation === 6 ? 66 : 90)
      for (const word of [...privateWords, 'Exif', 'GPS', 'xmpmeta']) {
        expect(passedOn.includes(word), `${format} ${orientation} ${word}`).toBe(false)
      }
    }
  }
})

describe('a mask', () => {
  test.each([
    ['is as large as its image', async () => scene(4, 66, 90).png().toBuffer(), /66x90.*90x66/],
    ['has transparency', async () => scene(3, 90, 66).jpeg().toBuffer(), /no transparency/],
  ])('%s, or is refused', async (_name, draw, message) => {
    const bad = await draw()
    for (const { status, json } of [
      await post(generations, { image: uri(png), mask: uri(bad) }),
      await post(edits, { images: [{ image_url: uri(png) }], mask: { image_url: uri(bad) } }),
      await postForm({ image: png, mask: bad }),
    ]) {
      expect([status, json.error.code]).toEqual([400, 'unsupported_image'])
      expect(json.error.param).toMatch(/^mask/)
      expect(json.error.message).toMatch(message)
    }
    expect(upstream.requests).toHaveLength(0)
    await expectEmptySpool()
  })

  test('needs an image, and there is one of it', async () => {
    for (const { status, json } of [
      await post(generations, { mask: uri(mask) }),
      await post(generations, { image: uri(png), mask: [uri(mask), uri(mask)] }),
      await postForm({ image: png, mask: [mask, mask] }),
    ]) {
      expect([status, json.error.param]).toEqual([400, 'mask'])
    }
    expect(await post(edits, { mask: uri(mask) })).toMatchObject({
      status: 400,
      json: { error: { param: 'image' } },
    })
    expect(upstream.requests).toHaveLength(0)
    await expectEmptySpool()
  })

  test('of a photograph held sideways is as large as the photograph is shown', async () => {
    const sideways = await tagged(scene(3, 66, 90), 6)
      .jpeg()
      .toBuffer()
    expect((await post(generations, { image: uri(sideways), mask: uri(mask) })).status).toBe(200)
    expect([seen().images[0], seen().mask]).toEqual([
      expect.objectContaining({ width: 90, height: 66 }),
      expect.objectContaining({ sha256: sha256(mask) }),
    ])
  })
})

describe('what is named wrongly is refused by name', () => {
  test.each<[string, string, object]>([
    [generations, 'image', { image: 7 }],
    [generations, 'image', { image: [] }],
    [generations, 'image', { image: { url: 'https://a.test/', b64_json: 'AAAA' } }],
    [generations, 'image.path', { image: { path: '/etc/passwd' } }],
    [generations, 'image.url', { image: { url: 7 } }],
    [generations, 'image.image_url.url', { image: { image_url: { url: { url: 'AAAA' } } } }],
    [generations, 'image.image_url.headers', { image: { image_url: { url: 'AAAA', headers: {} } } }],
    [edits, 'images', { image: 'AAAA', images: ['AAAA'] }],
    [edits, 'images[1].image_id', { images: [{ b64_json: 'AAAA' }, { image_id: 'img_x' }] }],
    [buckets, 'mask', { mask: 'AAAA' }],
  ])('%s: %s in %j', async (path, param, body) => {
    const { status, json } = await post(path, body)
    expect([status, json.error.param], json.error.message).toEqual([400, param])
    expect(upstream.requests).toHaveLength(0)
  })

  test('a file under the name of another field', async () => {
    const { status, json } = await postForm({ image: png, photo: png })
    expect([status, json.error.code, json.error.param]).toEqual([400, 'unknown_parameter', 'photo'])
    await expectEmptySpool()
  })

  test('a picture of another account, in the words for one that does not exist', async () => {
    const { json } = await post(generations, {})
    const imageId = json.data[0].image_id
    await using database = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
    const accountId = createId('acct')
    await database.db
      .insertInto('accounts')
      .values({ id: accountId, name: 'another', billing: 'unmetered' })
      .execute()
    const { key } = await createKey(database.db, { accountId, name: 'test', scopes: ['images:write'] })
    const nobodys = `img_${'0'.repeat(24)}`
    upstream.requests.length = 0
    const words = new Set<string>()
    for (const id of [imageId, nobodys]) {
      const stolen = await post(edits, { images: [{ image_id: id }] }, { authorization: `Bearer ${key}` })
      expect([stolen.status, stolen.json.error.param]).toEqual([400, 'images[0].image_id'])
      words.add(stolen.json.error.message.replace(id, ''))
    }
    expect(words.size).toBe(1)
    expect(upstream.requests).toHaveLength(0)
  })
})

describe('bounds', () => {
  const list = <Value>(count: number, value: Value) => Array.from({ length: count }, () => value)

  test('sixteen pictures, and not seventeen', async () => {
    for (const path of [generations, edits, buckets]) {
      expect((await post(path, { image: list(16, uri(png)) })).status).toBe(200)
      expectSeen(list(16, png))
    }
    expect(await postForm({ 'image[]': list(16, png), mask })).toMatchObject({ status: 200 })
    expectSeen(list(16, png), mask)
    upstream.requests.length = 0
    const content = [{ text: 'x' }, ...list(17, { image: uri(png) })]
    for (const { status, json } of [
      await post(generations, { image: list(17, uri(png)) }),
      await post(edits, { images: list(17, { image_url: uri(png) }) }),
      await post(buckets, { image: list(17, uri(png)) }),
      await postForm({ 'image[]': list(17, png) }),
      await postForm({ 'image[]': list(18, png) }),
      await read(await world.call(generations, { model, input: { messages: [{ role: 'user', content }] } })),
    ]) {
      expect([status, json.error.message]).toEqual([400, expect.stringMatching(/at most 16/)])
    }
    expect(upstream.requests).toHaveLength(0)
    await expectEmptySpool()
  })

  test('fifty megabytes in a form and what fits into 64 of JSON, to the byte; not more', async () => {
    const fits = await noise(2_490)
    const over = Buffer.concat([fits, Buffer.alloc(51 * mebibyte - fits.length)])
    expect(await postForm({ image: fits })).toMatchObject({ status: 200 })
    expectSeen([fits])
    expect(await post(edits, { images: [{ image_url: uri(fits) }] })).toMatchObject({ status: 200 })
    expectSeen([fits])
    upstream.requests.length = 0
    const refused = { status: 413, json: { error: { code: 'request_too_large' } } }
    expect(await postForm({ image: over })).toMatchObject(refused)
    expect(await post(generations, { image: over.toString('base64') })).toMatchObject(refused)
    expect(upstream.requests).toHaveLength(0)
    await expectEmptySpool()
  }, 60_000)
})

const mebibyte = 1024 * 1024

/** Pixels that do not compress, 20 kB a line: sixteen bits in four channels. */
function noise(height: number): Promise<Buffer> {
  const raw = { width: 2_500, height, channels: 4 } as const
  const samples = randomFillSync(new Uint16Array(raw.width * height * raw.channels))
  return sharp(samples, { raw }).toColourspace('rgb16').png({ compressionLevel: 0 }).toBuffer()
}
