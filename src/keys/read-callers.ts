/**
 * Reads who is calling, by the hash of the key. Keys that come while others are being read share one statement: whoever
 * sends thousands of keys that nobody has takes two connections at most, and keeps no caller waiting for all of them.
 */
import { type Kysely, sql } from 'kysely'
import { asDatabaseError } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { type KeyDefaults, keyDefaults } from './key-defaults.ts'
import { mergeDefaults } from './merge-defaults.ts'

/** Who is calling, and what they may. */
export interface Caller {
  keyId: string
  accountId: string
  scopes: readonly string[]
  requestsPerMinute: number
  /** The models the key may use, by id; null: all. */
  models: readonly string[] | null
  /** Does the account pay, or is what it costs only recorded? */
  billing: 'unmetered' | 'metered'
  /** The providers for which the account has stored a key of its own. */
  providerKeys: readonly string[]
  /** What the key, or else its account, fills in where the caller is silent. */
  defaults: KeyDefaults
  /** Do the files of its pictures carry the prompt? */
  promptInMetadata: boolean
}

/** A key that there is, whether or not it may be used. */
export interface FoundCaller extends Caller {
  expiresAt: Date | null
  revokedAt: Date | null
  /** What is switched off, where something is. */
  disabled: 'key' | 'account' | null
  lastUsedAt: Date | null
}

/** Two, so that one statement that hangs does not hold up everybody. */
const mostStatements = 2
const mostKeys = 500

interface Asked {
  hash: Buffer
  resolve(found: CallerRow | undefined): void
  reject(error: unknown): void
}

/** Builds a reader; its answers are undefined for a key that nobody has, and fail as `overloaded` without a database. */
export function createCallerReader(
  db: Kysely<Database>,
  defaultPerMinute: number,
): (hash: Buffer) => Promise<FoundCaller | undefined> {
  const waiting: Asked[] = []
  let statements = 0

  async function readWaiting(): Promise<void> {
    statements += 1
    while (waiting.length > 0) await answer(waiting.splice(0, mostKeys))
    statements -= 1
  }

  async function answer(asked: readonly Asked[]): Promise<void> {
    try {
      const hashes = asked.map(({ hash }) => hash)
      const rows = await selectCallers(db).where('keys.hash', 'in', hashes).execute()
      const found = new Map(rows.map((row) => [nameOf(row.hash), row]))
      for (const { hash, resolve } of asked) resolve(found.get(nameOf(hash)))
    } catch (error) {
      for (const { reject } of asked) reject(asDatabaseError(error))
    }
  }

  return async (hash) => {
    const { promise, resolve, reject } = Promise.withResolvers<CallerRow | undefined>()
    waiting.push({ hash, resolve, reject })
    if (statements < mostStatements) void readWaiting()
    const row = await promise
    return row && toCaller(row, defaultPerMinute)
  }
}

function nameOf(hash: Buffer): string {
  return hash.toString('base64')
}

type CallerRow = Awaited<ReturnType<ReturnType<typeof selectCallers>['executeTakeFirstOrThrow']>>

function toCaller(row: CallerRow, defaultPerMinute: number): FoundCaller {
  return {
    keyId: row.id,
    accountId: row.account_id,
    scopes: row.scopes,
    requestsPerMinute: row.requests_per_minute ?? defaultPerMinute,
    models: row.models,
    billing: row.billing,
    providerKeys: row.provider_keys,
    defaults: mergeDefaults(keyDefaults.parse(row.account_defaults), keyDefaults.parse(row.defaults)),
    promptInMetadata: row.prompt_in_metadata,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    disabled: row.disabled_at ? 'key' : row.account_disabled_at ? 'account' : null,
    lastUsedAt: row.last_used_at,
  }
}

function selectCallers(db: Kysely<Database>) {
  return db
    .selectFrom('keys')
    .innerJoin('accounts', 'accounts.id', 'keys.account_id')
    .select([
      'keys.id',
      'keys.hash',
      'keys.account_id',
      'keys.scopes',
      'keys.requests_per_minute',
      'keys.models',
      'keys.expires_at',
      'keys.revoked_at',
      'keys.disabled_at',
      'keys.last_used_at',
      'keys.defaults',
      'keys.prompt_in_metadata',
      'accounts.billing',
      'accounts.defaults as account_defaults',
      'accounts.disabled_at as account_disabled_at',
      sql<
        string[]
      >`array(select provider from provider_keys where account_id = accounts.id order by provider)`.as(
        'provider_keys',
      ),
    ])
}
