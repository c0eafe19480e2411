import { expect, test } from 'vitest'
import { usdToMicros } from './money-amount.ts'

test.each([
  ['10.50', 10_500_000],
  ['0.000001', 1],
  ['-0.07', -70_000],
  ['4.35', 4_350_000],
  ['1.005', 1_005_000],
  ['9000000', 9_000_000_000_000],
  ['007', 7_000_000],
  ['0', 0],
  ['-0', 0],
])('%s US dollars are %d micro-USD', (usd, micros) => {
  expect(usdToMicros(usd)).toBe(micros)
})

test.each([
  '',
  '1e3',
  '.5',
  '5.',
  '1,50',
  '0.0000001',
  '9000000.000001',
  '9007199254740993',
  '+1',
  ' 1',
  '1 ',
  '--1',
  '0x10',
  'NaN',
  '१',
])('%j is no amount', (usd) => {
  expect(usdToMicros(usd)).toBeUndefined()
})
