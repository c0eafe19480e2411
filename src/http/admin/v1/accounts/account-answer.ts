/** An account as the operator sees it. */
import { z } from 'zod'
import { type Account, billings } from '../../../../accounts/account.ts'
import { epochSeconds } from '../../../../lib/clock.ts'
import { limitAnswers, presentLimits } from '../setting-fields.ts'

const micros = z.int().describe('Micro-USD: 1,000,000 are one US dollar.')

export const accountAnswer = z
  .object({
    id: z.string(),
    object: z.literal('account'),
    name: z.string(),
    billing: z.enum(billings),
    balance_micros: micros,
    reserved_micros: z.int().describe('Held for tasks at work; part of the balance.'),
    available_micros: z.int().describe('What is left of the balance for new tasks.'),
    ...limitAnswers,
    free_images: z
      .int()
      .nullable()
      .describe("Free pictures in any 24 hours of a metered account; null: the server's default."),
    defaults: z
      .record(z.string(), z.unknown())
      .describe('What is filled in where neither a key nor its caller says anything.'),
    disabled: z.boolean(),
    disabled_at: z.int().nullable(),
    created_at: z.int().describe('Unix seconds.'),
  })
  .meta({ id: 'Account' })

/** The answer's JSON. */
export function presentAccount(account: Account): z.input<typeof accountAnswer> {
  return {
    id: account.id,
    object: 'account',
    name: account.name,
    billing: account.billing,
    balance_micros: account.balanceMicros,
    reserved_micros: account.reservedMicros,
    available_micros: account.balanceMicros - account.reservedMicros,
    ...presentLimits(account.limits),
    free_images: account.freeImages,
    defaults: account.defaults,
    disabled: account.disabledAt !== null,
    disabled_at: account.disabledAt && epochSeconds(account.disabledAt),
    created_at: epochSeconds(account.createdAt),
  }
}
