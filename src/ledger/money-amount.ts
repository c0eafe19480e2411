/** Amounts of money as people write them: whole micro-USD, or US dollars with up to six decimals, without floating point. */

/** Nine million US dollars: the most that one entry, or one limit, can say. */
export const maxAmountMicros = 9_000_000_000_000

/** No balance goes beyond it: far enough below 2^53 that sums stay exact. */
export const maxBalanceMicros = 9_000_000_000_000_000

const usdForm = /^(-?)(\d{1,7})(?:\.(\d{1,6}))?$/

/** `-12.5` as -12,500,000 micro-USD; undefined where the text is no such amount or is more than nine million. */
export function usdToMicros(usd: string): number | undefined {
  const [match, sign, whole = '', decimals = ''] = usdForm.exec(usd) ?? []
  if (match === undefined) return undefined
  const micros = Number(whole + decimals.padEnd(6, '0'))
  if (micros > maxAmountMicros) return undefined
  // Zero has no sign here.
  return sign && micros > 0 ? -micros : micros
}

/** `1,234 micro-USD`, for messages. */
export function amountText(micros: number): string {
  return `${micros.toLocaleString('en-US')} micro-USD`
}
