/** `POST /admin/v1/keys`: a new key, which is shown in this answer and never again. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Account } from '../../../../accounts/account.ts'
import type { Actor } from '../../../../audit/record-audit.ts'
import { checkDefaultModel, type ResolveModel } from '../../../../keys/check-default-model.ts'
import type { CreatedKey, NewKey } from '../../../../keys/create-key.ts'
import { parseBody } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { accountFilter } from '../page.ts'
import { newKeyAnswer, presentKey } from './key-answer.ts'
import { keyFields, settingsOf } from './key-fields.ts'

export interface CreateKeyDependencies {
  createKey(input: NewKey, actor: Actor): Promise<CreatedKey>
  /** Throws `account_not_found`. */
  getAccount(id: string): Promise<Account>
  /** The account of keys that name none. */
  firstAccountId(): Promise<string>
  resolveModel: ResolveModel
}

const body = z.strictObject({
  ...keyFields,
  account_id: accountFilter.account_id.describe('Default: the first account of this server.'),
})

export function createKey(server: FastifyInstance, dependencies: CreateKeyDependencies): void {
  server.post(
    '/admin/v1/keys',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'createKey',
        summary: 'Make a key',
        description:
          'The answer holds the key as `key`, for the only time: it is kept nowhere. A limit that is absent or null is none; without `requests_per_minute` the server’s default counts.',
        tags: ['Admin'],
        body,
        response: { 201: newKeyAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { value } = parseBody(body, request.body, 'default')
      const settings = settingsOf(value, dependencies.resolveModel)
      checkDefaultModel(settings, dependencies.resolveModel)
      const accountId = await accountOf(value.account_id, dependencies)
      const { key, summary } = await dependencies.createKey(
        {
          ...settings,
          accountId,
          name: value.name,
          scopes: value.scopes ?? ['images:write', 'images:read'],
        },
        actorOf(request),
      )
      reply.code(201).header('location', `/admin/v1/keys/${summary.id}`).header('cache-control', 'no-store')
      return { ...presentKey(summary), key }
    },
  )
}

async function accountOf(
  id: string | undefined,
  dependencies: Pick<CreateKeyDependencies, 'getAccount' | 'firstAccountId'>,
): Promise<string> {
  return id === undefined ? dependencies.firstAccountId() : (await dependencies.getAccount(id)).id
}
