/**
 * Pictures that are small and huge, and files that are no pictures, from callers and from a provider: refused by their
 * first bytes, before anybody is called and anything is kept.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import pg from 'pg'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { privateWords, scene, tagged } from '../../src/media/metadata/testing/tagged-pictures.ts'
import { type LoopbackHttpServer, serveHttp } from '../../src/net/testing/loopback.ts'
import { peakGrowth } from '../setup/peak-growth.ts'
import { openWorld, type World } from '../setup/world.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

const model = 'local/edit'
const config = `models:\n  - id: ${model}\n    provider: openai\n    supports: [image, mask]\n`
const fixtures = resolve(import.meta.dirname, '../../src/media/__fixtures__/bombs')
const bombs = readdirSync(fixtures).map(
  (name) => [name.replace('.gz', ''), gunzipSync(readFileSync(join(fixtures, name)))] as const,
)

const cleanUps = new AsyncDisposableStack()
let world: World
/** On 127.0.0.1, which is closed to everything but its own results. */
let upstream: FakeUpstream
/** On 127.0.0.2, which is open: answers with the bytes of `hosted`. */
let host: LoopbackHttpServer
let hosted: Buffer
let database: pg.Client

beforeAll(async () => {
  host = await serveHttp((_request, response) => response.end(hosted), '127.0.0.2')
  upstream = await startFakeOpenAi({ dialect: 'openai-compatible', answerAs: 'url' })
  for (const server of [host, upstream]) cleanUps.defer(() => server.close())
  const folder = mkdtempSync(join(tmpdir(), 'gesso-bombs-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'gesso.yaml'), config)
  world = cleanUps.use(
    await openWorld({
      GESSO_CONFIG: join(folder, 'gesso.yaml'),
      GESSO_ALLOW_PRIVATE: '127.0.0.2/32',
      GESSO_REQUESTS_PER_MINUTE: '100000',
      OPENAI_BASE_URL: upstream.url,
    }),
  )
  database = new pg.Client({ connectionString: world.databaseUrl })
  await database.connect()
  cleanUps.defer(() => database.end())
})
afterAll(() => cleanUps.disposeAsync())
beforeEach(async () => {
  await upstream.play('ok')
  upstream.requests.length = 0
})

const generations = '/v1/images/generations'
const post = (path: string, body: object, headers = {}) =>
  world.call(path, { model, prompt: 'a hat', ...body }, headers)

/** Any bytes as what a client says is a PNG. */
const uri = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`

function postForm(files: [name: string, bytes: Buffer][]): Promise<Response> {
  const body = new FormData()
  body.append('model', model)
  body.append('prompt', 'a hat')
  for (const [name, bytes] of files) {
    body.append(name, new Blob([Uint8Array.from(bytes)], { type: 'image/png' }), 'picture.png')
  }
  const headers = { authorization: `Bearer ${world.key}` }
  return fetch(new URL('/v1/images/edits', world.url), { method: 'POST', headers, body })
}

let small: Buffer
beforeAll(async () => {
  small = await scene(4).png().toBuffer()
})

/** The ways in, each with the name that its refusal has to give. */
const doors: [name: string, param: string, knock: (bytes: Buffer) => Promise<Response>][] = [
  ['a data URI', 'image', (bytes) => post(generations, { image: uri(bytes) })],
  ['a mask', 'mask', (bytes) => post(generations, { image: uri(small), mask: uri(bytes) })],
  [
    'a file of a form',
    'image[1]',
    (bytes) =>
      postForm([
        ['image[]', small],
        ['image[]', bytes],
      ]),
  ],
  [
    'the mask of a form',
    'mask',
    (bytes) =>
      postForm([
        ['image', small],
        ['mask[]', bytes],
      ]),
  ],
  [
    'images of an edit',
    'images[0].image_url',
    (bytes) => post('/v1/images/edits', { images: [{ image_url: uri(bytes) }] }),
  ],
  ['/api/v1', 'image', (bytes) => post('/api/v1/images/generations', { image: uri(bytes) })],
  [
    'Aliyun’s content',
    'input.image[0]',
    (bytes) => {
      const content = [{ text: 'a hat' }, { image: uri(bytes) }]
      return world.call('/aliyun/v1/images/generations', {
        model,
        input: { messages: [{ role: 'user', content }] },
      })
    },
  ],
  [
    'a URL',
    'image.url',
    (bytes) => {
      hosted = bytes
      return post(generations, { image: { url: `http://127.0.0.2:${host.port}/picture.png` } })
    },
  ],
]

async function read(response: Response): Promise<Json> {
  return response.json()
}

async function countImages(): Promise<number> {
  return (await database.query('select count(*)::int as count from images')).rows[0].count
}

