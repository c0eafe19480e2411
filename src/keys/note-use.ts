/**
 * Writes down when keys were last used, to the minute, beside the requests and never in their way: one statement at a
 * time, which waits for no lock. What fails is lost until the key is used again.
 */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'

/** A key as it was last read. */
export interface UsedKey {
  keyId: string
  lastUsedAt: Date | null
}

const everyMs = 60_000

/** Builds the notes of one authenticator. */
export function createUseNotes(db: Kysely<Database>): { note(key: UsedKey, now: Date): void } {
  const waiting = new Map<string, Date>()
  let isWriting = false

  async function write(): Promise<void> {
    isWriting = true
    while (waiting.size > 0) {
      const used = [...waiting].map(([id, at]) => ({ id, at: at.toISOString() }))
      waiting.clear()
      await store(db, used).catch(() => undefined)
    }
    isWriting = false
  }

  return {
    note(key, now) {
      if (key.lastUsedAt && Math.abs(now.getTime() - key.lastUsedAt.getTime()) < everyMs) return
      // What is read of the key again tells whether it was stored.
      key.lastUsedAt = now
      waiting.set(key.keyId, now)
      if (!isWriting) void write()
    },
  }
}

/** A row that somebody is changing is passed over: its next use will be noted. */
async function store(db: Kysely<Database>, used: readonly { id: string; at: string }[]): Promise<void> {
  await sql`
    update keys set last_used_at = used.at
    from (
      select keys.id, used.at from jsonb_to_recordset(${JSON.stringify(used)}::jsonb) as used (id text, at timestamptz)
      join keys on keys.id = used.id order by keys.id for no key update of keys skip locked
    ) as used
    where keys.id = used.id`.execute(db)
}
