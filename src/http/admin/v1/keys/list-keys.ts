/** `GET /admin/v1/keys`: the keys, without their secrets. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { KeySummary } from '../../../../keys/key-summary.ts'
import type { KeyQuery } from '../../../../keys/list-keys.ts'
import { parseQuery } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { accountFilter, defaultPageLimit, pageFields, pageOf, toPage } from '../page.ts'
import { keyAnswer, presentKey } from './key-answer.ts'

export interface ListKeysDependencies {
  listKeys(query: KeyQuery): Promise<{ keys: KeySummary[]; hasMore: boolean }>
}

const query = z.strictObject({ ...accountFilter, ...pageFields('key') })

export function listKeys(server: FastifyInstance, dependencies: ListKeysDependencies): void {
  server.get(
    '/admin/v1/keys',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'listKeys',
        summary: 'List keys',
        description: 'Newest first, of all accounts or of one, those that have ended included.',
        tags: ['Admin'],
        querystring: query,
        response: { 200: pageOf(keyAnswer), ...errorResponses },
      },
    },
    async (request, reply) => {
      const { account_id: accountId, limit = defaultPageLimit, cursor } = parseQuery(query, request.query)
      const { keys, hasMore } = await dependencies.listKeys({ accountId, limit, after: cursor })
      reply.header('cache-control', 'no-store')
      return toPage(keys.map(presentKey), hasMore, ({ id }) => id)
    },
  )
}
