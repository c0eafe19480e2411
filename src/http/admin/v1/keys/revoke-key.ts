/** `DELETE /admin/v1/keys/{key_id}`: ends a key for good. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Actor } from '../../../../audit/record-audit.ts'
import type { KeySummary } from '../../../../keys/key-summary.ts'
import type { RevokeOutcome } from '../../../../keys/revoke-key.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { keyAnswer, presentKey } from './key-answer.ts'

export interface RevokeKeyDependencies {
  /** Throws `key_not_found`. */
  getKey(id: string): Promise<KeySummary>
  /** Throws `key_not_found`, and `last_admin_key`. */
  revokeKey(id: string, actor: Actor): Promise<RevokeOutcome>
}

export function revokeKey(server: FastifyInstance, dependencies: RevokeKeyDependencies): void {
  server.delete(
    '/admin/v1/keys/:key_id',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke a key',
        description:
          'For good, and everywhere within a second; what is at work goes on. Its row stays, with `revoked_at`. The last admin key cannot be revoked here. Doing it again changes nothing.',
        tags: ['Admin'],
        params: z.object({ key_id: z.string() }),
        response: { 200: keyAnswer, ...errorResponses },
      },
    },
    async (request) => {
      const { key_id: id } = request.params as { key_id: string }
      await dependencies.revokeKey(id, actorOf(request))
      return presentKey(await dependencies.getKey(id))
    },
  )
}
