/** `GET /admin/v1/accounts/{account_id}/provider-keys`: the providers for which an account has a key of its own. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ProviderKey } from '../../../../provider-keys/provider-key.ts'
import { errorResponses } from '../../../schemas.ts'
import { pageOf, toPage } from '../page.ts'
import { presentProviderKey, providerKeyAnswer } from './provider-key-answer.ts'

export interface ListProviderKeysDependencies {
  /** Throws `account_not_found`. */
  listProviderKeys(accountId: string): Promise<ProviderKey[]>
}

export function listProviderKeys(server: FastifyInstance, dependencies: ListProviderKeysDependencies): void {
  server.get(
    '/admin/v1/accounts/:account_id/provider-keys',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'listProviderKeys',
        summary: 'List provider keys of an account',
        description:
          'The providers for which the account has a key of its own. Nobody gets to see the keys themselves.',
        tags: ['Admin'],
        params: z.object({ account_id: z.string() }),
        response: { 200: pageOf(providerKeyAnswer), ...errorResponses },
      },
    },
    async (request, reply) => {
      const { account_id: accountId } = request.params as { account_id: string }
      const keys = await dependencies.listProviderKeys(accountId)
      reply.header('cache-control', 'no-store')
      return toPage(keys.map(presentProviderKey), false, ({ provider }) => provider)
    },
  )
}
