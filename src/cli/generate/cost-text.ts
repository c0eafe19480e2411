/** What a picture cost, in words. */

/** `free`, `not charged`, `unpriced` or `$0.040`: at least three decimals, and as many as the amount needs. */
export function costText(cost: { micros: number | null; source: string }): string {
  // Nobody knows what it cost, which is not the same as nothing.
  if (cost.micros === null) return 'unpriced'
  if (cost.source === 'unmetered') return 'not charged'
  if (cost.source === 'free' || cost.micros === 0) return 'free'
  return `$${(cost.micros / 1_000_000).toFixed(6).replace(/0{1,3}$/, '')}`
}
