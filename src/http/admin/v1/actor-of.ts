/** Who asks for a change, for the audit log. */
import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../../audit/record-audit.ts'
import { callerOf } from '../../auth.ts'

/** The caller's key, and the request by which it asks. */
export function actorOf(request: FastifyRequest): Actor {
  return { name: callerOf(request).keyId, requestId: request.id }
}
