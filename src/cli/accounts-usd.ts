/** Money as people read it. */

/** Micro-USD as US dollars, exact, with two decimals or as many as it takes: `12.50`, `-0.000001`. */
export function usdText(micros: number): string {
  const digits = String(Math.abs(micros)).padStart(7, '0')
  const decimals = digits.slice(-6).replace(/0{1,4}$/, '')
  return `${micros < 0 ? '-' : ''}${digits.slice(0, -6)}.${decimals}`
}
