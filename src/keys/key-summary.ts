/** A key as everybody but its owner sees it: all but the secret. And how a row becomes one. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { epochSeconds } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import { type KeyDefaults, keyDefaults } from './key-defaults.ts'
import { type Limits, limitNames, readLimits, writeLimits } from './limits.ts'

export interface KeySummary {
  id: string
  accountId: string
  /** The account's name. */
  account: string
  name: string
  /** The first characters of the key. */
  hint: string
  scopes: string[]
  /** `created` by somebody, made at the `first` start, or `configured` as GESSO_ADMIN_KEY. */
  origin: 'created' | 'first' | 'configured'
  /** The models it may use, by id; null: all. */
  models: string[] | null
  limits: Limits
  /** What it fills in where its caller is silent. */
  defaults: KeyDefaults
  promptInMetadata: boolean
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  disabledAt: Date | null
  /** To the minute. */
  lastUsedAt: Date | null
  /** The id of the key whose place it took. */
  replaces: string | null
}

/** The query of all keys, to be narrowed. */
export function selectKeys(db: Kysely<Database>) {
  return db
    .selectFrom('keys')
    .innerJoin('accounts', 'accounts.id', 'keys.account_id')
    .select([
      'keys.id',
      'keys.account_id as accountId',
      'accounts.name as account',
      'keys.name',
      'keys.hint',
      'keys.scopes',
      'keys.origin',
      'keys.models',
      ...limitColumns,
      'keys.defaults',
      'keys.prompt_in_metadata as promptInMetadata',
      'keys.created_at as createdAt',
      'keys.expires_at as expiresAt',
      'keys.revoked_at as revokedAt',
      'keys.disabled_at as disabledAt',
      'keys.last_used_at as lastUsedAt',
      'keys.replaces',
    ])
}

const limitColumns = Object.values(limitNames).map((name) => `keys.${name}` as const)

type KeyRow = Awaited<ReturnType<ReturnType<typeof selectKeys>['executeTakeFirstOrThrow']>>

/** From a row. */
export function toKeySummary(row: KeyRow): KeySummary {
  return {
    id: row.id,
    accountId: row.accountId,
    account: row.account,
    name: row.name,
    hint: row.hint,
    scopes: row.scopes,
    origin: row.origin,
    models: row.models,
    limits: readLimits(row),
    defaults: keyDefaults.parse(row.defaults),
    promptInMetadata: row.promptInMetadata,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    revokedAt: row.revokedAt,
    disabledAt: row.disabledAt,
    lastUsedAt: row.lastUsedAt,
    replaces: row.replaces,
  }
}

/** What can be decided about a key, as the audit log tells of it. Its secret, hash and hint are not in it. */
export function auditedKey(key: KeySummary): Record<string, unknown> {
  return {
    name: key.name,
    scopes: key.scopes,
    models: key.models,
    ...writeLimits(key.limits),
    defaults: key.defaults,
    prompt_in_metadata: key.promptInMetadata,
    expires_at: key.expiresAt && epochSeconds(key.expiresAt),
    disabled_at: key.disabledAt && epochSeconds(key.disabledAt),
    replaces: key.replaces,
  }
}

/** There is no key of this id. */
export function keyNotFound(id: string): GessoError {
  return new GessoError({
    code: 'key_not_found',
    attribution: 'client',
    param: 'key_id',
    message: `There is no key ${JSON.stringify(id.slice(0, 100).toWellFormed())}.`,
  })
}
