/**
 * Reads the `code` of Node's and PostgreSQL's errors, which say what went wrong better than their words.
 *
 * Must never guess from a message.
 */

/** True when `error` carries one of these codes, such as `ENOENT` or `57P03`. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** The outcome of work on a file, or null when the file is not there. */
export async function nullIfMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
