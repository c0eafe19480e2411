/**
 * The parts of an OpenAPI 3.1 document that the documentation page reads, and the walk over its operations.
 * What the page does not show is not described here.
 */

/** JSON Schema 2020-12, as far as the page tells it. */
export interface JsonSchema {
  $ref?: string
  type?: string | string[]
  description?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  example?: unknown
  examples?: unknown[]
  format?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
}

export interface OpenApiParameter {
  name: string
  in: string
  required?: boolean
  description?: string
  example?: unknown
  schema?: JsonSchema
}

/** A body by content type. */
export type OpenApiContent = Record<string, { schema?: JsonSchema; example?: unknown }>

export interface OpenApiOperation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  /** An empty list means that no key is needed. */
  security?: Record<string, string[]>[]
  parameters?: OpenApiParameter[]
  requestBody?: { content?: OpenApiContent }
  responses?: Record<string, { description?: string; content?: OpenApiContent }>
}

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const
type Method = (typeof methods)[number]

export interface OpenApiDocument {
  info: { title: string; version: string; description?: string }
  tags?: { name: string; description?: string }[]
  security?: Record<string, string[]>[]
  paths?: Record<string, Partial<Record<Method, OpenApiOperation>> | undefined>
  components?: { schemas?: Record<string, JsonSchema> }
}

/** An operation with its address and the id of its place on the page. */
export interface ListedOperation {
  anchor: string
  method: Method
  path: string
  needsKey: boolean
  operation: OpenApiOperation
}

/** The operations of one tag. */
export interface OperationGroup {
  anchor: string
  tag: string
  description?: string
  operations: ListedOperation[]
}

/** All operations by their first tag, in the document's order. */
export function groupOperations(document: OpenApiDocument): OperationGroup[] {
  const groups = new Map<string, OperationGroup>()
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of methods) {
      const operation = item?.[method]
      if (!operation) continue
      const tag = operation.tags?.[0] ?? 'Other'
      const group = groups.get(tag) ?? {
        anchor: toAnchor('tag', tag),
        tag,
        description: document.tags?.find(({ name }) => name === tag)?.description,
        operations: [],
      }
      groups.set(tag, group)
      group.operations.push({
        anchor: toAnchor('operation', operation.operationId ?? `${method}-${path}`),
        method,
        path,
        needsKey: (operation.security ?? document.security ?? []).length > 0,
        operation,
      })
    }
  }
  return [...groups.values()]
}

/** The JSON body's schema and its example, or undefined where there is no JSON body. */
export function jsonBody(content: OpenApiContent | undefined) {
  return Object.entries(content ?? {}).find(([type]) => /^application\/(.+\+)?json(;|$)/i.test(type))?.[1]
}

function toAnchor(kind: string, name: string): string {
  return `${kind}-${name.replace(/[^A-Za-z0-9_.]+/g, '-').replace(/^-|-$/g, '')}`
}
