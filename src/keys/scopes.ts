/** What a key may be allowed to do. A route names the scope it needs. */

import { GessoError } from '../lib/errors.ts'

export const scopes = ['images:write', 'images:read', 'buckets:write', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** `admin` includes the others. */
export function hasScope(held: readonly string[], needed: Scope): boolean {
  return held.includes('admin') || held.includes(needed)
}

/** The caller's key lacks a scope. */
export function missingScope(scope: Scope): GessoError {
  return new GessoError({
    code: 'missing_scope',
    attribution: 'client',
    message: `This API key lacks the scope ${scope}. Use a key that has it.`,
  })
}
