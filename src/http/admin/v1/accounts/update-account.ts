/** `PATCH /admin/v1/accounts/{account_id}`: changes what is named and nothing else. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Account } from '../../../../accounts/account.ts'
import type { AccountChange } from '../../../../accounts/update-account.ts'
import type { Actor } from '../../../../audit/record-audit.ts'
import { checkDefaultModel, type ResolveModel } from '../../../../keys/check-default-model.ts'
import { parseBody } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { flagField } from '../setting-fields.ts'
import { accountAnswer, presentAccount } from './account-answer.ts'
import { accountFields, settingsOf } from './account-fields.ts'

export interface UpdateAccountDependencies {
  /** Throws `account_not_found`, and `last_admin_key`. */
  updateAccount(id: string, change: AccountChange, actor: Actor): Promise<Account>
  resolveModel: ResolveModel
}

const body = z
  .strictObject({
    ...accountFields,
    disabled: flagField.describe('A disabled account’s keys are refused; what is at work goes on.'),
  })
  .partial()

export function updateAccount(server: FastifyInstance, dependencies: UpdateAccountDependencies): void {
  server.patch(
    '/admin/v1/accounts/:account_id',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'updateAccount',
        summary: 'Change an account',
        description:
          'What is absent stays as it is. A limit that is null goes away. Credit moves by entries of the ledger only.',
        tags: ['Admin'],
        params: z.object({ account_id: z.string() }),
        body,
        response: { 200: accountAnswer, ...errorResponses },
      },
    },
    async (request) => {
      const { account_id: id } = request.params as { account_id: string }
      const { value } = parseBody(body, request.body, 'default')
      checkDefaultModel({ defaults: value.defaults }, dependencies.resolveModel)
      const change = { ...settingsOf(value), disabled: value.disabled }
      return presentAccount(await dependencies.updateAccount(id, change, actorOf(request)))
    },
  )
}
