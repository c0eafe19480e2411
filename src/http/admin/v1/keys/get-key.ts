/** `GET /admin/v1/keys/{key_id}`: one key, without its secret. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { KeySummary } from '../../../../keys/key-summary.ts'
import { errorResponses } from '../../../schemas.ts'
import { keyAnswer, presentKey } from './key-answer.ts'

export interface GetKeyDependencies {
  /** Throws `key_not_found`. */
  getKey(id: string): Promise<KeySummary>
}

export function getKey(server: FastifyInstance, dependencies: GetKeyDependencies): void {
  server.get(
    '/admin/v1/keys/:key_id',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'getKey',
        summary: 'Get a key',
        description: 'One key: its scopes, limits and defaults, and when it was last used. Never its secret.',
        tags: ['Admin'],
        params: z.object({ key_id: z.string() }),
        response: { 200: keyAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { key_id: id } = request.params as { key_id: string }
      reply.header('cache-control', 'no-store')
      return presentKey(await dependencies.getKey(id))
    },
  )
}
