/** Limits after a change of some of them. */
import type { Limits } from './limits.ts'

/** What is absent stays, null takes a limit away. */
export function withLimits(limits: Limits, change: Partial<Limits>): Limits {
  const pick = (name: keyof Limits) => (change[name] === undefined ? limits[name] : change[name])
  return {
    requestsPerMinute: pick('requestsPerMinute'),
    imagesPerMinute: pick('imagesPerMinute'),
    imagesPerDay: pick('imagesPerDay'),
    concurrency: pick('concurrency'),
    spendPerDayMicros: pick('spendPerDayMicros'),
    spendPerMonthMicros: pick('spendPerMonthMicros'),
    spendTotalMicros: pick('spendTotalMicros'),
  }
}