async function expectEmptySpool(): Promise<void> {
  const spool = join(world.dataDir, 'spool')
  const files = () =>
    existsSync(spool)
      ? readdirSync(spool, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      : []
  await expect.poll(files).toEqual([])
}

/** Expects that `work` is refused everywhere, that nobody was called and that nothing is left. */
async function expectLeavesNothing(work: () => Promise<void>): Promise<void> {
  const before = await countImages()
  await work()
  expect(upstream.requests).toHaveLength(0)
  expect(await countImages()).toBe(before)
  await expectEmptySpool()
}

const mebibyte = 1024 * 1024

describe('a picture that is small and huge is refused by its header, with its size', () => {
  test.each(doors)('through %s', async (_name, param, knock) => {
    const growth = await peakGrowth(() =>
      expectLeavesNothing(async () => {
        for (const [name, bytes] of bombs) {
          const response = await knock(bytes)
          const { error } = await read(response)
          expect([response.status, error.code, error.param], name).toEqual([400, 'unsupported_image', param])
          expect(error.message, name).toMatch(/megapixels|frames|longer edge/)
        }
      }),
    )
    // The least of them is 300 MB when it is decoded.
    expect(growth).toBeLessThan(150 * mebibyte)
  })

  test('ten at a time, each with a format to convert to', async () => {
    const growth = await peakGrowth(() =>
      expectLeavesNothing(async () => {
        for (const [name, bytes] of bombs) {
          const answers = await Promise.all(
            Array.from({ length: 10 }, () => post(generations, { image: uri(bytes), output_format: 'png' })),
          )
          expect(
            answers.map(({ status }) => status),
            name,
          ).toEqual(Array(10).fill(400))
          await Promise.all(answers.map((answer) => answer.arrayBuffer()))
        }
      }),
    )
    expect(growth).toBeLessThan(200 * mebibyte)
  })
})

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"><image xlink:href="file:///etc/hostname" width="9" height="9"/></svg>'
const box = (...texts: string[]) => {
  const bytes = Buffer.from(`\0\0\0\0ftyp${texts.join('')}`, 'latin1')
  bytes.writeUInt32BE(bytes.length)
  return Buffer.concat([bytes, Buffer.alloc(64)])
}

async function strangeFiles(): Promise<[name: string, bytes: Buffer][]> {
  const whole = await Promise.all(
    (['png', 'jpeg', 'webp', 'gif', 'avif'] as const).map(
      async (format) => [format, await scene(3, 90, 66).toFormat(format).toBuffer()] as const,
    ),
  )
  return [
    ['an SVG', Buffer.from(svg)],
    ['an SVG in UTF-16', Buffer.from(`\uFEFF${svg}`, 'utf16le')],
    ['an SVG behind a mark and a comment', Buffer.from(`\uFEFF<?xml version="1.0"?>\n<!-- x -->${svg}`)],
    ['an SVG, gzipped', gzipSync(svg)],
    ['a PDF', Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n')],
    ['a TIFF', await scene(3).tiff().toBuffer()],
    ['a HEIC', box('heic', '\0\0\0\0', 'mif1', 'heic')],
    ['an animated AVIF', box('avis', '\0\0\0\0', 'avif', 'avis')],
    ['an MP4', box('isom', '\0\0\0\0', 'isom', 'mp42')],
    ['a page', Buffer.from('<!doctype html><script>alert(1)</script>')],
    ['an icon', Buffer.from('\0\0\x01\0\x01\0\x10\x10', 'latin1')],
    ['an archive', Buffer.from('PK\x03\x04\x14\0\0\0', 'latin1')],
    ['one byte', Buffer.from('G')],
    ['a PNG signature alone', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ...whole.flatMap(([format, bytes]) =>
      [1, 2, 3].map((quarter): [string, Buffer] => [
        `${quarter}/4 of a ${format}`,
        bytes.subarray(0, (bytes.length * quarter) >> 2),
      ]),
    ),
  ]
}

test.each(doors)(
  'what is no whole picture is refused by name, whatever it is called: %s',
  async (_name, param, knock) => {
    await expectLeavesNothing(async () => {
      for (const [name, bytes] of await strangeFiles()) {
        const response = await knock(bytes)
        const { error } = await read(response)
        expect([response.status, error.code, error.param], name).toEqual([400, 'unsupported_image', param])
        expect(error.message.length, name).toBeLessThan(500)
      }
    })
  },
)

test('an empty picture is refused by name, at every door', async () => {
  await expectLeavesNothing(async () => {
    for (const [name, param, knock] of doors) {
      const response = await knock(Buffer.alloc(0))
      expect([response.status, (await read(response)).error.param], name).toEqual([400, param])
    }
  })
})

test('text that only looks like base64 is refused by name and never echoed at length', async () => {
  const base64 = small.toString('base64')
  const texts = [
    'data:text/html;base64',
    'data:;base64',
    'data:image/png,',
    `data:image/png;base64,${base64.slice(0, -3)}!!!`,
    `data:image/png;charset=utf-8,${base64}`,
    `${base64}====`,
    `=${base64}`,
    `${base64.slice(0, 100)}=${base64}`,
    'a',
    '',
    '   ',
    '💥'.repeat(20_000),
    '-'.repeat(600_001),
    'A=\n'.repeat(100_000),
    `data:${'a;'.repeat(200_000)},`,
  ]
  await expectLeavesNothing(async () => {
    for (const image of texts) {
      const response = await post(generations, { image })
      const { error } = await read(response)
      expect([response.status, error.param], image.slice(0, 40)).toEqual([400, 'image'])
      expect(error.message.length).toBeLessThan(2_000)
    }
  })
})

describe('a provider as the attacker', () => {
  const asBase64 = (bytes: Buffer) => ({ b64_json: bytes.toString('base64') })
  const asUrl = (bytes: Buffer) => {
    hosted = bytes
    return { url: `http://127.0.0.2:${host.port}/result.png` }
  }
  const answerWith = (...data: object[]) => upstream.play({ status: 200, body: { created: 1, data } })

  test.each([
    ['in base64', asBase64],
    ['behind a URL', asUrl],
  ] as const)(
    'what it calls a picture and is none, or is a bomb, is 502 and kept nowhere: %s',
    async (_name, as) => {
      const before = await countImages()
      const growth = await peakGrowth(async () => {
        const strange = (await strangeFiles()).filter(([name]) => !/frames/.test(name))
        for (const [name, bytes] of [...bombs, ...strange, ['nothing', Buffer.alloc(0)] as const]) {
          await answerWith(as(bytes))
          const response = await post(generations, { output_format: 'png' })
          const { error } = await read(response)
          expect([response.status, error.code, error.type], name).toEqual([
            502,
            'upstream_invalid_response',
            'upstream_error',
          ])
          expect(response.headers.get('x-should-retry')).toBe('false')
          expect(response.headers.get('x-gesso-cost-micros') ?? '0').toBe('0')
        }
      })
      expect(await countImages()).toBe(before)
      expect(growth).toBeLessThan(250 * mebibyte)
    },
  )

  test('of forty pictures where one was asked for, one is kept', async () => {
    const before = await countImages()
    await answerWith(...Array.from({ length: 40 }, () => asBase64(small)))
    const response = await post(generations, { n: 1 })
    const body = await read(response)
    expect([response.status, body.data.length, body.usage.generated_images]).toEqual([200, 1, 1])
    expect((await countImages()) - before).toBe(1)
  })

  test.each([
    ['in base64', asBase64],
    ['behind a URL', asUrl],
  ] as const)(
    'a file that is a picture and something else is served as a picture only: %s',
    async (_name, as) => {
      const script = '<script>alert(1)</script>'
      const behind = Buffer.concat([Buffer.from(script), Buffer.from('PK\x03\x04evil.zip*/=1;', 'latin1')])
      const jpeg = await scene(3).jpeg().toBuffer()
      const comment = Buffer.from(`\xff\xfe\0\0${script}`, 'latin1')
      comment.writeUInt16BE(comment.length - 2, 2)
      const polyglots: [string, Buffer][] = [
        ...(await Promise.all(
          (['png', 'jpeg', 'webp', 'gif', 'avif'] as const).map(
            async (format): Promise<[string, Buffer]> => [
              format,
              Buffer.concat([await scene(4).toFormat(format).toBuffer(), behind]),
            ],
          ),
        )),
        ['jpeg', Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2), behind])],
        ['jpeg', Buffer.concat([await tagged(scene(3)).jpeg().toBuffer(), behind])],
      ]
      for (const [format, bytes] of polyglots) {
        await answerWith(as(bytes))
        const body = await read(await post(generations, { response_format: 'url' }))
        expect(body.error, format).toBeUndefined()
        const served = await fetch(body.data[0].url)
        const file = Buffer.from(await served.arrayBuffer())
        expect(served.headers.get('content-type')).toBe(`image/${format}`)
        expect(served.headers.get('x-content-type-options')).toBe('nosniff')
        expect(served.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
        for (const word of [script, 'evil.zip', ...privateWords])
          expect(file.includes(word), `${format} ${word}`).toBe(false)
        expect((await sharp(file).metadata()).width).toBe((await sharp(bytes).metadata()).width)
      }
    },
  )

  test('trust in its own results is not lent to a caller: the same origin stays closed, with sockets open', async () => {
    for (let round = 0; round < 3; round++) {
      const asked = await Promise.all([post(generations, {}), post(generations, {})])
      expect(asked.map(({ status }) => status)).toEqual([200, 200])
      await Promise.all(asked.map((answer) => answer.arrayBuffer()))
      const results = upstream.requests.filter(({ method }) => method === 'GET').map(({ path }) => path)
      expect(results.length).toBe(2)
      upstream.requests.length = 0
      const stolen = await Promise.all([
        ...results.map((path) => post(generations, { image: `${upstream.origin}${path}` })),
        post('/v1/images/edits', { images: [{ image_url: `${upstream.origin}/v1/models` }] }),
        post(generations, { image: uri(small), mask: `${upstream.origin}${results[0]}` }),
      ])
      expect(stolen.map(({ status }) => status)).toEqual([400, 400, 400, 400])
      expect(upstream.requests).toHaveLength(0)
    }
  })
})
