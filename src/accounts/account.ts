/** An account as everybody but the database sees it, and how a row becomes one. */
import type { Selectable } from 'kysely'
import type { AccountsTable } from '../db/schema.ts'
import { type KeyDefaults, keyDefaults } from '../keys/key-defaults.ts'
import { type Limits, limitNames, readLimits, writeLimits } from '../keys/limits.ts'
import { epochSeconds } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'

/** `unmetered`: nothing is charged, costs are recorded. `metered`: free quota, then its own provider key, then credit. */
export const billings = ['unmetered', 'metered'] as const
export type Billing = (typeof billings)[number]

export interface Account {
  id: string
  name: string
  billing: Billing
  /** Micro-USD. */
  balanceMicros: number
  /** Held for tasks at work; part of the balance. */
  reservedMicros: number
  limits: Limits
  /** Free pictures in any 24 hours; null: the server's default. */
  freeImages: number | null
  /** What its keys fill in where neither they nor their callers say anything. */
  defaults: KeyDefaults
  createdAt: Date
  /** Since when none of its keys is accepted. */
  disabledAt: Date | null
}

/** The columns that make an account. */
export const accountColumns = [
  'id',
  'name',
  'billing',
  'balance_micros',
  'reserved_micros',
  ...Object.values(limitNames),
  'free_images',
  'defaults',
  'created_at',
  'disabled_at',
] as const satisfies (keyof AccountsTable)[]

/** From a row. */
export function toAccount(row: Pick<Selectable<AccountsTable>, (typeof accountColumns)[number]>): Account {
  return {
    id: row.id,
    name: row.name,
    billing: row.billing,
    balanceMicros: row.balance_micros,
    reservedMicros: row.reserved_micros,
    limits: readLimits(row),
    freeImages: row.free_images,
    defaults: keyDefaults.parse(row.defaults),
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
  }
}

/** What can be changed of an account, as the audit log tells of it. Money has a ledger of its own. */
export function auditedAccount(account: Account): Record<string, unknown> {
  return {
    name: account.name,
    billing: account.billing,
    ...writeLimits(account.limits),
    free_images: account.freeImages,
    defaults: account.defaults,
    disabled_at: account.disabledAt && epochSeconds(account.disabledAt),
  }
}

/** There is no account of this id, or name. */
export function accountNotFound(id: string): GessoError {
  return new GessoError({
    code: 'account_not_found',
    attribution: 'client',
    param: 'account_id',
    message: `There is no account ${JSON.stringify(id.slice(0, 100).toWellFormed())}.`,
  })
}
