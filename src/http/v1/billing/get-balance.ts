/** `GET /v1/billing/balance`: what the caller's account has left to spend. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Balance } from '../../../ledger/get-balance.ts'
import { callerOf } from '../../auth.ts'
import { errorResponses } from '../../schemas.ts'

export interface BalanceDependencies {
  getBalance(accountId: string): Promise<Balance>
}

const balanceAnswer = z
  .object({
    object: z.literal('balance'),
    balance_micros: z.int().describe('Micro-USD: 1,000,000 are one US dollar.'),
    balance_usd: z.number().describe('The same in US dollars, such as 12.345.'),
    currency: z.literal('USD'),
    reserved_micros: z.int().describe('Held for requests at work; part of the balance.'),
    available_micros: z.int().describe('The balance without what is held.'),
    billing: z.enum(['unmetered', 'metered']).describe('`unmetered`: nothing is charged.'),
  })
  .meta({ id: 'Balance' })

const microsPerUsd = 1_000_000

export function getBalance(server: FastifyInstance, dependencies: BalanceDependencies): void {
  server.get(
    '/v1/billing/balance',
    {
      config: { access: 'images:read' },
      schema: {
        operationId: 'getBalance',
        summary: 'Get the balance of your account',
        description: 'Its credit, and what of it is held for requests at work.',
        tags: ['Billing'],
        response: { 200: balanceAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const balance = await dependencies.getBalance(callerOf(request).accountId)
      reply.header('cache-control', 'no-store')
      return {
        object: 'balance',
        balance_micros: balance.balanceMicros,
        balance_usd: balance.balanceMicros / microsPerUsd,
        currency: 'USD',
        reserved_micros: balance.reservedMicros,
        available_micros: balance.availableMicros,
        billing: balance.billing,
      }
    },
  )
}
