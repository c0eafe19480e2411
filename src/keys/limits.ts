/** The limits that keys and accounts have in common. All are in force at once; null is none. */
import { z } from 'zod'

export interface Limits {
  /** With a burst of the whole minute. A key without one has the server's default. */
  requestsPerMinute: number | null
  /** In any 60 seconds, by the moment their tasks began. Pictures that were not made do not count. */
  imagesPerMinute: number | null
  /** In any 24 hours. */
  imagesPerDay: number | null
  /** Tasks at work at once. */
  concurrency: number | null
  /** Micro-USD by UTC day; what tasks at work may cost at most counts in. */
  spendPerDayMicros: number | null
  /** By UTC month. */
  spendPerMonthMicros: number | null
  spendTotalMicros: number | null
}

/** The names of the limits, as callers, tables and answers spell them. */
export const limitNames = {
  requestsPerMinute: 'requests_per_minute',
  imagesPerMinute: 'images_per_minute',
  imagesPerDay: 'images_per_day',
  concurrency: 'concurrency',
  spendPerDayMicros: 'spend_per_day_micros',
  spendPerMonthMicros: 'spend_per_month_micros',
  spendTotalMicros: 'spend_total_micros',
} as const satisfies Record<keyof Limits, string>

export type LimitName = (typeof limitNames)[keyof Limits]

function count(max: number) {
  const error = `a whole number from 1 to ${max}, or null for no limit`
  return z.int({ error }).min(1, { error }).max(max, { error }).nullable()
}

const moneyError =
  'whole micro-USD from 0 to 9,000,000,000,000 (1,000,000 are one US dollar), or null for no limit'
const money = z
  .int({ error: moneyError })
  .min(0, { error: moneyError })
  .max(9_000_000_000_000, { error: moneyError })
  .nullable()

/** Limits in a caller's words. */
export const limitFields = {
  requests_per_minute: count(10_000_000),
  images_per_minute: count(10_000_000),
  images_per_day: count(1_000_000_000),
  concurrency: count(1_000_000),
  spend_per_day_micros: money,
  spend_per_month_micros: money,
  spend_total_micros: money,
} as const satisfies Record<LimitName, z.ZodType>

/** Limits as a row or a caller names them. */
export type LimitColumns = Record<LimitName, number | null>

/** From a row. */
export function readLimits(row: LimitColumns): Limits {
  return {
    requestsPerMinute: row.requests_per_minute,
    imagesPerMinute: row.images_per_minute,
    imagesPerDay: row.images_per_day,
    concurrency: row.concurrency,
    spendPerDayMicros: row.spend_per_day_micros,
    spendPerMonthMicros: row.spend_per_month_micros,
    spendTotalMicros: row.spend_total_micros,
  }
}

/** For a row or an answer; limits that are not there are left out. */
export function writeLimits(limits: Partial<Limits>): Partial<LimitColumns> {
  return Object.fromEntries(
    Object.entries(limitNames).flatMap(([name, column]) => {
      const limit = limits[name as keyof Limits]
      return limit === undefined ? [] : [[column, limit]]
    }),
  )
}
