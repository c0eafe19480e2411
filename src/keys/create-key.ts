/** Makes a key. The secret is in the answer and nowhere else. */
import { type Kysely, sql } from 'kysely'
import { type Authorship, recordAudit, systemActor } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { createId } from '../lib/ids.ts'
import { getKey } from './get-key.ts'
import type { KeyDefaults } from './key-defaults.ts'
import { generateKey, hashKey, keyHint } from './key-format.ts'
import { auditedKey, type KeySummary } from './key-summary.ts'
import { type Limits, writeLimits } from './limits.ts'
import type { Scope } from './scopes.ts'

export interface NewKey extends Partial<Limits> {
  accountId: string
  name: string
  scopes: readonly Scope[]
  /** The models it may use, by id; absent or null: all. */
  models?: readonly string[] | null
  expiresAt?: Date | null
  /** What it fills in where its caller is silent. */
  defaults?: KeyDefaults
  /** Writes the prompt into the files of its pictures. */
  promptInMetadata?: boolean
}

export interface CreatedKey {
  id: string
  /** The secret. It is shown to its owner once. */
  key: string
  summary: KeySummary
}

/** Stores a new key; answers its id and, for the only time, the key. Who says nothing of an author is Gesso itself. */
export async function createKey(
  db: Kysely<Database>,
  input: NewKey,
  by: Authorship = { actor: systemActor, now: new Date() },
): Promise<CreatedKey> {
  return db.transaction().execute((transaction) => insertKey(transaction, input, by))
}

/** The same inside of a transaction; `further` is what only other verbs can say of a key. */
export async function insertKey(
  transaction: Kysely<Database>,
  input: NewKey,
  by: Authorship,
  further: { disabledAt?: Date | null; replaces?: string } = {},
): Promise<CreatedKey> {
  const key = generateKey()
  const id = createId('key', by.now)
  await transaction
    .insertInto('keys')
    .values({
      ...keyRow(id, key, input, 'created'),
      disabled_at: further.disabledAt,
      replaces: further.replaces,
      root_id: further.replaces && rootOf(further.replaces),
      created_at: by.now,
    })
    .execute()
  return { id, key, summary: await recordCreation(transaction, id, by) }
}

/**
 * Stores the key to start with unless it is there already. A `configured` one (GESSO_ADMIN_KEY) takes the place of
 * the one that was configured before, which is revoked: to change the variable is to change the key. One that is not
 * in force itself takes nobody's place, or whoever goes back to a revoked one would be left without any.
 */
export async function ensureFirstKey(
  db: Kysely<Database>,
  key: string,
  input: NewKey & {
    origin: 'first' | 'configured'
    now: Date
    /** A command beside the server may have another key in its environment: it revokes nobody's. */
    takesPlace?: boolean
  },
): Promise<{ isInForce: boolean }> {
  const by = { actor: systemActor, now: input.now }
  return db.transaction().execute(async (transaction) => {
    const made = await transaction
      .insertInto('keys')
      .values(keyRow(createId('key'), key, input, input.origin))
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .returning('id')
      .executeTakeFirst()
    if (made) await recordCreation(transaction, made.id, by)
    const isInForce = await isAdminInForce(transaction, key, input.now)
    if (input.origin === 'configured' && isInForce && (input.takesPlace ?? true)) {
      await revokeOtherConfigured(transaction, key, by)
    }
    return { isInForce }
  })
}

async function isAdminInForce(transaction: Kysely<Database>, key: string, now: Date): Promise<boolean> {
  const row = await transaction
    .selectFrom('keys')
    .select('id')
    .where('hash', '=', hashKey(key))
    .where(sql<boolean>`scopes @> array['admin'] and revoked_at is null and disabled_at is null`)
    .where(({ eb, or }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirst()
  return row !== undefined
}

async function revokeOtherConfigured(
  transaction: Kysely<Database>,
  key: string,
  by: Authorship,
): Promise<void> {
  const revoked = await transaction
    .updateTable('keys')
    .set({ revoked_at: by.now })
    .where('origin', '=', 'configured')
    .where('hash', '!=', hashKey(key))
    .where('revoked_at', 'is', null)
    .returning(['id', 'account_id'])
    .execute()
  for (const { id, account_id: accountId } of revoked)
    await recordAudit(transaction, {
      actor: by.actor,
      action: 'key.revoked',
      target: id,
      accountId,
      at: by.now,
    })
}

async function recordCreation(
  transaction: Kysely<Database>,
  id: string,
  by: Authorship,
): Promise<KeySummary> {
  const key = await getKey(transaction, id)
  await recordAudit(transaction, {
    actor: by.actor,
    action: 'key.created',
    target: id,
    accountId: key.accountId,
    after: auditedKey(key),
    at: by.now,
  })
  return key
}

/** The first of the keys that took each other's place: limits count them as one. */
function rootOf(id: string) {
  return sql<string>`(select coalesce(root_id, id) from keys where id = ${id})`
}

function keyRow(id: string, key: string, input: NewKey, origin: KeySummary['origin']) {
  return {
    id,
    account_id: input.accountId,
    name: input.name,
    hash: hashKey(key),
    hint: keyHint(key),
    scopes: [...input.scopes],
    origin,
    models: input.models && [...input.models],
    ...writeLimits(input),
    expires_at: input.expiresAt ?? null,
    defaults: JSON.stringify(input.defaults ?? {}),
    prompt_in_metadata: input.promptInMetadata ?? false,
    revoked_at: null,
  }
}
