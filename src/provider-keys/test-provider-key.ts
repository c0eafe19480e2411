/** Asks a vendor whether it takes the key that an account stored for it. Costs nothing, and remembers the answer. */
import type { Kysely } from 'kysely'
import { type Authorship, recordAudit } from '../audit/record-audit.ts'
import type { Database } from '../db/schema.ts'
import { epochSeconds } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import { auditTarget, providerKeyNotFound, type TestResult } from './provider-key.ts'
import { type KeyPlace, openKey } from './seal-key.ts'

/** A vendor with the key that is to be tested, as far as a test needs it. */
export interface KeyChecker {
  /** Absent where the vendor cannot be asked. Throws `GessoError` as `Provider.checkKey` says. */
  checkKey?(signal: AbortSignal): Promise<void>
}

export interface KeyTest {
  provider: string
  result: TestResult
  /** What came of it, in a sentence. */
  message: string
  testedAt: Date
}

interface Verdict {
  result: TestResult
  message: string
}

/** Of one test; the vendor's own deadline usually comes first. */
const longestMs = 20_000

/**
 * Tests it. `connect` answers the vendor with a key; undefined where this server does not call it with keys of accounts.
 * Throws `provider_key_not_found`, and `provider_not_configured` where the key cannot be read any more.
 */
export async function testProviderKey(
  db: Kysely<Database>,
  box: SealedBox,
  input: KeyPlace & { connect(apiKey: string): KeyChecker | undefined },
  { actor, now }: Authorship,
): Promise<KeyTest> {
  const { accountId, provider } = input
  const row = await db
    .selectFrom('provider_keys')
    .select(['secret_id', 'sealed'])
    .where('account_id', '=', accountId)
    .where('provider', '=', provider)
    .executeTakeFirst()
  if (!row) throw providerKeyNotFound(accountId, provider)
  const { secret_id: secretId, sealed } = row
  const key = openKey(box, input, { secretId, sealed })
  const { result, message } = await verdictOf(provider, input.connect(key.reveal()))
  await db.transaction().execute(async (transaction) => {
    // A key that took its place meanwhile was not tested.
    const { numUpdatedRows } = await transaction
      .updateTable('provider_keys')
      .set({ tested_at: now, test_result: result })
      .where('account_id', '=', accountId)
      .where('provider', '=', provider)
      .where('sealed', '=', sealed)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return
    await recordAudit(transaction, {
      actor,
      action: 'provider_key.tested',
      target: auditTarget(input),
      accountId,
      after: { test_result: result, tested_at: epochSeconds(now) },
      at: now,
    })
  })
  return { provider, result, message, testedAt: now }
}

async function verdictOf(provider: string, checker: KeyChecker | undefined): Promise<Verdict> {
  if (!checker) {
    return { result: 'untestable', message: `This server does not call ${provider} with keys of accounts.` }
  }
  if (!checker.checkKey) {
    const message = `${provider} has no question that costs nothing. Whether it takes the key shows when it is used.`
    return { result: 'untestable', message }
  }
  try {
    await checker.checkKey(AbortSignal.timeout(longestMs))
    return { result: 'valid', message: `${provider} takes the key.` }
  } catch (error) {
    if (!(error instanceof GessoError)) throw error
    return { result: resultOf(error), message: error.message }
  }
}

function resultOf({ code, retryable }: GessoError): TestResult {
  if (code === 'upstream_invalid_response') return 'untestable'
  return code === 'upstream_failed' && !retryable ? 'invalid' : 'unreachable'
}
