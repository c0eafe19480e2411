/**
 * `PUT /admin/v1/accounts/{account_id}/provider-keys/{provider}`: keeps an account's own key for a provider. No answer and
 * no error repeats anything of the body, however it is formed: wherever it stands, it may be the key.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Actor } from '../../../../audit/record-audit.ts'
import { badRequest, GessoError } from '../../../../lib/errors.ts'
import { Secret } from '../../../../lib/secret.ts'
import type { ProviderKey } from '../../../../provider-keys/provider-key.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { keyParams, placeOf, presentProviderKey, providerKeyAnswer } from './provider-key-answer.ts'

export interface StoreProviderKeyDependencies {
  /** Throws a 400 about the provider or the key, which shows nothing of the key, and `account_not_found`. */
  storeProviderKey(
    input: { accountId: string; provider: string; key: Secret },
    actor: Actor,
  ): Promise<ProviderKey>
}

const body = z.strictObject({
  key: z.string().describe("The provider's key. It is kept encrypted and never shown again."),
})

export function storeProviderKey(server: FastifyInstance, dependencies: StoreProviderKeyDependencies): void {
  server.put(
    '/admin/v1/accounts/:account_id/provider-keys/:provider',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'storeProviderKey',
        summary: 'Store a provider key of an account',
        description:
          'The account’s pictures beyond its free quota are then made with its own key, and cost no credit. A key that it had for the same provider gives way.',
        tags: ['Admin'],
        params: keyParams,
        body,
        response: { 200: providerKeyAnswer, ...errorResponses },
      },
      errorHandler: (error, request) => {
        throw isAboutBody(error, request) ? unusableBody() : error
      },
    },
    async (request) => {
      const parsed = body.safeParse(request.body)
      if (!parsed.success) throw unusableBody()
      const input = { ...placeOf(request.params), key: new Secret(parsed.data.key) }
      return presentProviderKey(await dependencies.storeProviderKey(input, actorOf(request)))
    },
  )
}

/** The usual words about a body that cannot be parsed name its fields. */
function isAboutBody(error: unknown, request: FastifyRequest): boolean {
  return request.body === undefined && error instanceof GessoError && error.code === 'invalid_image_request'
}

function unusableBody(): GessoError {
  return badRequest(
    'key',
    'The body must be a JSON object with the one field "key", the provider\'s key as text. What was sent is not shown.',
  )
}
