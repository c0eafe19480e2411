/** What a change comes to: only the fields that are different after it. */
import { isDeepStrictEqual } from 'node:util'

export interface ChangedFields {
  before: Record<string, unknown>
  after: Record<string, unknown>
}

/** The fields that differ, as they were and as they will be; undefined where none does. */
export function changedFields(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): ChangedFields | undefined {
  const names = Object.keys(after).filter((name) => !isDeepStrictEqual(before[name], after[name]))
  if (names.length === 0) return undefined
  const pick = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(names.map((name) => [name, fields[name]]))
  return { before: pick(before), after: pick(after) }
}
