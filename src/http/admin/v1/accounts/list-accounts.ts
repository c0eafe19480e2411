/** `GET /admin/v1/accounts`: every account, with its money and its limits. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Account } from '../../../../accounts/account.ts'
import type { AccountQuery } from '../../../../accounts/list-accounts.ts'
import { parseQuery } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { defaultPageLimit, pageFields, pageOf, toPage } from '../page.ts'
import { accountAnswer, presentAccount } from './account-answer.ts'

export interface ListAccountsDependencies {
  listAccounts(query: AccountQuery): Promise<{ accounts: Account[]; hasMore: boolean }>
}

const query = z.strictObject(pageFields('acct'))

export function listAccounts(server: FastifyInstance, dependencies: ListAccountsDependencies): void {
  server.get(
    '/admin/v1/accounts',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'listAccounts',
        summary: 'List accounts',
        description: 'Newest first.',
        tags: ['Admin'],
        querystring: query,
        response: { 200: pageOf(accountAnswer), ...errorResponses },
      },
    },
    async (request, reply) => {
      const { limit = defaultPageLimit, cursor } = parseQuery(query, request.query)
      const { accounts, hasMore } = await dependencies.listAccounts({ limit, after: cursor })
      reply.header('cache-control', 'no-store')
      return toPage(accounts.map(presentAccount), hasMore, ({ id }) => id)
    },
  )
}
