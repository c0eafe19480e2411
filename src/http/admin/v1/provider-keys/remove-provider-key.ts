/** `DELETE /admin/v1/accounts/{account_id}/provider-keys/{provider}`: forgets an account's own key for a provider. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Actor } from '../../../../audit/record-audit.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { keyParams, placeOf } from './provider-key-answer.ts'

export interface RemoveProviderKeyDependencies {
  /** Throws `provider_key_not_found`. */
  removeProviderKey(input: { accountId: string; provider: string }, actor: Actor): Promise<unknown>
}

const removedAnswer = z
  .object({
    object: z.literal('provider_key'),
    account_id: z.string(),
    provider: z.string(),
    deleted: z.literal(true),
  })
  .meta({ id: 'RemovedProviderKey' })

export function removeProviderKey(
  server: FastifyInstance,
  dependencies: RemoveProviderKeyDependencies,
): void {
  server.delete(
    '/admin/v1/accounts/:account_id/provider-keys/:provider',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'removeProviderKey',
        summary: 'Remove a provider key of an account',
        description:
          'What the provider is still drawing with it cannot be fetched any more. Nothing can bring the key back.',
        tags: ['Admin'],
        params: keyParams,
        response: { 200: removedAnswer, ...errorResponses },
      },
    },
    async (request) => {
      const place = placeOf(request.params)
      await dependencies.removeProviderKey(place, actorOf(request))
      const answer: z.input<typeof removedAnswer> = {
        object: 'provider_key',
        account_id: place.accountId,
        provider: place.provider,
        deleted: true,
      }
      return answer
    },
  )
}
