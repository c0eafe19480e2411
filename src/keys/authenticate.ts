/**
 * From a key to who is calling. The database is asked at most once a second per key; a revoked key is refused
 * everywhere within that second, because what is remembered is never older.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import { hashKey, isWellFormedKey } from './key-format.ts'
import { createUseNotes } from './note-use.ts'
import { type Caller, createCallerReader, type FoundCaller } from './read-callers.ts'

export type { Caller }

export interface Authenticator {
  /** The caller of this key. Throws `missing_api_key`, `invalid_api_key` or `key_disabled`. */
  authenticate(key: string | undefined): Promise<Caller>
}

/** How long an answer of the database is believed. */
const staleAfterMs = 1_000
/** Bounds the memory that wrong keys can take. */
const rememberedKeys = 10_000

/** Builds an authenticator with a memory of its own. */
export function createAuthenticator(options: {
  db: Kysely<Database>
  clock: Clock
  defaultRequestsPerMinute: number
  /** A key that the operator chose; it need not have the form of a generated one. */
  configuredKey?: Secret
}): Authenticator {
  const configuredHash = options.configuredKey && hashKey(options.configuredKey.reveal())
  const notes = createUseNotes(options.db)
  const read = createCallerReader(options.db, options.defaultRequestsPerMinute)
  const remembered = new Map<string, { found: Promise<FoundCaller | undefined>; readAtMs: number }>()

  function lookUp(hash: Buffer): Promise<FoundCaller | undefined> {
    const name = hash.toString('base64')
    const known = remembered.get(name)
    if (known && performance.now() - known.readAtMs < staleAfterMs) return known.found
    // The latest stands last, so that a flood of wrong keys drives out itself and what is stale.
    remembered.delete(name)
    const [oldest] = remembered.keys()
    if (oldest !== undefined && remembered.size >= rememberedKeys) remembered.delete(oldest)
    const found = read(hash)
    remembered.set(name, { found, readAtMs: performance.now() })
    // A failed look-up is not an answer: the next call asks again.
    found.catch(() => remembered.delete(name))
    return found
  }

  return {
    async authenticate(key) {
      if (key === undefined) throw unauthenticated('missing_api_key', missingKeyMessage)
      const hash = hashKey(key)
      if (!isWellFormedKey(key) && !configuredHash?.equals(hash)) {
        throw unauthenticated('invalid_api_key', malformedKeyMessage)
      }
      const caller = await lookUp(hash)
      const now = options.clock.now()
      if (!caller) throw unauthenticated('invalid_api_key', 'This API key is not known to this server.')
      if (caller.revokedAt) throw unauthenticated('invalid_api_key', 'This API key has been revoked.')
      if (caller.expiresAt && caller.expiresAt <= now) {
        throw unauthenticated('invalid_api_key', `This API key expired at ${caller.expiresAt.toISOString()}.`)
      }
      if (caller.disabled) throw disabled(caller.disabled)
      notes.note(caller, now)
      return caller
    },
  }
}

const missingKeyMessage = 'No API key was sent. Send it as the header "Authorization: Bearer gs_…".'
const malformedKeyMessage =
  'The API key is not well formed: a key is gs_ and 40 letters and digits. Check that it was copied whole.'

function unauthenticated(code: 'missing_api_key' | 'invalid_api_key', message: string): GessoError {
  return new GessoError({ code, attribution: 'client', message })
}

function disabled(what: 'key' | 'account'): GessoError {
  const message = {
    key: 'This API key has been disabled. Its operator can enable it again.',
    account: 'The account of this API key has been disabled. Its operator can enable it again.',
  }[what]
  return new GessoError({ code: 'key_disabled', attribution: 'client', message })
}
