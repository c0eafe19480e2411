import { describe, expect, test } from 'vitest'
import { approximate, exact, roundUp, times, withPercent } from './exact.ts'

describe('a number is kept as it is written', () => {
  test.each<[number, bigint]>([
    [0.1, 100_000_000_000n],
    [0.15, 150_000_000_000n],
    [1e-12, 1n],
    [1.5e-12, 2n],
    [5e-324, 1n],
    [1e21, 10n ** 33n],
    [123_456_789.000_001, 123_456_789_000_001_000_000n],
  ])('%d', (value, trillionths) => {
    expect(exact(value)).toBe(trillionths)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, -0])('%d is nothing', (value) => {
    expect(exact(value)).toBe(0n)
  })
})

test('a sum that floating point gets wrong is right', () => {
  expect(0.1 + 0.2).not.toBe(0.3)
  expect(exact(0.1) + exact(0.2)).toBe(exact(0.3))
  // 1.1 * 3 is 3.3000000000000003, and 4.35 * 100 is 434.99999999999994.
  expect(times(exact(1.1), exact(3))).toBe(exact(3.3))
  expect(roundUp(times(exact(4.35), exact(100)))).toBe(435)
})

test('percent are exact to four decimals', () => {
  expect(roundUp(withPercent(exact(1_000_000), 15))).toBe(1_150_000)
  expect(approximate(withPercent(exact(1_000_000), 0.0001))).toBe(1_000_001)
  expect(withPercent(exact(7), 0)).toBe(exact(7))
})

test('it is rounded up, and never beyond what a number can say', () => {
  expect([0, 1e-12, 1, 1.000001].map((value) => roundUp(exact(value)))).toEqual([0, 1, 1, 2])
  expect(roundUp(exact(1e300))).toBe(Number.MAX_SAFE_INTEGER)
})
