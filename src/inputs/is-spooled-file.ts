/** Tells a spooled file from whatever else may stand in its place in a body. */
import type { SpooledFile } from './spool.ts'

/** No JSON can forge one: it has functions. */
export function isSpooledFile(value: unknown): value is SpooledFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stream' in value &&
    typeof value.stream === 'function' &&
    'sizeBytes' in value
  )
}
