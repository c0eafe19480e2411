/** `POST /admin/v1/accounts/{account_id}/provider-keys/{provider}/test`: does the provider take the stored key? */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Actor } from '../../../../audit/record-audit.ts'
import { epochSeconds } from '../../../../lib/clock.ts'
import type { KeyTest } from '../../../../provider-keys/test-provider-key.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { keyParams, placeOf, testResultAnswer } from './provider-key-answer.ts'

export interface TestProviderKeyDependencies {
  /** Throws `provider_key_not_found`, and `provider_not_configured` where the key cannot be read any more. */
  testProviderKey(input: { accountId: string; provider: string }, actor: Actor): Promise<KeyTest>
}

const testAnswer = z
  .object({
    provider: z.string(),
    result: testResultAnswer,
    message: z.string(),
    tested_at: z.int().describe('Unix seconds.'),
  })
  .meta({ id: 'ProviderKeyTest' })

export function testProviderKey(server: FastifyInstance, dependencies: TestProviderKeyDependencies): void {
  server.post(
    '/admin/v1/accounts/:account_id/provider-keys/:provider/test',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'testProviderKey',
        summary: 'Test a provider key of an account',
        description: 'Asks the provider something that costs nothing. No picture is made.',
        tags: ['Admin'],
        params: keyParams,
        response: { 200: testAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const test = await dependencies.testProviderKey(placeOf(request.params), actorOf(request))
      reply.header('cache-control', 'no-store')
      const { provider, result, message } = test
      return { provider, result, message, tested_at: epochSeconds(test.testedAt) }
    },
  )
}
