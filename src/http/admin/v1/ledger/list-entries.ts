/** `GET /admin/v1/ledger` and `GET /admin/v1/accounts/{account_id}/ledger`: every movement of money, newest first. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { EntriesQuery, LedgerEntry } from '../../../../ledger/list-entries.ts'
import { epochSeconds } from '../../../../lib/clock.ts'
import { parseQuery } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { accountFilter, defaultPageLimit, numberedPageFields, pageOf, toPage } from '../page.ts'
import { taskIdText } from './ledger-fields.ts'

export interface ListEntriesDependencies {
  listEntries(query: EntriesQuery): Promise<{ entries: LedgerEntry[]; hasMore: boolean }>
}

const accountQuery = z.strictObject({
  task_id: taskIdText.optional().describe('Of this task alone.'),
  ...numberedPageFields,
})

const query = accountQuery.extend(accountFilter)

const entryAnswer = z
  .object({
    id: z.string(),
    object: z.literal('ledger_entry'),
    account_id: z.string(),
    kind: z
      .enum(['credit', 'adjust', 'reserve', 'settle', 'release'])
      .describe('A request reserves when it begins, and settles or releases when it ends.'),
    task_id: z.string().nullable(),
    amount_micros: z.int().describe('What it did to the balance.'),
    reserved_micros: z.int().describe('What it did to what is held.'),
    balance_after_micros: z.int(),
    reserved_after_micros: z.int(),
    reference: z.string().nullable(),
    note: z.string().nullable(),
    created_at: z.int(),
  })
  .meta({ id: 'LedgerEntry' })

const schema = {
  description:
    'The ledger: entries are never changed, and a balance is the sum of its entries. Newest first.',
  tags: ['Admin'],
  response: { 200: pageOf(entryAnswer), ...errorResponses },
}

export function listEntries(server: FastifyInstance, dependencies: ListEntriesDependencies): void {
  const answer = async (reply: FastifyReply, asked: z.output<typeof query>) => {
    const { account_id: accountId, task_id: taskId, limit = defaultPageLimit, cursor: olderThan } = asked
    const { entries, hasMore } = await dependencies.listEntries({ accountId, taskId, limit, olderThan })
    reply.header('cache-control', 'no-store')
    return toPage(entries.map(present), hasMore, ({ id }) => id)
  }
  server.get(
    '/admin/v1/ledger',
    {
      config: { access: 'admin' },
      schema: {
        ...schema,
        operationId: 'listLedger',
        summary: 'List the ledger',
        querystring: query,
      },
    },
    async (request, reply) => answer(reply, parseQuery(query, request.query)),
  )
  server.get(
    '/admin/v1/accounts/:account_id/ledger',
    {
      config: { access: 'admin' },
      schema: {
        ...schema,
        operationId: 'listAccountLedger',
        summary: 'List the ledger of an account',
        params: z.object({ account_id: z.string() }),
        querystring: accountQuery,
      },
    },
    async (request, reply) => {
      const { account_id } = request.params as { account_id: string }
      return answer(reply, { ...parseQuery(accountQuery, request.query), account_id })
    },
  )
}

function present(entry: LedgerEntry) {
  return {
    id: String(entry.id),
    object: 'ledger_entry' as const,
    account_id: entry.accountId,
    kind: entry.kind,
    task_id: entry.taskId,
    amount_micros: entry.amountMicros,
    reserved_micros: entry.reservedMicros,
    balance_after_micros: entry.balanceAfterMicros,
    reserved_after_micros: entry.reservedAfterMicros,
    reference: entry.reference,
    note: entry.note,
    created_at: epochSeconds(entry.createdAt),
  }
}
