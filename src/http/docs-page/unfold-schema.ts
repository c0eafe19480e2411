/**
 * Turns a schema into the plain one a reader means: references followed, `allOf` merged, "or null" taken off and
 * noted. Bounded, so that a schema that refers to itself ends.
 */
import type { JsonSchema, OpenApiDocument } from './openapi-document.ts'

export interface UnfoldedSchema {
  /** Has no `$ref` and no `allOf`; `anyOf` only with two or more real choices. */
  schema: JsonSchema
  nullable: boolean
}

const maxSteps = 10

/** What stands beside a `$ref` or an `anyOf` (a description, a default) wins over what stands inside. */
export function unfoldSchema(
  document: OpenApiDocument,
  folded: JsonSchema,
  steps = maxSteps,
): UnfoldedSchema {
  const again = (schema: JsonSchema) => unfoldSchema(document, schema, steps - 1)
  if (steps === 0) return { schema: {}, nullable: false }

  const { $ref, allOf, anyOf, oneOf, ...beside } = folded
  if ($ref !== undefined) return again({ ...lookUp(document, $ref), ...beside })
  if (allOf) return again({ ...mergeAll(allOf.map((part) => again(part).schema)), ...beside, anyOf, oneOf })

  const choices = anyOf ?? oneOf
  if (choices) {
    const real = choices.filter((choice) => choice.type !== 'null')
    const nullable = real.length < choices.length
    const [only] = real
    if (!only || real.length > 1) return { schema: { ...beside, anyOf: real }, nullable }
    const inner = again(only)
    return { schema: { ...inner.schema, ...beside }, nullable: nullable || inner.nullable }
  }

  if (!Array.isArray(beside.type)) return { schema: beside, nullable: false }
  const types = beside.type.filter((type) => type !== 'null')
  const type = types.length === 1 ? types[0] : types
  return { schema: { ...beside, type }, nullable: types.length < beside.type.length }
}

function mergeAll(parts: readonly JsonSchema[]): JsonSchema {
  const merged: JsonSchema = Object.assign({}, ...parts)
  const properties = Object.assign({}, ...parts.map((part) => part.properties))
  const required = parts.flatMap((part) => part.required ?? [])
  return { ...merged, properties, required }
}

function lookUp(document: OpenApiDocument, reference: string): JsonSchema {
  const name = /^#\/components\/schemas\/([^/]+)$/.exec(reference)?.[1] ?? ''
  return document.components?.schemas?.[name] ?? {}
}
