import { expect, test } from 'vitest'
import { countOption, durationOption, wholeNumberOption } from './option-values.ts'

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
