import { expect, test } from 'vitest'
import { readIdempotencyKey } from './idempotency-key.ts'

const read = (...values: string[]) =>
  readIdempotencyKey({ rawHeaders: ['Host', 'a', ...values.flatMap((value) => ['idempotency-KEY', value])] })

test('without the header there is no key, also where another header has its name as a value', () => {
  expect(readIdempotencyKey({ rawHeaders: ['x-note', 'idempotency-key', 'x-other', 'abc'] })).toBeUndefined()
})

test.each([
  ['abc', 'abc'],
  ['"abc"', 'abc'],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ["'; drop table tasks", "'; drop table tasks"],
  ['a, b', 'a, b'],
  ['a"b', 'a"b'],
  ['x'.repeat(255), 'x'.repeat(255)],
  [`"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
])('%s is a key', (value, key) => {
  expect(read(value)).toBe(key)
})

test.each([
  [[''], 'is empty'],
  [[' '], 'is empty'],
  [['""'], 'is empty'],
  [['x'.repeat(256)], 'has 256 characters'],
  [[`"${'x'.repeat(256)}"`], 'has 256 characters'],
  [['a\tb'], 'a character that is not allowed'],
  [['caf\u00e9'], 'a character that is not allowed'],
  [['a\u007f'], 'a character that is not allowed'],
  [['"abc'], 'no quoted string'],
  [['"abc";a=1'], 'no quoted string'],
  [['"a\\bc"'], 'no quoted string'],
  [['abc\\"', 'abc'], 'was sent twice'],
  [['abc', 'abc'], 'was sent twice'],
])('%j is refused: %s', (values, says) => {
  const refused = () => read(...values)
  expect(refused).toThrow(says)
  expect(refused).toThrow(
    expect.objectContaining({ code: 'invalid_image_request', param: 'Idempotency-Key' }),
  )
})
