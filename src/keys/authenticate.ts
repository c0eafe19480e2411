/**
 * From a key to who is calling. The database is asked at most once a second per key; a revoked key is refused
 * everywhere within that second, because what is remembered is never older.
 */
import type { Kysely } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import { type KeyDefaults, keyDefaults } from './key-defaults.ts'
import { hashKey, isWellFormedKey } from './key-format.ts'

/** Who is calling, and what they may. */
export interface Caller {
  keyId: string
  accountId: string
  scopes: readonly string[]
  requestsPerMinute: number
  /** What the key fills in where its caller is silent. */
  defaults: KeyDefaults
  /** Do the files of its pictures carry the prompt? */
  promptInMetadata: boolean
}

interface KeyRow extends Caller {
  expiresAt: Date | null
  revokedAt: Date | null
}

export interface Authenticator {
  /** The caller of this key. Throws `missing_api_key` or `invalid_api_key`. */
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
  const remembered = new Map<string, { row: Promise<KeyRow | undefined>; readAtMs: number }>()

  function lookUp(hash: Buffer): Promise<KeyRow | undefined> {
    const name = hash.toString('base64')
    const known = remembered.get(name)
    if (known && performance.now() - known.readAtMs < staleAfterMs) return known.row
    if (remembered.size >= rememberedKeys) remembered.clear()
    const row = readKey(options.db, hash, options.defaultRequestsPerMinute)
    remembered.set(name, { row, readAtMs: performance.now() })
    // A failed look-up is not an answer: the next call asks again.
    row.catch(() => remembered.delete(name))
    return row
  }

  return {
    async authenticate(key) {
      if (key === undefined) throw unauthenticated('missing_api_key', missingKeyMessage)
      const hash = hashKey(key)
      if (!isWellFormedKey(key) && !configuredHash?.equals(hash)) {
        throw unauthenticated('invalid_api_key', malformedKeyMessage)
      }
      const row = await lookUp(hash)
      if (!row) throw unauthenticated('invalid_api_key', 'This API key is not known to this server.')
      if (row.revokedAt) throw unauthenticated('invalid_api_key', 'This API key has been revoked.')
      if (row.expiresAt && row.expiresAt <= options.clock.now()) {
        throw unauthenticated('invalid_api_key', `This API key expired at ${row.expiresAt.toISOString()}.`)
      }
      return row
    },
  }
}

const missingKeyMessage = 'No API key was sent. Send it as the header "Authorization: Bearer gs_…".'
const malformedKeyMessage =
  'The API key is not well formed: a key is gs_ and 40 letters and digits. Check that it was copied whole.'

function unauthenticated(code: 'missing_api_key' | 'invalid_api_key', message: string): GessoError {
  return new GessoError({ code, attribution: 'client', message })
}

async function readKey(
  db: Kysely<Database>,
  hash: Buffer,
  defaultPerMinute: number,
): Promise<KeyRow | undefined> {
  try {
    const row = await db
      .selectFrom('keys')
      .select([
        'id',
        'account_id',
        'scopes',
        'requests_per_minute',
        'expires_at',
        'revoked_at',
        'defaults',
        'prompt_in_metadata',
      ])
      .where('hash', '=', hash)
      .executeTakeFirst()
    return (
      row && {
        keyId: row.id,
        accountId: row.account_id,
        scopes: row.scopes,
        requestsPerMinute: row.requests_per_minute ?? defaultPerMinute,
        defaults: keyDefaults.parse(row.defaults),
        promptInMetadata: row.prompt_in_metadata,
        expiresAt: row.expires_at,
        revokedAt: row.revoked_at,
      }
    )
  } catch (error) {
    throw asDatabaseError(error)
  }
}
