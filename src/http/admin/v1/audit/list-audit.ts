/** `GET /admin/v1/audit`: who changed what, and when. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { AuditEntry, AuditQuery } from '../../../../audit/list-audit.ts'
import { epochSeconds } from '../../../../lib/clock.ts'
import { parseQuery } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { accountFilter, defaultPageLimit, numberedPageFields, pageOf, toPage } from '../page.ts'

export interface ListAuditDependencies {
  listAudit(query: AuditQuery): Promise<{ entries: AuditEntry[]; hasMore: boolean }>
}

const targetError = 'the id of a key, an account or whatever else was changed'

const query = z.strictObject({
  target: z
    .string({ error: targetError })
    .regex(/^[\w.:/-]{1,200}$/, { error: targetError })
    .optional()
    .describe('Only changes of what has this id.'),
  account_id: accountFilter.account_id.describe('Only changes of this account and what belongs to it.'),
  ...numberedPageFields,
})

const fields = z.record(z.string(), z.unknown()).nullable()

const auditEntry = z
  .object({
    id: z.string(),
    object: z.literal('audit_entry'),
    created_at: z.int().describe('Unix seconds.'),
    actor: z.string().describe('The id of a key, `cli`, or `system`.'),
    action: z.string().describe('Such as `key.created`.'),
    target: z.string().describe('The id of what was changed.'),
    account_id: z.string().nullable(),
    before: fields.describe('The fields that changed, as they were.'),
    after: fields.describe('The same, as they became.'),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' })

export function listAudit(server: FastifyInstance, dependencies: ListAuditDependencies): void {
  server.get(
    '/admin/v1/audit',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'listAudit',
        summary: 'List changes',
        description:
          'Every change that was made by an operator, newest first. Entries never change and hold no secret.',
        tags: ['Admin'],
        querystring: query,
        response: { 200: pageOf(auditEntry), ...errorResponses },
      },
    },
    async (request, reply) => {
      const {
        target,
        account_id: accountId,
        limit = defaultPageLimit,
        cursor,
      } = parseQuery(query, request.query)
      const { entries, hasMore } = await dependencies.listAudit({
        target,
        accountId,
        limit,
        olderThan: cursor,
      })
      reply.header('cache-control', 'no-store')
      return toPage(entries.map(present), hasMore, ({ id }) => id)
    },
  )
}

function present(entry: AuditEntry) {
  return {
    id: String(entry.id),
    object: 'audit_entry' as const,
    created_at: epochSeconds(entry.at),
    actor: entry.actor,
    action: entry.action,
    target: entry.target,
    account_id: entry.accountId,
    before: entry.before,
    after: entry.after,
    request_id: entry.requestId,
  }
}
