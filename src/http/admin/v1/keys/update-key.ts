/** `PATCH /admin/v1/keys/{key_id}`: changes what is named and nothing else. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Actor } from '../../../../audit/record-audit.ts'
import { checkChangedModel, type ResolveModel } from '../../../../keys/check-default-model.ts'
import type { KeySummary } from '../../../../keys/key-summary.ts'
import type { KeyChange } from '../../../../keys/update-key.ts'
import { parseBody } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { flagField } from '../setting-fields.ts'
import { keyAnswer, presentKey } from './key-answer.ts'
import { keyFields, settingsOf } from './key-fields.ts'

export interface UpdateKeyDependencies {
  /** Throws `key_not_found`. */
  getKey(id: string): Promise<KeySummary>
  /** Throws `key_not_found`, a 400 for a revoked key, and `last_admin_key`. */
  updateKey(id: string, change: KeyChange, actor: Actor): Promise<KeySummary>
  resolveModel: ResolveModel
}

const body = z
  .strictObject({
    ...keyFields,
    disabled: flagField.describe(
      'A disabled key is refused until it is enabled again; what is at work goes on.',
    ),
  })
  .partial()

export function updateKey(server: FastifyInstance, dependencies: UpdateKeyDependencies): void {
  server.patch(
    '/admin/v1/keys/:key_id',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'updateKey',
        summary: 'Change a key',
        description:
          'What is absent stays as it is. A limit, `models` or `expires_at` that is null goes away. In force everywhere within a second.',
        tags: ['Admin'],
        params: z.object({ key_id: z.string() }),
        body,
        response: { 200: keyAnswer, ...errorResponses },
      },
    },
    async (request) => {
      const { key_id: id } = request.params as { key_id: string }
      const { value } = parseBody(body, request.body, 'default')
      const change = { ...settingsOf(value, dependencies.resolveModel), disabled: value.disabled }
      if (change.models || change.defaults) {
        checkChangedModel(await dependencies.getKey(id), change, dependencies.resolveModel)
      }
      return presentKey(await dependencies.updateKey(id, change, actorOf(request)))
    },
  )
}
