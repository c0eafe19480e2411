/** `POST /admin/v1/accounts/{account_id}/adjustments`: corrects a balance, or gives back what a task cost. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Adjustment } from '../../../../ledger/adjust-balance.ts'
import type { Moved } from '../../../../ledger/move-balance.ts'
import { parseBody } from '../../../parse.ts'
import { errorResponses, optional } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { amountFields, amountOf, noteText, referenceField, referenceOf, taskIdText } from './ledger-fields.ts'
import { movedAnswer, presentMoved } from './move-answer.ts'

export interface AdjustBalanceDependencies {
  adjustBalance(adjustment: Omit<Adjustment, 'now'>): Promise<Moved>
}

const body = z.strictObject({
  ...amountFields({ signed: true }),
  note: noteText.describe('Why; required.'),
  task_id: optional(taskIdText).describe(
    'A task of the account that was charged: the amount is given back for it, at most what it was charged.',
  ),
  reference: referenceField,
})

export function adjustBalance(server: FastifyInstance, dependencies: AdjustBalanceDependencies): void {
  server.post(
    '/admin/v1/accounts/:account_id/adjustments',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'adjustBalance',
        summary: 'Adjust a balance, or refund a task',
        description:
          'Adds to a balance or takes from it, never what is held for requests at work; once for each reference.',
        tags: ['Admin'],
        params: z.object({ account_id: z.string() }),
        body,
        response: { 200: movedAnswer, 201: movedAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { account_id: accountId } = request.params as { account_id: string }
      const { note, task_id: taskId, reference, ...amount } = parseBody(body, request.body, 'default').value
      const micros = amountOf(amount)
      const moved = await dependencies.adjustBalance({
        accountId,
        micros,
        note,
        taskId,
        reference: referenceOf(request, reference),
        actor: actorOf(request),
      })
      return presentMoved(reply, accountId, micros, moved)
    },
  )
}
