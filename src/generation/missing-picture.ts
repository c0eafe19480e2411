/** How a picture that was asked for and is not there is told beside those that are. */
import { GessoError } from '../lib/errors.ts'
import type { Warning } from '../models/map-fields.ts'

/** The warning of one missing picture. */
export function missingPicture(error: unknown): Warning {
  const known = error instanceof GessoError
  return {
    param: 'n',
    code: known ? error.code : 'internal_error',
    message: `A picture is missing: ${known ? error.message : 'it failed for a reason of this server.'}`,
  }
}
