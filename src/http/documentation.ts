/** `/openapi.json`, made from the schemas that validate, and `/docs`, made from that. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { type OpenApiDocument, renderDocumentation } from './docs-page/render-documentation.ts'
import { errorCatalogue } from './errors.ts'

const description = `One OpenAI-compatible HTTP API in front of every image model.

Send your key as \`Authorization: Bearer gs_…\`. Point any OpenAI client at \`/v1\`.`

/** Must be registered before the routes it documents. */
export async function documentation(
  server: FastifyInstance,
  dependencies: { publicUrl(): string },
): Promise<void> {
  // The schemas document; `parse.ts` validates, because its messages name field, value and what is allowed.
  server.setValidatorCompiler(() => (value) => ({ value }))
  server.setSerializerCompiler(() => (value) => JSON.stringify(value))

  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Gesso', version: '0.1.0', description },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', bearerFormat: 'gs_…' } } },
      security: [{ key: [] }],
      tags: [
        { name: 'Images', description: 'Make pictures, and find them again.' },
        { name: 'Models', description: 'What this server can draw with.' },
        { name: 'Billing', description: 'What was made, what it cost, and what is left.' },
        { name: 'Admin', description: 'Accounts, keys, money, and who changed what. Needs the scope admin.' },
      ],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })

  server.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () =>
    server.swagger(),
  )
  server.get('/docs', { config: { access: 'public' }, schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/html; charset=utf-8').header('content-security-policy', pagePolicy)
    return renderDocumentation(
      server.swagger() as OpenApiDocument,
      { baseUrl: dependencies.publicUrl() },
      errorCatalogue(),
    )
  })
}

/** The page has its own style and no script. */
const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
