/**
 * An attacker with a key, in the body itself: little that unfolds to much, JSON that is deep or wide, texts that
 * backtrack; and one without a key. Gesso's time and memory stay its own.
 */
import { readdirSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peakGrowth } from '../setup/peak-growth.ts'
import { openWorld, type World } from '../setup/world.ts'
import { head, openConnection, readAnswer } from './http-connection.ts'

const mebibyte = 1024 * 1024
const generations = '/v1/images/generations'
const edits = '/v1/images/edits'
const variations = '/v1/images/variations'
const buckets = '/api/v1/images/generations'
const aliyun = '/aliyun/v1/images/generations'
const doors = [edits, variations, buckets, aliyun, generations]

let world: World
beforeAll(async () => {
  world = await openWorld({ GESSO_REQUESTS_PER_MINUTE: '100000' })
})
afterAll(() => world[Symbol.asyncDispose]())

interface Answer {
  status: number
  text: string
  /** What the error is about. */
  param: string | undefined
}

async function send(path: string, body: string | Buffer | FormData, headers = {}): Promise<Answer> {
  const response = await fetch(new URL(path, world.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}`, ...headers },
    body: body as string,
  })
  const text = await response.text()
  return { status: response.status, text, param: JSON.parse(text).error?.param }
}

const json = { 'content-type': 'application/json' }
const post = (path: string, body: object, headers = {}) =>
  send(path, JSON.stringify(body), { ...json, ...headers })

async function expectEmptySpool(): Promise<void> {
  const files = () =>
    readdirSync(world.dataDir, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.parentPath.includes('spool'),
    )
  await expect.poll(files).toEqual([])
}

describe('a body that unfolds', () => {
  const spaces = Buffer.alloc(100 * mebibyte, 0x20)
  const packed: [encoding: string, bytes: Buffer, again: Buffer][] = [
    ['gzip', gzipSync(spaces, { level: 1 })] as const,
    ['br', brotliCompressSync(spaces, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })] as const,
    ['zstd', zstdCompressSync(spaces)] as const,
  ].map(([encoding, bytes]) => [encoding, bytes, gzipSync(bytes)])

  test.each(doors)('to more than 64 MB is 413, and an encoding within another 415: %s', async (path) => {
    const growth = await peakGrowth(async () => {
      // One reader serves all doors; the first of them is shown every encoding.
      for (const [encoding, bytes, again] of path === edits ? packed : packed.slice(0, 1)) {
        const refused = await send(path, bytes, { ...json, 'content-encoding': encoding })
        expect(refused.status, encoding).toBe(413)
        const stacked = await send(path, again, { ...json, 'content-encoding': `${encoding}, gzip` })
        expect(stacked.status, encoding).toBe(415)
      }
    })
    expect(growth).toBeLessThan(150 * mebibyte)
    await expectEmptySpool()
  })

  test('as a form: one picture of more than 50 MB is 413 however small it came', async () => {
    const beginning = '--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    const form = [Buffer.from(beginning), spaces.subarray(0, 60 * mebibyte), Buffer.from('\r\n--b--\r\n')]
    const headers = { 'content-type': 'multipart/form-data; boundary=b', 'content-encoding': 'gzip' }
    const { status, param } = await send(edits, gzipSync(Buffer.concat(form), { level: 1 }), headers)
    expect([status, param]).toEqual([413, 'image'])
    await expectEmptySpool()
  })

  test('in depth, in keys, in numbers, in pictures: 400 in a few words', async () => {
    const start = '{"model":"gesso-collage","prompt":"x","image":'
    const bodies = [
      `${start}${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      `${start}${'{"url":'.repeat(70)}1${'}'.repeat(70)}}`,
      `{${Array.from({ length: 1_000_000 }, (_, key) => `"k${key}":1`).join()}}`,
      `${start}[${'"",'.repeat(1_000_000)}""]}`,
      `${start}[${'1,'.repeat(30_000_000)}1]}`,
      `${start}{"__proto__":{"url":"http://127.0.0.1/"}}}`,
      `${start}{"constructor":{"prototype":1}}}`,
    ]
    for (const body of bodies) {
      for (const path of body.length > mebibyte ? [edits] : doors) {
        const { status, text } = await send(path, body, json)
        expect([status, text.length < 2_000], `${path} ${body.slice(0, 60)}`).toEqual([400, true])
      }
    }
  })
})

test('no text takes long to read, wherever it stands', async () => {
  const fields = 'size bucket model aspect_ratio image mask user lora_weights response_format negative_prompt'
  const headers = 'prefer accept user-agent content-type accept-encoding cookie'
  const patterns = [...'a |and |1x|(((|-|{|,|;|\\|<lora:|a.a/'.split('|'), ' ', '\u0301']
  const drawing = { model: 'gesso-collage', prompt: 'a fox', size: '64x64' }
  for (const pattern of patterns) {
    const text = pattern.repeat(32_000 / pattern.length)
    // A field of a header holds neither lines nor more than what fits beside its neighbours.
    const line = text.replace(/[^\x20-\x7e]/g, 'x').slice(0, 12_000)
    const form = new FormData()
    for (const name of ['prompt', 'seed', 'metadata[a]', 'image[1]', `image${line.slice(0, 100)}`]) {
      form.append(name, text)
    }
    const works: [where: string, work: () => Promise<Answer>][] = [
      ['prompt', () => post(generations, { ...drawing, prompt: `a${text.slice(2)}` })],
      [
        'improved prompt',
        () => post(generations, { ...drawing, prompt: `a${text.slice(2)}`, enhance_prompt: true }),
      ],
      ...fields
        .split(' ')
        .map((field) => [field, () => post(generations, { ...drawing, [field]: text })] as const),
      ['data URI', () => post(generations, { ...drawing, image: `data:${text};base64,AAAA` })],
      ...headers
        .split(' ')
        .map((name) => [name, () => post(generations, { ...drawing, n: 11 }, { [name]: line })] as const),
      ['form', () => send(edits, form)],
    ].map(([where, work]) => [where, work] as [string, () => Promise<Answer>])
    for (const [where, work] of works) {
      const before = process.cpuUsage()
      const { status } = await work()
      const { user, system } = process.cpuUsage(before)
      expect(status, `${where} ${pattern}`).toBeLessThan(500)
      // Of this process alone, whatever else the machine does; what backtracks takes minutes.
      expect((user + system) / 1_000, `${where} ${pattern}`).toBeLessThan(2_000)
    }
  }
}, 60_000)

describe('without a key a body is not read', () => {
  test.each(doors)('POST %s', async (path) => {
    const form = path === edits || path === variations ? ['multipart/form-data; boundary=b'] : []
    for (const kind of ['application/json', ...form]) {
      for (const key of [[], ['Authorization: Bearer gesso_sk_none']]) {
        for (const expectation of [[], ['Expect: 100-continue']]) {
          using connection = openConnection(world.url)
          const lines = [
            'Host: x',
            ...key,
            ...expectation,
            `Content-Type: ${kind}`,
            'Content-Length: 50000000',
          ]
          connection.write(head(`POST ${path} HTTP/1.1`, ...lines))
          connection.write('--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nAAAA')
          await connection.ended(5_000)
          const answer = readAnswer(connection.received())
          expect(answer).toMatchObject({ status: 401, error: { type: 'authentication_error' } })
        }
      }
    }
    await expectEmptySpool()
  })
})
