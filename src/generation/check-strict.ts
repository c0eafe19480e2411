/** Strict handling: what the door could not honour is refused too, before anything is spent. */
import { badRequest } from '../lib/errors.ts'
import type { GenerationRequest } from './request.ts'

/** Throws the door's first warning as a 400 where the caller wants none (RFC 7240, `handling=strict`). */
export function checkStrict({ handling, warnings }: Pick<GenerationRequest, 'handling' | 'warnings'>): void {
  const [warning] = warnings
  if (handling === 'strict' && warning)
    throw badRequest(warning.param, warning.message, 'unsupported_parameter')
}
