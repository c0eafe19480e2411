/** The keys of this server, newest first, without their secrets. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'

export interface KeySummary {
  id: string
  name: string
  /** The first characters of the key. */
  hint: string
  account: string
  scopes: string[]
  requestsPerMinute: number | null
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
}

/** At most `limit` keys, newest first. */
export async function listKeys(db: Kysely<Database>, limit = 1_000): Promise<KeySummary[]> {
  return db
    .selectFrom('keys')
    .innerJoin('accounts', 'accounts.id', 'keys.account_id')
    .select([
      'keys.id',
      'keys.name',
      'keys.hint',
      'accounts.name as account',
      'keys.scopes',
      'keys.requests_per_minute as requestsPerMinute',
      'keys.created_at as createdAt',
      'keys.expires_at as expiresAt',
      'keys.revoked_at as revokedAt',
    ])
    .orderBy('keys.created_at', 'desc')
    .orderBy('keys.id', 'desc')
    .limit(limit)
    .execute()
}
