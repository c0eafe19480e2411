/** What the operator writes about money: an amount in one of two spellings, why, and a reference. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { maxAmountMicros, usdToMicros } from '../../../../ledger/money-amount.ts'
import { badRequest } from '../../../../lib/errors.ts'
import { readIdempotencyKey } from '../../../idempotency/idempotency-key.ts'
import { optional } from '../../../schemas.ts'

const most = maxAmountMicros.toLocaleString('en-US')

/** An amount in either spelling: a positive one, or where it is `signed` any but 0. */
export function amountFields({ signed }: { signed: boolean }) {
  const least = signed ? 'of either sign, not 0,' : 'more than 0'
  const microsError = `whole micro-USD ${least} and at most ${most} (1,000,000 are one US dollar)`
  const usdError = `US dollars as text ${least} and with at most 6 decimals, such as "12.50"`
  const fits = (micros = 0) => micros !== 0 && Math.abs(micros) <= maxAmountMicros && (signed || micros > 0)
  return {
    micros: optional(z.int({ error: microsError }).refine(fits, { error: microsError })).describe(
      'Micro-USD; or `usd`.',
    ),
    usd: optional(
      z.string({ error: usdError }).refine((text) => fits(usdToMicros(text)), { error: usdError }),
    ).describe('US dollars as text with at most 6 decimals, such as "12.50".'),
  }
}

/** The one amount of a body. Throws a 400 where there is none, or both. */
export function amountOf({ micros, usd }: { micros?: number; usd?: string }): number {
  if (micros !== undefined && usd !== undefined) {
    throw badRequest('usd', 'micros and usd are two spellings of one amount; send one of them.')
  }
  const amount = micros ?? (usd === undefined ? undefined : usdToMicros(usd))
  if (amount === undefined) throw badRequest('micros', 'micros is required, or usd in its place.')
  return amount
}

function text(maxLength: number) {
  const error = `text of 1 to ${maxLength} characters`
  return z
    .string({ error })
    .max(maxLength, { error })
    .refine((value) => value.trim() !== '', { error })
}

export const noteText = text(500)

export const referenceField = optional(text(255)).describe(
  'Your own id of it, such as that of a payment: a second one with it changes nothing. The `Idempotency-Key` header means the same.',
)

/** The reference of the body, or the header in its place. Throws a 400 where they differ. */
export function referenceOf(request: FastifyRequest, reference: string | undefined): string | undefined {
  const key = readIdempotencyKey(request.raw)
  if (key !== undefined && reference !== undefined && key !== reference) {
    throw badRequest('reference', 'reference and the Idempotency-Key header differ; send one of them.')
  }
  return reference ?? key
}

const taskError = 'a task id: image_ and 24 hex digits'

export const taskIdText = z.string({ error: taskError }).regex(/^image_[0-9a-f]{24}$/, { error: taskError })
