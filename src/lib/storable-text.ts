/** Text from outside as it can be stored and sent on: PostgreSQL refuses NUL, and JSON half of a surrogate pair. */

/** The text without NUL, well-formed and at most `maxLength` long; nothing where nothing is left of it. */
export function storableText(text: string | undefined, maxLength: number): string | undefined {
  const cleaned = text?.replaceAll('\0', '').slice(0, maxLength).toWellFormed()
  return cleaned === '' ? undefined : cleaned
}
