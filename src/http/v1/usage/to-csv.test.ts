import { expect, test } from 'vitest'
import { toCsv } from './to-csv.ts'

const one = (cell: string | number | null) => toCsv(['a'], [{ a: cell }]).replace('a\r\n', '')

test('lines end as RFC 4180 says, in the order of the columns; what is not there is empty', () => {
  expect(toCsv(['a', 'b', 'c'], [{ c: 3, a: 'x', d: 'no' }])).toBe('a,b,c\r\nx,,3\r\n')
  expect(toCsv(['a'], [])).toBe('a\r\n')
})

test.each([
  ['a,b', '"a,b"'],
  ['say "a"', '"say ""a"""'],
  ['a\nb', '"a\nb"'],
  ['a;b', '"a;b"'],
  ['Käse 🧀', 'Käse 🧀'],
])('%j is quoted where it has to be', (text, wanted) => {
  expect(one(text)).toBe(`${wanted}\r\n`)
})

test.each([
  ['=cmd()', "'=cmd()"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\tx', "'\tx"],
  ['\rx', `"'\rx"`],
  ['=1,"2"', `"'=1,""2"""`],
  ['＝1', "'＝1"],
])('the text %j cannot be taken for a formula', (text, wanted) => {
  expect(one(text)).toBe(`${wanted}\r\n`)
})

test('numbers stay numbers', () => {
  expect(one(-12)).toBe('-12\r\n')
  expect(one(9_007_199_254_740_991)).toBe('9007199254740991\r\n')
})
