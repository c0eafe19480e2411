/** `GET /v1/models` and `GET /v1/models/{id}`: what this server can draw with, and what each model accepts. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Caller } from '../../../keys/authenticate.ts'
import type { ModelDescription } from '../../../models/describe-model.ts'
import { callerOf } from '../../auth.ts'
import { errorResponses } from '../../schemas.ts'

export interface ModelsDependencies {
  /** Those that the caller may use. */
  listModels(caller: Caller): ModelDescription[]
  /** Throws `model_not_found`, and `model_not_allowed`. */
  getModel(idOrAlias: string, caller: Caller): ModelDescription
}

const count = z.int().nonnegative()

/** Exported so that the catalogue can be held against it. */
export const modelAnswer = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: count.describe('Unix seconds; 0 for models of `gesso.yaml`.'),
    owned_by: z.string(),
    available: z
      .boolean()
      .describe('Is a provider that serves it configured, or does the account keep a key for one?'),
    description: z.string(),
    aliases: z.array(z.string()),
    features: z
      .record(z.string(), z.boolean())
      .describe(
        'What it can do. `stream`: it shows unfinished pictures; every model answers `stream: true`.',
      ),
    parameters: z
      .record(z.string(), z.looseObject({ support: z.string() }))
      .describe(
        'What each field accepts: `enum`, `min` and `max`, `required`, `default`. `support` is `native`, `renamed`, `converted`, `emulated` (by Gesso), or `unsupported`.',
      ),
    limits: z.object({ prompt_characters: count, n: count, images_per_call: count, input_images: count }),
    pricing: z
      .object({
        currency: z.literal('USD'),
        as_of: z.string(),
        source: z.string(),
        items: z.array(z.looseObject({ per: z.string(), micros: z.number().min(0) })),
      })
      .nullable()
      .describe(
        'What it costs here in micro-USD, where that is known: items that add up; their sum is rounded up once. `null` where it is not known.',
      ),
    retired: z
      .object({ on: z.string(), successor: z.string() })
      .optional()
      .describe('Its vendor has closed it, and this model draws in its place.'),
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
          'Every model that the key may use, and what each of its fields accepts. `available` says whether a provider that serves it is configured.',
        tags: ['Models'],
        response: {
          200: z.object({ object: z.literal('list'), data: z.array(modelAnswer) }),
          ...errorResponses,
        },
      },
    },
    async (request) => ({ object: 'list', data: dependencies.listModels(callerOf(request)) }),
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
    async (request) => dependencies.getModel((request.params as { model: string }).model, callerOf(request)),
  )

  // Ids may hold slashes ("black-forest-labs/flux"), and not every client escapes them.
  server.get('/v1/models/*', { config: { access: 'images:read' }, schema: { hide: true } }, async (request) =>
    dependencies.getModel((request.params as { '*': string })['*'], callerOf(request)),
  )
}
