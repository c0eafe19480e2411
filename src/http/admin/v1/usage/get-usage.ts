/** `GET /admin/v1/usage`: what all accounts made, what they were charged, and what the providers asked. */
import type { FastifyInstance } from 'fastify'
import { usageGroups } from '../../../../usage/summarise-usage.ts'
import { parseQuery } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import type { UsageDependencies } from '../../../v1/usage/get-usage.ts'
import { adminUsageAnswer, sendUsage } from '../../../v1/usage/present-usage.ts'
import { usageAsked, usageQuery, wantsCsv } from '../../../v1/usage/usage-query.ts'
import { accountFilter } from '../page.ts'

const query = usageQuery(usageGroups).extend(accountFilter)

export function getAdminUsage(server: FastifyInstance, dependencies: UsageDependencies): void {
  server.get(
    '/admin/v1/usage',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'getAdminUsage',
        summary: 'Get the usage of all accounts',
        description:
          'Like `/v1/usage`, of every account or of one, also by account and provider, and with what the providers asked.',
        tags: ['Admin'],
        querystring: query,
        response: { 200: adminUsageAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { account_id: accountId, ...parsed } = parseQuery(query, request.query)
      const asked = usageAsked(parsed, dependencies.now())
      const rows = await dependencies.summariseUsage({ ...asked, accountId })
      const csv = wantsCsv(parsed, request.headers.accept)
      return sendUsage(reply, asked, rows, { audience: 'operator', csv })
    },
  )
}
