/**
 * Exact sums of money: decimal fractions as whole numbers of a trillionth, so that no amount depends on how floating
 * point rounds it. Never throws: what is no number, or less than nothing, is nothing.
 */

const places = 12
const one = 10n ** BigInt(places)

/** The number as trillionths; what is finer than that is rounded up. */
export function exact(value: number): bigint {
  if (!Number.isFinite(value) || value <= 0) return 0n
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const shift = places + Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  return shift >= 0 ? digits * 10n ** BigInt(shift) : ceilDivide(digits, 10n ** BigInt(-shift))
}

/** The product of two exact numbers, rounded up to a trillionth. */
export function times(a: bigint, b: bigint): bigint {
  return ceilDivide(a * b, one)
}

/** How many times the number goes up by so many percent. */
export function withPercent(value: bigint, percent: number): bigint {
  return ceilDivide(value * (100n * one + exact(percent)), 100n * one)
}

/** The whole number above it, as far as a number can say it. */
export function roundUp(value: bigint): number {
  const whole = ceilDivide(value, one)
  return whole > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(whole)
}

/** The nearest number to it, for those who read it. */
export function approximate(value: bigint): number {
  const fraction = String(value % one).padStart(places, '0')
  return Number(`${value / one}.${fraction}`)
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}
