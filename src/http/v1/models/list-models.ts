/** `GET /v1/models` and `GET /v1/models/{id}`: what this server can draw with, and what each model accepts. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ModelDescription } from '../../../models/describe-model.ts'
import { errorResponses } from '../../schemas.ts'

export interface ModelsDependencies {
  listModels(): ModelDescription[]
  /** Throws `model_not_found`. */
  getModel(idOrAlias: string): ModelDescription
}

const modelAnswer = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int(),
    owned_by: z.string(),
    available: z.boolean().describe('Is a provider that serves it configured?'),
    description: z.string(),
    aliases: z.array(z.string()),
    features: z.record(z.string(), z.boolean()),
    parameters: z.record(z.string(), z.record(z.string(), z.unknown())).describe('What each field accepts.'),
    limits: z.object({ prompt_characters: z.int(), n: z.int() }),
  })
  .meta({ id: 'Model' })

export function models(server: FastifyInstance, dependencies: ModelsDependencies): void {
  server.get(
    '/v1/models',
    {
      config: { access: 'images:read' },
      schema: {
        operationId: 'listModels',
        summary: 'List models',
        description:
          'Every model of this server, and what each of its fields accepts. `available` says whether a provider that serves it is configured.',
        tags: ['Models'],
        response: {
          200: z.object({ object: z.literal('list'), data: z.array(modelAnswer) }),
          ...errorResponses,
        },
      },
    },
    async () => ({ object: 'list', data: dependencies.listModels() }),
  )

  server.get(
    '/v1/models/:model',
    {
      config: { access: 'images:read' },
      schema: {
        operationId: 'getModel',
        summary: 'Get a model',
        description: 'One model, by id or alias.',
        tags: ['Models'],
        params: z.object({ model: z.string() }),
        response: { 200: modelAnswer, ...errorResponses },
      },
    },
    async (request) => dependencies.getModel((request.params as { model: string }).model),
  )

  // Ids may hold slashes ("black-forest-labs/flux"), and not every client escapes them.
  server.get('/v1/models/*', { config: { access: 'images:read' }, schema: { hide: true } }, async (request) =>
    dependencies.getModel((request.params as { '*': string })['*']),
  )
}
