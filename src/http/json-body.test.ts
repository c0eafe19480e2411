import { createHash, randomBytes } from 'node:crypto'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fieldAtEnd } from './json-field.ts'
import { type BodyServer, openBodyServer } from './testing/body-server.ts'

const mebibyte = 1024 * 1024

let bodies: BodyServer
beforeAll(async () => {
  bodies = await openBodyServer({ uploads: { maxImageBytes: 4 * mebibyte, maxImages: 16 } })
})
afterAll(() => bodies[Symbol.asyncDispose]())

interface Answer {
  status: number
  body: { error?: { code: string; message: string; param: string | null } } & Record<string, unknown>
}

/** Sends a body, and makes sure that nothing of it stays. */
async function send(body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${bodies.url}/json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: new Uint8Array(Buffer.from(body as string)),
  })
  const answer = { status: response.status, body: await response.json() } as Answer
  await expect.poll(() => [bodies.spool.heldBytes, bodies.files()]).toEqual([0, 0])
  return answer
}

const refusal = (
  message: RegExp,
  param: string | null = null,
  status = 400,
  code = 'invalid_image_request',
) => ({
  status,
  body: { error: { code, param, message: expect.stringMatching(message) } },
})

const picture = randomBytes(1_000_000)
const base64 = picture.toString('base64')
const digestOf = (bytes: Buffer) => ({
  sizeBytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
})
const spooled = digestOf(picture)
/** Of the same length, too short to be spooled. */
const small = randomBytes(786_000).toString('base64')

