import { expect, test } from 'vitest'
import { firstExcess } from './measure-json.ts'
import { parseJson } from './parse-json.ts'

const parse = (text: string | Buffer) => parseJson(Buffer.from(text as string))

test('ordinary JSON comes through unchanged', () => {
  const value = { a: [1, -0.5, true, null], 'k"ey': { text: 'quote " and \\ and { [ : , ü 🦊' } }
  expect(parse(JSON.stringify(value))).toEqual(value)
})

test('the bounds agree with the value to the byte, whatever stands inside strings', () => {
  const bytes = Buffer.from(JSON.stringify({ a: { b: { c: ['}]:,"', '\\"', '\\\\'] } }, d: 1 }))
  const exact = { depth: 4, keys: 4, items: 3, textBytes: 8 + 4 + 8 + 6 + 6, otherBytes: 17 }
  expect(exact.textBytes + exact.otherBytes).toBe(bytes.length + 1)
  expect(firstExcess(bytes, exact)).toBeUndefined()
  for (const bound of ['depth', 'keys', 'items', 'textBytes'] as const) {
    expect(firstExcess(bytes, { ...exact, [bound]: exact[bound] - 1 })).toBe(bound)
  }
  expect(firstExcess(bytes, { ...exact, otherBytes: 10 })).toBe('otherBytes')
})

test.each<[string, string | Buffer, RegExp]>([
  ['nothing', '', /body is empty/],
  ['half a body', '{"a":', /not valid JSON/],
  ['a list', '[1]', /must be a JSON object/],
  ['a number', '12', /must be a JSON object/],
  ['65 levels', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, /more than 64 deep/],
  ['200,000 brackets', '['.repeat(200_000), /more than 64 deep/],
  [
    '1,001 keys',
    JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [n, n]))),
    /more than 1000 keys/,
  ],
  ['a million values', `{"a":[${'1,'.repeat(1_000_000)}1]}`, /more than 100000 values/],
  ['NUL', '{"prompt":"a\\u0000b"}', /prompt holds a NUL/],
  ['half a surrogate pair', '{"metadata":{"x":"\\ud800"}}', /metadata\.x holds half of a surrogate pair/],
  ['half a surrogate pair as a key', '{"\\ud800":1}', /key that is not well-formed/],
  ['__proto__', '{"__proto__":"x"}', /^__proto__ is a key that is not allowed/],
  ['__proto__ deep inside', '{"a":[{"__proto__":{}}]}', /^a\[0\]\.__proto__ is a key that is not allowed/],
  ['__proto__ in disguise', '{"metadata":{"\\u005f_proto__":"x"}}', /^metadata\.__proto__ is a key/],
  [
    'bytes that are not UTF-8',
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    /not valid JSON in UTF-8/,
  ],
])('%s is refused in words, quickly', (_name, body, message) => {
  const startedAtMs = performance.now()
  expect(() => parseJson(Buffer.from(body as string))).toThrow(message)
  expect(performance.now() - startedAtMs).toBeLessThan(5_000)
})

test('64 levels and 1,000 keys are fine', () => {
  expect(() => parse(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`)).not.toThrow()
  expect(() =>
    parse(JSON.stringify(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [n, n])))),
  ).not.toThrow()
})

const largestBytes = 64 * 1024 * 1024

/** `text` repeated until the body has the largest size. */
function fill(before: string, text: string, after: string): Buffer {
  const piece = Buffer.from(text)
  const times = Math.floor((largestBytes - before.length - after.length) / piece.length)
  return Buffer.concat([Buffer.from(before), Buffer.alloc(times * piece.length, piece), Buffer.from(after)])
}

test.each<[string, () => Buffer]>([
  ['one long text', () => fill('{"prompt":"', 'a', '"}')],
  ['escaped quotes', () => fill('{"prompt":"', '\\"', '"}')],
  ['escapes', () => fill('{"prompt":"', '\\u0041', '"}')],
  ['many texts of escaped quotes', () => fill('{"a":[""', `,"${'\\"'.repeat(500_000)}"`, ']}')],
  ['white space', () => fill('{"prompt":"a"', ' ', '}')],
  ['a number', () => fill('{"seed":', '1', '}')],
  ['no JSON', () => fill('', 'a', '')],
])('64 MiB of %s do not hold the process up', (_name, make) => {
  const body = make()
  const startedAtMs = performance.now()
  expect(() => parseJson(body)).toThrow(/^The body (has more than \d{7,8} bytes|is not)/)
  expect(performance.now() - startedAtMs).toBeLessThan(2_000)
})

test('a million characters are read, however they are written', () => {
  for (const character of ['a', '漢', '\\u6f22', '\\"']) {
    expect(parse(`{"prompt":"${character.repeat(1_000_000)}"}`)).toHaveProperty('prompt.length', 1_000_000)
  }
})

test.each(['7.0000000000000000001', '1e-400', '-0.00000000000000000000001e-320', '100000000000000000001'])(
  'the number %s, which would be read as another, is refused by name',
  (number) => {
    expect(() => parseJson(Buffer.from(`{"seed":${number}}`))).toThrow(
      /^seed is a number that cannot be read exactly/,
    )
  },
)

test.each(['0', '-0', '0.0', '0e5', '1e2', '1.50', '0.00001', '4294967295', '9007199254740993', '1e400'])(
  'the number %s is for the schema to judge',
  (number) => {
    expect(parseJson(Buffer.from(`{"seed":${number}}`))).toEqual({ seed: Number(number) })
  },
)
