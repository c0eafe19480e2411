/** What a picture cost, in words. */

/** `free`, `not charged` or `$0.040`: at least three decimals, and as many as the amount needs. */
export function costText(cost: { micros: number; source: string }): string {
  if (cost.source === 'unmetered') return 'not charged'
  if (cost.source === 'free' || cost.micros === 0) return 'free'
  return `$${(cost.micros / 1_000_000).toFixed(6).replace(/0{1,3}$/, '')}`
}
