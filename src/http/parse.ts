/**
 * Checks what a caller sent against the operation's schema, and tells every problem in words that name the field,
 * the value and what is allowed.
 */
import type { z } from 'zod'
import { badRequest, type GessoError } from '../lib/errors.ts'
import type { Handling, Warning } from '../models/map-fields.ts'
import { emptyBody } from './parse-json.ts'

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
    issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [],
  )
  if (handling !== 'lenient' || unknown.length === 0) throw firstProblem(parsed.error.issues, body)

  const known = Object.fromEntries(Object.entries(body as object).filter(([key]) => !unknown.includes(key)))
  const warnings = unknown.slice(0, 20).map((key) => ({
    param: key.slice(0, 100),
    code: 'unknown_parameter',
    message: `${JSON.stringify(key.slice(0, 100))} is not a parameter of this operation. It was ignored.`,
  }))
  return { value: parseBody(schema, known, 'default').value, warnings }
}

/** Wrong values are told before unknown names: the caller meant those fields. */
function firstProblem(issues: readonly z.core.$ZodIssue[], body: unknown): GessoError {
  const issue = issues.find((one) => one.code !== 'unrecognized_keys') ?? issues[0]
  if (!issue) return badRequest(null, 'The body is not what this operation takes.')
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const key = [...path, issue.keys[0] ?? ''].join('.').slice(0, 100)
    return badRequest(
      key,
      `${JSON.stringify(key)} is not a parameter of this operation.`,
      'unknown_parameter',
    )
  }
  const field = path.join('.').slice(0, 100)
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
      : `${field} is ${excerpt(found)}, but must be ${issue.message}.`
  return badRequest(field, message, code)
}

function excerpt(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number too large to be read'
  if (typeof value !== 'string' || value.length <= 80) return JSON.stringify(value)
  return `${JSON.stringify(value.slice(0, 80).toWellFormed())}… (${value.length} characters)`
}
