/** Makes a key. The secret is in the answer and nowhere else. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { createId } from '../lib/ids.ts'
import type { KeyDefaults } from './key-defaults.ts'
import { generateKey, hashKey, keyHint } from './key-format.ts'
import type { Scope } from './scopes.ts'

export interface NewKey {
  accountId: string
  name: string
  scopes: readonly Scope[]
  /** Absent: the server's default. */
  requestsPerMinute?: number
  expiresAt?: Date
  /** What it fills in where its caller is silent. */
  defaults?: KeyDefaults
  /** Writes the prompt into the files of its pictures. */
  promptInMetadata?: boolean
}

/** Stores a new key; answers its id and, for the only time, the key. */
export async function createKey(db: Kysely<Database>, input: NewKey): Promise<{ id: string; key: string }> {
  const key = generateKey()
  const id = createId('key')
  await db
    .insertInto('keys')
    .values(keyRow(id, key, input, 'created'))
    .execute()
  return { id, key }
}

/**
 * Stores the key to start with unless it is there already. A `configured` one (GESSO_ADMIN_KEY) takes the place of
 * the one that was configured before, which is revoked: to change the variable is to change the key.
 */
export async function ensureFirstKey(
  db: Kysely<Database>,
  key: string,
  input: NewKey & { origin: 'first' | 'configured'; now: Date },
): Promise<void> {
  await db
    .insertInto('keys')
    .values(keyRow(createId('key'), key, input, input.origin))
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .execute()
  if (input.origin !== 'configured') return
  await db
    .updateTable('keys')
    .set({ revoked_at: input.now })
    .where('origin', '=', 'configured')
    .where('hash', '!=', hashKey(key))
    .where('revoked_at', 'is', null)
    .execute()
}

function keyRow(id: string, key: string, input: NewKey, origin: 'created' | 'first' | 'configured') {
  return {
    id,
    account_id: input.accountId,
    name: input.name,
    hash: hashKey(key),
    hint: keyHint(key),
    scopes: [...input.scopes],
    origin,
    requests_per_minute: input.requestsPerMinute ?? null,
    expires_at: input.expiresAt ?? null,
    defaults: JSON.stringify(input.defaults ?? {}),
    prompt_in_metadata: input.promptInMetadata ?? false,
    revoked_at: null,
  }
}
