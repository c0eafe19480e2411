/** The JSON body that an operation's samples send: its own example, or the least that its schema takes. */
import { type JsonSchema, jsonBody, type ListedOperation, type OpenApiDocument } from './openapi-document.ts'
import { unfoldSchema } from './unfold-schema.ts'

/** Undefined where the operation takes no JSON. */
export function exampleBody(document: OpenApiDocument, { operation }: ListedOperation): unknown {
  const body = jsonBody(operation.requestBody?.content)
  return body && (body.example ?? exampleOf(document, body.schema ?? {}))
}

/** A schema that requires itself must end somewhere. */
const maxDepth = 4

function exampleOf(document: OpenApiDocument, folded: JsonSchema, depth = 0): unknown {
  const { schema } = unfoldSchema(document, folded)
  const given = [schema.example, schema.examples?.[0], schema.default, schema.const, schema.enum?.[0]]
  const found = given.find((value) => value !== undefined)
  if (found !== undefined) return found
  if (schema.anyOf?.[0] && depth < maxDepth) return exampleOf(document, schema.anyOf[0], depth + 1)
  if (schema.type === 'integer' || schema.type === 'number') return Math.max(schema.minimum ?? 1, 1)
  if (schema.type === 'boolean') return true
  if (schema.type === 'array') return []
  if (schema.type === 'string') return 'text'
  if (depth >= maxDepth) return {}
  const required = Object.entries(schema.properties ?? {}).filter(([name]) => schema.required?.includes(name))
  return Object.fromEntries(
    required.map(([name, property]) => [name, exampleOf(document, property, depth + 1)]),
  )
}
