/** Says in a few words which values a schema takes: its type, the allowed words, the range, the default. */
import type { JsonSchema, OpenApiDocument } from './openapi-document.ts'
import { unfoldSchema } from './unfold-schema.ts'

export interface SchemaDescription {
  /** Such as `integer`, `URL`, `array of objects`; empty where anything goes. */
  type: string
  /** Such as `1 to 10`; empty where there is no limit. */
  limits: string
  /** The only values allowed, as they are written; empty where there is no list. */
  values: string[]
  default?: string
}

/** Describes an unfolded schema. */
export function describeSchema(document: OpenApiDocument, schema: JsonSchema): SchemaDescription {
  const values = 'const' in schema ? [schema.const] : (schema.enum ?? [])
  return {
    type: nameType(document, schema),
    limits: describeLimits(schema),
    values: values.map(write),
    default: schema.default === undefined ? undefined : write(schema.default),
  }
}

const formats: Record<string, string> = {
  uri: 'URL',
  base64: 'base64 string',
  binary: 'file',
  'date-time': 'date-time string',
}
const maxNesting = 3

function nameType(document: OpenApiDocument, schema: JsonSchema, nesting = 0): string {
  if (nesting > maxNesting) return 'value'
  const inner = (part: JsonSchema) => nameType(document, unfoldSchema(document, part).schema, nesting + 1)
  if (schema.anyOf) return [...new Set(schema.anyOf.map(inner))].filter(Boolean).join(' or ')
  if (Array.isArray(schema.type)) return schema.type.join(' or ')
  if (schema.type === 'array') return `array of ${plural(inner(schema.items ?? {}))}`
  if (schema.type === 'object' && !schema.properties && typeof schema.additionalProperties === 'object') {
    return `map of ${plural(inner(schema.additionalProperties))}`
  }
  if (schema.type === 'string' && schema.format) return formats[schema.format] ?? 'string'
  return schema.type ?? (schema.properties ? 'object' : '')
}

function plural(type: string): string {
  if (type === '') return 'any values'
  return /^(array|map) of /.test(type) ? type.replace(/^(array|map)/, '$1s') : `${type}s`
}

function describeLimits(schema: JsonSchema): string {
  return [
    range(schema.minimum, schema.maximum),
    range(schema.minLength, schema.maxLength, 'characters'),
    range(schema.minItems, schema.maxItems, 'items'),
  ]
    .filter(Boolean)
    .join(', ')
}

/** An integer's bounds at the edge of what a double holds say nothing to a reader. */
function range(min: number | undefined, max: number | undefined, unit = ''): string {
  const least = min !== undefined && min > Number.MIN_SAFE_INTEGER ? min.toLocaleString('en') : undefined
  const most = max !== undefined && max < Number.MAX_SAFE_INTEGER ? max.toLocaleString('en') : undefined
  if (least !== undefined && most !== undefined) return `${least} to ${most} ${unit}`.trim()
  if (least !== undefined) return `at least ${least} ${unit}`.trim()
  return most === undefined ? '' : `at most ${most} ${unit}`.trim()
}

function write(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
