/** `POST /admin/v1/accounts/{account_id}/credits`: gives an account credit. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Moved, Movement } from '../../../../ledger/move-balance.ts'
import { parseBody } from '../../../parse.ts'
import { errorResponses, optional } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { amountFields, amountOf, noteText, referenceField, referenceOf } from './ledger-fields.ts'
import { movedAnswer, presentMoved } from './move-answer.ts'

export interface CreditAccountDependencies {
  creditAccount(credit: Omit<Movement, 'now'>): Promise<Moved>
}

const body = z.strictObject({
  ...amountFields({ signed: false }),
  note: optional(noteText),
  reference: referenceField,
})

export function creditAccount(server: FastifyInstance, dependencies: CreditAccountDependencies): void {
  server.post(
    '/admin/v1/accounts/:account_id/credits',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'creditAccount',
        summary: 'Give an account credit',
        description: 'Adds to its balance, once for each reference.',
        tags: ['Admin'],
        params: z.object({ account_id: z.string() }),
        body,
        response: { 200: movedAnswer, 201: movedAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { account_id: accountId } = request.params as { account_id: string }
      const { note, reference, ...amount } = parseBody(body, request.body, 'default').value
      const micros = amountOf(amount)
      const moved = await dependencies.creditAccount({
        accountId,
        micros,
        note,
        reference: referenceOf(request, reference),
        actor: actorOf(request),
      })
      return presentMoved(reply, accountId, micros, moved)
    },
  )
}
