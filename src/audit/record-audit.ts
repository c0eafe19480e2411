/**
 * Writes down who changed what. Called inside the transaction of the change, so that neither exists without the other; a
 * row is never changed, and never holds a secret or what could be compared with one.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'

/** Who makes a change. */
export interface Actor {
  /** The id of a key, `cli`, or `system`. */
  name: string
  /** Of the request that asked for it. */
  requestId?: string
}

/** Gesso itself, at its start. */
export const systemActor: Actor = { name: 'system' }

/** Who makes a change, and when. */
export interface Authorship {
  actor: Actor
  now: Date
}

export interface AuditRecord {
  actor: Actor
  /** What was done, such as `key.created`. */
  action: string
  /** The id of what was changed. */
  target: string
  /** The account that it belongs to. */
  accountId?: string
  /** The fields that changed, by the names of the API; absent where nothing was there before. */
  before?: object
  after?: object
  at: Date
}

/** Adds one row. `db` is the transaction of the change. */
export async function recordAudit(db: Kysely<Database>, record: AuditRecord): Promise<void> {
  await db
    .insertInto('audit_log')
    .values({
      at: record.at,
      actor: record.actor.name,
      action: record.action,
      target: record.target,
      account_id: record.accountId,
      before: record.before && JSON.stringify(record.before),
      after: record.after && JSON.stringify(record.after),
      request_id: record.actor.requestId,
    })
    .execute()
}
