/** An account's own key for a vendor, as everybody sees it: all but the key. And how a row becomes one. */
import type { Selectable } from 'kysely'
import type { ProviderKeysTable } from '../db/schema.ts'
import { epochSeconds } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import type { SealedBox } from '../lib/sealed-box.ts'

/**
 * `valid`: the vendor took it. `invalid`: the vendor refused it. `unreachable`: the vendor could not be asked.
 * `untestable`: there is nothing to ask that costs nothing, or the answer said nothing about the key.
 */
export const testResults = ['valid', 'invalid', 'unreachable', 'untestable'] as const
export type TestResult = (typeof testResults)[number]

export interface ProviderKey {
  accountId: string
  /** The vendor, by its id, such as `openai`. */
  provider: string
  /** The last four characters; null of a key so short that they would tell too much. */
  hint: string | null
  createdAt: Date
  testedAt: Date | null
  testResult: TestResult | null
  /** Does this server still have the secret it is sealed with? */
  isReadable: boolean
}

/** The columns that make one. */
export const providerKeyColumns = [
  'account_id',
  'provider',
  'secret_id',
  'hint',
  'created_at',
  'tested_at',
  'test_result',
] as const satisfies (keyof ProviderKeysTable)[]

/** From a row. */
export function toProviderKey(
  row: Pick<Selectable<ProviderKeysTable>, (typeof providerKeyColumns)[number]>,
  box: SealedBox,
): ProviderKey {
  return {
    accountId: row.account_id,
    provider: row.provider,
    hint: row.hint || null,
    createdAt: row.created_at,
    testedAt: row.tested_at,
    testResult: testResults.find((result) => result === row.test_result) ?? null,
    isReadable: box.knows(row.secret_id),
  }
}

/** What the audit log tells of it. */
export function auditedProviderKey({ provider, hint, createdAt }: ProviderKey): object {
  return { provider, hint, created_at: epochSeconds(createdAt) }
}

/** By what the audit log knows it. */
export function auditTarget({ accountId, provider }: Pick<ProviderKey, 'accountId' | 'provider'>): string {
  return `${accountId}/${provider}`
}

/** The account has no key for this vendor. */
export function providerKeyNotFound(accountId: string, provider: string): GessoError {
  const name = JSON.stringify(provider.slice(0, 60).toWellFormed())
  return new GessoError({
    code: 'provider_key_not_found',
    attribution: 'client',
    param: 'provider',
    message: `The account ${accountId} has no key of its own for ${name}.`,
  })
}
