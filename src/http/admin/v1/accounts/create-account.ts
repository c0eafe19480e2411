/** `POST /admin/v1/accounts`: a new account, without credit and without a key. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Account } from '../../../../accounts/account.ts'
import type { NewAccount } from '../../../../accounts/create-account.ts'
import type { Actor } from '../../../../audit/record-audit.ts'
import { checkDefaultModel, type ResolveModel } from '../../../../keys/check-default-model.ts'
import { parseBody } from '../../../parse.ts'
import { errorResponses } from '../../../schemas.ts'
import { actorOf } from '../actor-of.ts'
import { accountAnswer, presentAccount } from './account-answer.ts'
import { accountFields, settingsOf } from './account-fields.ts'

export interface CreateAccountDependencies {
  createAccount(input: NewAccount, actor: Actor): Promise<Account>
  resolveModel: ResolveModel
}

const body = z.strictObject(accountFields)

export function createAccount(server: FastifyInstance, dependencies: CreateAccountDependencies): void {
  server.post(
    '/admin/v1/accounts',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'createAccount',
        summary: 'Make an account',
        description:
          'It has no credit and no key yet. Without `billing` it is `metered`. A limit that is absent or null is none.',
        tags: ['Admin'],
        body,
        response: { 201: accountAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { value } = parseBody(body, request.body, 'default')
      checkDefaultModel({ defaults: value.defaults }, dependencies.resolveModel)
      const account = await dependencies.createAccount(
        { ...settingsOf(value), name: value.name, billing: value.billing ?? 'metered' },
        actorOf(request),
      )
      reply.code(201).header('location', `/admin/v1/accounts/${account.id}`)
      return presentAccount(account)
    },
  )
}
