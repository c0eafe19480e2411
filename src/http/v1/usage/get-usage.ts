/** `GET /v1/usage`: what the caller's account made and what it cost. */
import type { FastifyInstance } from 'fastify'
import type { UsageQuery, UsageRow } from '../../../usage/summarise-usage.ts'
import { callerOf } from '../../auth.ts'
import { parseQuery } from '../../parse.ts'
import { errorResponses } from '../../schemas.ts'
import { ownUsageAnswer, sendUsage } from './present-usage.ts'
import { ownGroups, usageAsked, usageQuery, wantsCsv } from './usage-query.ts'

export interface UsageDependencies {
  summariseUsage(query: UsageQuery): Promise<UsageRow[]>
  now(): Date
}

const query = usageQuery(ownGroups)

export function getUsage(server: FastifyInstance, dependencies: UsageDependencies): void {
  server.get(
    '/v1/usage',
    {
      config: { access: 'images:read' },
      schema: {
        operationId: 'getUsage',
        summary: 'Get the usage of your account',
        description:
          'Requests, pictures and what they cost, by UTC day, model, key, bucket or who paid; as JSON or as a CSV file. Of the whole account of the key.',
        tags: ['Billing'],
        querystring: query,
        response: { 200: ownUsageAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const parsed = parseQuery(query, request.query)
      const asked = usageAsked(parsed, dependencies.now())
      const { accountId } = callerOf(request)
      const rows = await dependencies.summariseUsage({ ...asked, accountId })
      const csv = wantsCsv(parsed, request.headers.accept)
      return sendUsage(reply, asked, rows, { audience: 'caller', csv })
    },
  )
}
