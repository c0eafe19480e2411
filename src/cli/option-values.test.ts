import { expect, test } from 'vitest'
import {
  countOption,
  durationOption,
  orNone,
  usdOption,
  valueOrNull,
  wholeNumberOption,
} from './option-values.ts'

test('durations are a number and a unit', () => {
  expect(['45m', '12h', '30d', '2w'].map(durationOption)).toEqual([
    2_700_000, 43_200_000, 2_592_000_000, 1_209_600_000,
  ])
  for (const text of ['', '30', 'd', '0d', '-1d', '1.5h', '30 d', '30D', '999999d', '1y']) {
    expect(() => durationOption(text)).toThrow('duration')
  }
})

test('numbers are whole', () => {
  expect(wholeNumberOption('-5')).toBe(-5)
  for (const text of ['', ' ', '1.5', '1e3', '0x10', '9'.repeat(20), 'two'])
    expect(() => wholeNumberOption(text)).toThrow('whole')
  for (const text of ['0', '-1', '10000001']) expect(() => countOption(text)).toThrow('from 1')
})

test('dollars are read exactly, to the micro-dollar', () => {
  const read = ['0', '10.50', '0.000001', '1.1', '4.35', '1234567.654321', '9000000'].map(usdOption)
  expect(read).toEqual([0, 10_500_000, 1, 1_100_000, 4_350_000, 1_234_567_654_321, 9_000_000_000_000])
  for (const text of [
    '',
    '-1',
    '-0',
    '1.',
    '.5',
    '1e3',
    '$5',
    '1,5',
    ' 1',
    '0.0000001',
    '9000000.000001',
    '0x1',
    '١٠',
  ])
    expect(() => usdOption(text), text).toThrow('dollars')
})

test('none takes a limit away, where it can be said', () => {
  expect(['none', '5'].map(orNone(countOption)).map(valueOrNull)).toEqual([null, 5])
  expect(valueOrNull(undefined)).toBeUndefined()
  expect(() => countOption('none')).toThrow('whole')
})
