/** The keys of this server, newest first, without their secrets. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { type KeyDefaults, keyDefaults } from './key-defaults.ts'

export interface KeySummary {
  id: string
  name: string
  /** The first characters of the key. */
  hint: string
  account: string
  scopes: string[]
  requestsPerMinute: number | null
  /** What it fills in where its caller is silent. */
  defaults: KeyDefaults
  promptInMetadata: boolean
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
}

/** At most `limit` keys, newest first. */
export async function listKeys(db: Kysely<Database>, limit = 1_000): Promise<KeySummary[]> {
  const rows = await db
    .selectFrom('keys')
    .innerJoin('accounts', 'accounts.id', 'keys.account_id')
    .select([
      'keys.id',
      'keys.name',
      'keys.hint',
      'accounts.name as account',
      'keys.scopes',
      'keys.requests_per_minute as requestsPerMinute',
      'keys.defaults',
      'keys.prompt_in_metadata as promptInMetadata',
      'keys.created_at as createdAt',
      'keys.expires_at as expiresAt',
      'keys.revoked_at as revokedAt',
    ])
    .orderBy('keys.created_at', 'desc')
    .orderBy('keys.id', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ ...row, defaults: keyDefaults.parse(row.defaults) }))
}
