/** `GET /admin/v1/accounts/{account_id}`: one account, with its money and its limits. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Account } from '../../../../accounts/account.ts'
import { errorResponses } from '../../../schemas.ts'
import { accountAnswer, presentAccount } from './account-answer.ts'

export interface GetAccountDependencies {
  /** Throws `account_not_found`. */
  getAccount(id: string): Promise<Account>
}

export function getAccount(server: FastifyInstance, dependencies: GetAccountDependencies): void {
  server.get(
    '/admin/v1/accounts/:account_id',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'getAccount',
        summary: 'Get an account',
        description: 'One account, with its money and its limits.',
        tags: ['Admin'],
        params: z.object({ account_id: z.string() }),
        response: { 200: accountAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { account_id: id } = request.params as { account_id: string }
      reply.header('cache-control', 'no-store')
      return presentAccount(await dependencies.getAccount(id))
    },
  )
}
