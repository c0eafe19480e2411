/** `POST /admin/v1/keys/{key_id}/rotate`: another secret with the same settings, beside the old one for a while. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Actor } from '../../../../audit/record-audit.ts'
import { defaultOverlapSeconds, type RotatedKey } from '../../../../keys/rotate-key.ts'
import { epochSeconds } from '../../../../lib/clock.ts'
import { parseBody } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { newKeyAnswer, presentKey } from './key-answer.ts'

export interface RotateKeyDependencies {
  /** Throws `key_not_found`, and a 400 for a key that cannot be rotated. */
  rotateKey(id: string, options: { overlapSeconds?: number }, actor: Actor): Promise<RotatedKey>
}

const overlapError = 'a whole number from 0 to 31536000'

const body = z.strictObject({
  overlap_seconds: z
    .int({ error: overlapError })
    .min(0, { error: overlapError })
    .max(31_536_000, { error: overlapError })
    .optional()
    .describe(`How long the old key still works; 0: not at all. Default ${defaultOverlapSeconds}.`),
})

const rotatedAnswer = newKeyAnswer
  .extend({ replaced_expires_at: z.int().describe('Unix seconds: when the old key ends.') })
  .meta({ id: 'RotatedKey' })

export function rotateKey(server: FastifyInstance, dependencies: RotateKeyDependencies): void {
  server.post(
    '/admin/v1/keys/:key_id/rotate',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'rotateKey',
        summary: 'Rotate a key',
        description:
          'Makes a key with another secret and the same settings, shown this once as `key`. The old one goes on working for `overlap_seconds`, though never longer than it would have. Limits count both together. The first key of a server is in its file `admin.key`, too, which only `gesso keys rotate` brings up to date.',
        tags: ['Admin'],
        params: z.object({ key_id: z.string() }),
        body,
        response: { 201: rotatedAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { key_id: id } = request.params as { key_id: string }
      const { value } = parseBody(body, request.body ?? {}, 'default')
      const { key, summary, oldExpiresAt } = await dependencies.rotateKey(
        id,
        { overlapSeconds: value.overlap_seconds },
        actorOf(request),
      )
      reply.code(201).header('location', `/admin/v1/keys/${summary.id}`).header('cache-control', 'no-store')
      return { ...presentKey(summary), key, replaced_expires_at: epochSeconds(oldExpiresAt) }
    },
  )
}
