import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Base64JsonReader } from './base64-json.ts'

function read(chunks: Buffer[], expectedBytes = 0): unknown {
  const reader = new Base64JsonReader({ expectedBytes })
  for (const chunk of chunks) reader.write(chunk)
  return reader.end()
}

function readText(text: string): unknown {
  return read([Buffer.from(text)])
}

/** The body in pieces of `size` bytes. */
function cut(body: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, i) =>
    body.subarray(i * size, (i + 1) * size),
  )
}

const picture = randomBytes(1_000)
const base64 = picture.toString('base64')

/** Every way in which known servers write the same picture into JSON. */
const spellings: Record<string, string> = {
  plain: base64,
  'data URI': `data:image/png;base64,${base64}`,
  'data URI of PHP': `data:image\\/png;base64,${base64.replaceAll('/', '\\/')}`,
  'escaped slashes (PHP)': base64.replaceAll('/', '\\/'),
  'escaped plus and equals (.NET, Gson)': base64.replaceAll('+', '\\u002B').replaceAll('=', '\\u003d'),
  'base64url without padding': picture.toString('base64url'),
  'no padding': base64.replace(/=+$/, ''),
  'lines of 76 (MIME)': base64.replace(/.{76}/g, '$&\\r\\n'),
}

describe('Base64JsonReader', () => {
  it.each(Object.entries(spellings))('decodes a picture written as: %s', (_, spelling) => {
    const value = readText(`{"data":[{"b64_json":"${spelling}","revised_prompt":"a cat"}]}`)
    expect(value).toEqual({ data: [{ b64_json: picture, revised_prompt: 'a cat' }] })
  })

  it('gives the same result wherever the body is cut in two', () => {
    for (const spelling of Object.values(spellings)) {
      const body = Buffer.from(`{"a":"é\\"\\\\","b":["${spelling}",null,{"c":"${base64}"}],"d":"\\u00e9"}`)
      const expected = { a: 'é"\\', b: [picture, null, { c: picture }], d: 'é' }
      for (let at = 0; at <= body.length; at += 1) {
        // Without a length a block of a mebibyte is taken each time, which other tests do.
        const value = read([body.subarray(0, at), body.subarray(at)], body.length)
        // Vitest's own comparison walks every byte, and this runs for thousands of cuts.
        expect(isDeepStrictEqual(value, expected), `cut at ${at}`).toBe(true)
      }
    }
  })

  it('gives the same result in chunks of any size', () => {
    for (const spelling of Object.values(spellings)) {
      const body = Buffer.from(
        `{"data":[{"b64_json":"${spelling}"},{"b64_json":"${spelling}"}],"size":"1x1"}`,
      )
      const expected = { data: [{ b64_json: picture }, { b64_json: picture }], size: '1x1' }
      for (const size of [1, 2, 3, 5, 7, 64, 1_023, 1_024, 1_025]) {
        expect(read(cut(body, size))).toEqual(expected)
        expect(read(cut(body, size), body.length)).toEqual(expected)
      }
    }
  })

  it('returns a picture of 20 MB byte for byte, with and without a known length', () => {
    const large = randomBytes(20 * 1024 * 1024)
    const body = Buffer.from(JSON.stringify({ data: [{ b64_json: large.toString('base64') }] }))
    for (const expectedBytes of [0, body.length, 10]) {
      const value = read(cut(body, 65_536), expectedBytes) as { data: { b64_json: Buffer }[] }
      expect(value.data[0]?.b64_json.equals(large)).toBe(true)
    }
  })

  it('keeps many pictures apart', () => {
    const pictures = Array.from({ length: 30 }, (_, index) => randomBytes(800 + index * 4_001))
    const body = Buffer.from(JSON.stringify(pictures.map((bytes) => bytes.toString('base64'))))
    const value = read(cut(body, 1_000)) as Buffer[]
    expect(value.map((bytes, index) => bytes.equals(pictures[index] as Buffer))).toEqual(
      pictures.map(() => true),
    )
  })

  it('takes no more memory for the pictures than they need when the length is known', () => {
    const body = Buffer.from(JSON.stringify([base64, base64, base64]))
    const [first] = read(cut(body, 100), body.length) as Buffer[]
    expect(first?.buffer.byteLength).toBeLessThan(picture.length * 3 + 64)
  })

  it('leaves every other string as it is', () => {
    const short = randomBytes(700).toString('base64')
    const long = 'a heron, '.repeat(500)
    const chinese = '苍鹭'.repeat(800)
    const quoted = `${'A'.repeat(2_000)}`.replace(/.{10}/g, '$&"')
    const value = { short, long, chinese, quoted, list: [1, true, null, '', '\\'], nested: { deep: ['x'] } }
    for (const size of [1, 10, 1_024, 10_000]) {
      expect(read(cut(Buffer.from(JSON.stringify(value)), size))).toEqual(value)
    }
  })

  it('reads a picture that is the whole value, and one under any key', () => {
    expect(readText(`"${base64}"`)).toEqual(picture)
    const value = readText(`{"__proto__":"${base64}"}`) as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.values(value)).toEqual([picture])
  })

  it('does not let an upstream write a placeholder itself', () => {
    const value = readText(`{"a":"${base64}","b":"picture 0","c":"picture  0"}`)
    expect(value).toEqual({ a: picture, b: 'picture 0', c: 'picture  0' })
  })

  it.each([
    ['nothing', ''],
    ['HTML', '<html></html>'],
    ['an end inside a picture', `{"b64_json":"${base64}`],
    ['an end inside a string', '{"a":"b'],
    ['an end after a picture', `{"b64_json":"${base64}"`],
    ['a picture as a key', `{"${base64}":1}`],
    ['too much beside the pictures', JSON.stringify(Array(20).fill('é'.repeat(60_000)))],
  ])('refuses %s', (_, text) => {
    expect(() => readText(text)).toThrow()
    expect(() => read(cut(Buffer.from(text), 1_000))).toThrow()
  })

  it.each([
    ['a foreign character', `${base64}!${base64}`],
    ['a quotation mark', `${base64}\\"${base64}`],
    ['a backslash', `${base64}\\\\`],
    ['a bad escape', `${base64}\\x${base64}`],
    ['padding in the middle', `${base64.slice(0, 1200)}=${base64}`],
    ['too much padding', `${base64.slice(0, 1200)}===`],
    ['half a byte left over', base64.slice(0, 1201)],
  ])('does not lose a picture to another that holds %s', (_, broken) => {
    const body = Buffer.from(`[{"a":"${broken}","b":"${base64}"},"${base64}","\\\\"]`)
    const expected = [{ a: Buffer.alloc(0), b: picture }, picture, '\\']
    for (const size of [1, 3, 64, 1_023, 1_024, 1_025, 100_000]) {
      expect(read(cut(body, size))).toEqual(expected)
    }
  })

  it.each([
    ['prose without punctuation', 'a quiet heron in the reeds '.repeat(80), undefined],
    ['prose without punctuation but one mark', `${'a quiet heron in the reeds '.repeat(80)}!`, undefined],
    ['a megabyte of text', 'é"\\'.repeat(400_000), ''],
    ['a text that fills its limit', '"'.repeat(128 * 1024 - 1), undefined],
    ['a text just over its limit', '"'.repeat(128 * 1024), ''],
  ])('does not lose a picture to %s beside it', (_, text, kept = text) => {
    const body = Buffer.from(JSON.stringify([{ revised_prompt: text, b64_json: base64 }, 'x']))
    const expected = [{ revised_prompt: kept, b64_json: picture }, 'x']
    for (const size of [1_000, 65_536, body.length]) {
      expect(isDeepStrictEqual(read(cut(body, size)), expected)).toBe(true)
    }
  })

  it('does not lose a picture to numbers and characters that JSON does not have', () => {
    const numbers = '[NaN,Infinity,-Infinity,1e999]'
    const text = `{"b64_json":"${base64}","n":${numbers},"t":"a\u0000b\n NaN \\" NaN","u":"Infinity"}`
    expect(readText(text)).toEqual({
      b64_json: picture,
      n: [null, null, null, Number.POSITIVE_INFINITY],
      t: 'a b  NaN " NaN',
      u: 'Infinity',
    })
  })

  it('does not lose a picture to the line break at its end', () => {
    const even = randomBytes(999)
    for (const size of [1, 1_023, 100_000]) {
      const body = Buffer.from(JSON.stringify([`${even.toString('base64')}\n`, `${base64}\r\n`]))
      expect(read(cut(body, size))).toEqual([even, picture])
    }
  })

  it('does not take a letter for another that shares its lower byte', () => {
    const escaped = `${base64.slice(0, 1_200)}\\u0141\\u0142${base64.slice(0, 2)}`
    expect(readText(`["${escaped.replaceAll('\\\\', '\\')}","${base64}"]`)).toEqual([
      Buffer.alloc(0),
      picture,
    ])
  })

  it('says what is wrong without quoting the body', () => {
    expect(() => readText('{"prompt": a secret heron')).toThrow(/^the body is not JSON$/)
  })

  it('survives deep nesting', () => {
    const depth = 200_000
    const body = `${'['.repeat(depth)}"${base64}"${']'.repeat(depth)}`
    expect(Array.isArray(readText(body))).toBe(true)
  })
})
