/** What keys and accounts have in common, in a caller's JSON: a name, limits, fields to fill in. */
import { z } from 'zod'
import { type KeyDefaults, newKeyDefaults } from '../../../keys/key-defaults.ts'
import { type LimitColumns, type Limits, limitFields, limitNames } from '../../../keys/limits.ts'

const nameError = 'text of 1 to 100 characters'

export const nameField = z
  .string({ error: nameError })
  .trim()
  .min(1, { error: nameError })
  .max(100, { error: nameError })

export const flagField = z.boolean({ error: 'true or false' })

/** Absent: unchanged, or none; null: none. */
export const optionalLimits = z.strictObject(limitFields).partial().shape

/** What is filled in, all of it; null: nothing. */
export const defaultsField = newKeyDefaults
  .nullish()
  .transform((defaults): KeyDefaults | undefined => (defaults === null ? {} : defaults))

/** The limits that a body names. */
export function limitsOf(body: Partial<LimitColumns>): Partial<Limits> {
  return Object.fromEntries(
    Object.entries(limitNames).flatMap(([name, column]) =>
      body[column] === undefined ? [] : [[name, body[column]]],
    ),
  )
}

const limit = z.int().nullable()

/** Limits in an answer. */
export const limitAnswers = {
  requests_per_minute: limit,
  images_per_minute: limit,
  images_per_day: limit,
  concurrency: limit,
  spend_per_day_micros: limit,
  spend_per_month_micros: limit,
  spend_total_micros: limit,
} satisfies Record<keyof LimitColumns, z.ZodType>

/** Limits as they are answered. */
export function presentLimits(limits: Limits): LimitColumns {
  return {
    requests_per_minute: limits.requestsPerMinute,
    images_per_minute: limits.imagesPerMinute,
    images_per_day: limits.imagesPerDay,
    concurrency: limits.concurrency,
    spend_per_day_micros: limits.spendPerDayMicros,
    spend_per_month_micros: limits.spendPerMonthMicros,
    spend_total_micros: limits.spendTotalMicros,
  }
}
