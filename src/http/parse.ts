/**
 * Checks what a caller sent against the operation's schema, and tells every problem in words that name the field,
 * the value and what is allowed.
 */
import type { z } from 'zod'
import { badRequest, type GessoError } from '../lib/errors.ts'
import type { Handling, Warning } from '../models/map-fields.ts'
import { emptyBody } from './parse-json.ts'
import { cutText, showValue } from './show-value.ts'

/** Each has a warning of its own; further ones share one. */
const maxUnknownWarnings = 20
const maxListedCharacters = 1_000

/** Parses a body strictly. Under `lenient` a field that nobody knows is a warning instead of an error. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  handling: Handling,
): { value: z.output<Schema>; warnings: Warning[] } {
  // Without a content type nothing is read, and nothing is parsed.
  if (body === undefined || body === null) throw emptyBody()
  const parsed = schema.safeParse(body)
  if (parsed.success) return { value: parsed.data, warnings: [] }
  const unknown = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [],
  )
  if (handling !== 'lenient' || unknown.length === 0) throw firstProblem(parsed.error.issues, body)

  const known = unknown.reduce<unknown>(without, body)
  return { value: parseBody(schema, known, 'default').value, warnings: warningsOf(unknown.map(nameOf)) }
}

/** What was ignored, all of it by name as far as names are short. */
function warningsOf(names: readonly string[]): Warning[] {
  const code = 'unknown_parameter'
  const warnings = names.slice(0, maxUnknownWarnings).map((name): Warning => {
    const message = `${JSON.stringify(name)} is not a parameter of this operation. It was ignored.`
    return { param: name || null, code, message }
  })
  const more = names.slice(maxUnknownWarnings)
  if (more.length === 0) return warnings
  const list = more.map((name) => JSON.stringify(name)).join(', ')
  const shown = `${cutText(list, maxListedCharacters)}${list.length > maxListedCharacters ? '…' : ''}`
  const message = `and ${more.length} more: ${shown}. They are not parameters of this operation and were ignored.`
  return [...warnings, { param: null, code, message }]
}

/** The value without what is at the path; what it shares with the original stays the same object. */
function without(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (Array.isArray(value)) return value.map((one, index) => (index === key ? without(one, rest) : one))
  const entries = Object.entries(value as object)
  if (rest.length === 0) return Object.fromEntries(entries.filter(([name]) => name !== key))
  return Object.fromEntries(entries.map(([name, one]) => [name, name === key ? without(one, rest) : one]))
}

function nameOf(path: readonly PropertyKey[]): string {
  return cutText(path.map(String).join('.'), 100)
}

/** Parses the query of an address, whose unknown names are errors too. */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  return parseBody(schema, query, 'default').value
}

/** Wrong values are told before unknown names: the caller meant those fields. */
function firstProblem(issues: readonly z.core.$ZodIssue[], body: unknown): GessoError {
  const issue = issues.find((one) => one.code !== 'unrecognized_keys') ?? issues[0]
  if (!issue) return badRequest(null, 'The body is not what this operation takes.')
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const key = nameOf([...path, issue.keys[0] ?? ''])
    return badRequest(
      key || null,
      `${JSON.stringify(key)} is not a parameter of this operation.`,
      'unknown_parameter',
    )
  }
  const field = nameOf(path)
  const found = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  )
  const code =
    issue.code === 'custom' && issue.params?.code === 'unsupported_parameter'
      ? 'unsupported_parameter'
      : undefined
  const message =
    found === undefined
      ? `${field} is required: ${issue.message}.`
      : `${field} is ${showValue(found)}, but must be ${issue.message}.`
  return badRequest(field, message, code)
}
