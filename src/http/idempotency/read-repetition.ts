/**
 * Whether a request may repeat an earlier one, and by what that is known: by the caller's `Idempotency-Key`, or, where
 * OpenAI's own clients send none, by the count of retries that they send with every call.
 */
import type { FastifyRequest } from 'fastify'
import type { Repetition } from '../../tasks/admit-task.ts'
import type { Preferences } from '../prefer.ts'
import { fingerprint } from './fingerprint.ts'
import { readIdempotencyKey } from './idempotency-key.ts'

export interface RepetitionDependencies {
  /** Are retries without a key recognised? */
  joinsSdkRetries: boolean
}

/** Undefined where neither is there: nothing is hashed then. Throws a 400 for a key that is no good. */
export async function readRepetition(
  { joinsSdkRetries }: RepetitionDependencies,
  request: FastifyRequest,
  asked: { body: unknown; handling: Preferences['handling'] },
): Promise<Repetition | undefined> {
  const key = readIdempotencyKey(request.raw)
  const retryCount = readRetryCount(request.headers['x-stainless-retry-count'])
  if (key === undefined && !(joinsSdkRetries && retryCount !== undefined)) return undefined
  const operation = request.routeOptions.url
  // What is drawn depends on the handling, where one is asked for.
  const print = await fingerprint([operation, asked.handling, asked.body]).catch((error: unknown) => {
    throw request.raw.socket.destroyed ? hangUp(error) : error
  })
  return { key, fingerprint: print, retryCount: retryCount ?? 0 }
}

/** With a client its pictures go. The code is the one by which the log knows that nobody failed. */
function hangUp(cause: unknown): Error {
  const error = new Error('the client hung up before its pictures were read', { cause })
  return Object.assign(error, { code: 'ERR_STREAM_PREMATURE_CLOSE' })
}

/** A whole number up to 100; undefined for anything else. */
export function readRetryCount(header: string | string[] | undefined): number | undefined {
  const count = typeof header === 'string' && /^\d{1,3}$/.test(header) ? Number(header) : undefined
  return count !== undefined && count <= 100 ? count : undefined
}