describe('a long picture becomes a file', () => {
  test.each<[string, string]>([
    ['base64', base64],
    ['a data URI', `data:image/png;base64,${base64}`],
    ['a data URI in capitals with a parameter', `DATA:image/png;name=a.png;BASE64,${base64}`],
    ['a data URI of something else, which is for others to judge', `data:text/html;base64,${base64}`],
    ['base64url', picture.toString('base64url')],
    ['lines of 76', base64.replace(/.{76}/g, '$&\n')],
    ['lines of 76 and one at the end', `${base64.replace(/.{76}/g, '$&\r\n')}\n`],
  ])('written as %s', async (_name, text) => {
    const json = JSON.stringify({ image: text, more: { images: [text, 'https://x'] }, small })
    const expected = { image: spooled, more: { images: [spooled, 'https://x'] }, small }
    // PHP escapes every slash, .NET a plus.
    for (const body of [json, json.replaceAll('/', '\\/'), json.replaceAll('+', '\\u002B')]) {
      expect(await send(body)).toEqual({ status: 200, body: expected })
    }
  })

  test.each<[string, (body: string) => Buffer]>([
    ['gzip', gzipSync],
    ['br', (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['zstd', zstdCompressSync],
  ])('through %s', async (encoding, compress) => {
    const answer = await send(compress(JSON.stringify({ image: base64 })), { 'content-encoding': encoding })
    expect(answer).toEqual({ status: 200, body: { image: spooled } })
  })

  test('whatever is said of it outside', async () => {
    const fake = { sizeBytes: 3, source: { path: '/etc/passwd' }, path: '/etc/passwd' }
    const body = { image: base64, fake, list: [[base64], fake] }
    expect((await send(JSON.stringify(body))).body).toEqual({
      ...body,
      image: spooled,
      list: [[spooled], fake],
    })
  })

  test('of the largest size, and not of one byte more', async () => {
    const largest = randomBytes(4 * mebibyte)
    expect((await send(JSON.stringify({ image: largest.toString('base64') }))).body).toEqual({
      image: digestOf(largest),
    })
    const more = Buffer.concat([largest, Buffer.from('x')]).toString('base64')
    expect(
      await send(JSON.stringify({ input: { image: ['a', `data:image/png;base64,${more}`] } })),
    ).toMatchObject(
      refusal(
        /^input.image\[1\] is larger than the 4 MiB \(4194304 bytes\) that one/,
        'input.image[1]',
        413,
        'request_too_large',
      ),
    )
  })
})

describe('what is shorter, or no base64, stays as it is', () => {
  test('sixteen pictures of just under a mebibyte', async () => {
    const body = { image: Array(16).fill(small), prompt: 'x' }
    expect(await send(JSON.stringify(body))).toEqual({ status: 200, body })
  })

  test.each<[string, string]>([
    ['a mebibyte less one byte', 'A'.repeat(mebibyte - 1)],
    ['prose', 'a quiet heron '.repeat(100_000)],
    ['prose without spaces', '漢'.repeat(400_000)],
    ['a data URI without a comma', `data:image/png;base64${base64}`],
    ['a data URI without base64', `data:image/svg+xml,${'<g/>'.repeat(300_000)}`],
    ['quotes', '"'.repeat(1_200_000)],
    ['backslashes', '\\'.repeat(1_200_000)],
    ['padding in front', `=${base64}`],
  ])('%s', async (_name, text) => {
    expect(await send(JSON.stringify({ prompt: text, image: base64 }))).toEqual({
      status: 200,
      body: { prompt: text, image: spooled },
    })
  })

  test('a short text that is long only by its escapes', async () => {
    const escaped = '\\u0061'.repeat(900_000)
    expect((await send(`{"prompt":"${escaped}","image":"${base64}"}`)).body).toEqual({
      prompt: 'a'.repeat(900_000),
      image: spooled,
    })
  })
})

describe('a long picture that is broken is an error that names it', () => {
  test.each<[string, string]>([
    ['a foreign character', `${base64}!${base64}`],
    ['a letter that looks the same to a decoder', `${base64}\\u0141AAA`],
    ['a space', `${base64.slice(0, 1_200_000)} ! ${base64}`],
    ['a quotation mark', `${base64}\\"`],
    ['a bad escape', `${base64}\\x`],
    ['padding in the middle', `${base64.slice(0, 1_200_000)}=${base64}`],
    ['too much padding', `${base64}===`],
    ['padding that does not fit', `${base64}=`],
    ['half a byte left over', `${base64}A`],
  ])('by %s', async (_name, broken) => {
    expect(
      await send(`{"prompt":"a \\"fox\\"","image":[{"url":"a"},{"url":"${broken}"}],"n":1}`),
    ).toMatchObject(
      refusal(/^image\[1\]\.url begins as base64, but is not base64 to its end/, 'image[1].url'),
    )
  })
})

describe('what is no JSON within bounds is refused, fast:', () => {
  const megabytes = (count: number, text: string) => text.repeat((count * 1_000_000) / text.length)
  test.each<[string, () => string, ReturnType<typeof refusal>]>([
    ['nothing', () => '', refusal(/body is empty/)],
    ['an end inside a picture', () => `{"image":"${base64}`, refusal(/not valid JSON/)],
    ['an end behind a picture', () => `{"image":"${base64}"`, refusal(/not valid JSON/)],
    ['a raw line break in a picture', () => `{"image":"${base64}\n"}`, refusal(/not valid JSON/)],
    ['a raw line break early in a picture', () => `{"image":"A\n${base64}"}`, refusal(/not valid JSON/)],
    ['a picture as a key', () => `{"${base64}":1}`, refusal(/not valid JSON/)],
    ['a picture under a key that comes twice', () => `{"a":"${base64}","a":1}`, refusal(/not valid JSON/)],
    ['a picture alone', () => `"${base64}"`, refusal(/must be a JSON object/)],
    ['NaN', () => `{"image":"${base64}","n":NaN}`, refusal(/not valid JSON/)],
    [
      'a key that objects swallow',
      () => `{"__proto__":"${base64}"}`,
      refusal(/^__proto__ is a key/, '__proto__'),
    ],
    [
      'a million pictures',
      () => `{"image":[${'"a",'.repeat(999_999)}"a"]}`,
      refusal(/more than 100000 values/),
    ],
    ['long text', () => `{"prompt":"${megabytes(40, 'a b ')}"}`, refusal(/33554432 bytes of text/)],
    ['long white space', () => `{"prompt":${megabytes(40, ' ')}`, refusal(/4194304 bytes of numbers/)],
    [
      'a data URI of 40 MB without a comma',
      () => `{"image":"data:image/png;base64${megabytes(40, 'A')}"}`,
      refusal(/33554432 bytes of text/),
    ],
    [
      'a mebibyte of line breaks, then none',
      () => `{"image":"${'\\n'.repeat(2_000_000)}!"}`,
      refusal(/begins as base64/, 'image'),
    ],
    [
      'a data URI of 64 MB',
      () => `{"image":"data:image/png;base64,${megabytes(64, 'A')}"}`,
      refusal(/image is larger than the 4 MiB/, 'image', 413, 'request_too_large'),
    ],
    [
      'sixteen pictures over 64 MiB',
      () => JSON.stringify({ image: Array(16).fill('A'.repeat(4_200_000)) }),
      refusal(/larger than the 67108864 bytes/, null, 413, 'request_too_large'),
    ],
    [
      'text over 64 MiB',
      () => `{"prompt":"${megabytes(68, 'a b ')}"}`,
      refusal(/larger than the 67108864 bytes/, null, 413, 'request_too_large'),
    ],
  ])('%s', async (_name, make, expected) => {
    const body = make()
    const startedAtMs = performance.now()
    expect(await send(body)).toMatchObject(expected)
    expect(performance.now() - startedAtMs).toBeLessThan(15_000)
  })

  test.each(['a ', '-', '(((', '\\\\', '\\"', '=', '\\n', 'data:', ';base64,'])(
    '32,000 and a million of %j come through',
    async (text) => {
      for (const times of [32_000, 1_000_000]) {
        const startedAtMs = performance.now()
        const answer = await send(`{"prompt":"x${text.repeat(times)}\u00fc"}`)
        expect(answer.status).toBe(200)
        expect(answer.body.prompt).toHaveLength(JSON.parse(`"${text}"`).length * times + 2)
        expect(performance.now() - startedAtMs).toBeLessThan(15_000)
      }
    },
  )
})

test.each<[string, string | null]>([
  ['', null],
  ['{"a', null],
  ['{"a":"', 'a'],
  ['{"a":1,"b":"', 'b'],
  ['{"a":{"b":[1,{"c":"x,y:[{"},"', 'a.b[2]'],
  ['{"a":[1,[2,3],{"x":1}],"image":["a\\"b","', 'image[1]'],
  ['{"\\u0061\\"":"', 'a"'],
  ['["', '[0]'],
  [']}":"', null],
  ['{"a":"unfinished \\', 'a'],
])('the field at the end of %s is %s', (json, field) => {
  expect(fieldAtEnd(Buffer.from(json))).toBe(field)
})
