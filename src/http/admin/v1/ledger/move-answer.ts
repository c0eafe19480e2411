/** What is answered to a credit and to an adjustment. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Moved } from '../../../../ledger/move-balance.ts'

export const movedAnswer = z
  .object({
    object: z.literal('ledger_movement'),
    account_id: z.string(),
    entry_id: z.string(),
    amount_micros: z.int(),
    balance_micros: z.int().describe('After it.'),
    reserved_micros: z.int(),
    available_micros: z.int(),
    repeated: z.boolean().describe('The reference had been used for it before: nothing was done now.'),
  })
  .meta({ id: 'LedgerMovement' })

/** 201, or of a repetition 200, marked as elsewhere, with what the first one came to. */
export function presentMoved(reply: FastifyReply, accountId: string, amountMicros: number, moved: Moved) {
  reply.code(moved.repeated ? 200 : 201).header('cache-control', 'no-store')
  if (moved.repeated) reply.header('idempotent-replayed', 'true')
  return {
    object: 'ledger_movement',
    account_id: accountId,
    entry_id: String(moved.entryId),
    amount_micros: amountMicros,
    balance_micros: moved.balanceMicros,
    reserved_micros: moved.reservedMicros,
    available_micros: moved.balanceMicros - moved.reservedMicros,
    repeated: moved.repeated,
  }
}
