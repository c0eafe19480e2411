/** An account's own key for a vendor as the operator sees it: never the key. */
import { z } from 'zod'
import { epochSeconds } from '../../../../lib/clock.ts'
import { type ProviderKey, testResults } from '../../../../provider-keys/provider-key.ts'

export const testResultAnswer = z
  .enum(testResults)
  .describe(
    '`valid`: the provider took it. `invalid`: the provider refused it. `unreachable`: the provider could not be asked. `untestable`: it has no question that costs nothing, or its answer said nothing about the key.',
  )

export const providerKeyAnswer = z
  .object({
    object: z.literal('provider_key'),
    account_id: z.string(),
    provider: z.string(),
    hint: z.string().nullable().describe('The last four characters; null of a short key.'),
    readable: z
      .boolean()
      .describe('False where the secret of this server was changed and the key cannot be read any more.'),
    created_at: z.int().describe('Unix seconds.'),
    tested_at: z.int().nullable(),
    test_result: testResultAnswer.nullable(),
  })
  .meta({ id: 'ProviderKey' })

/** The answer's JSON. */
export function presentProviderKey(key: ProviderKey): z.input<typeof providerKeyAnswer> {
  return {
    object: 'provider_key',
    account_id: key.accountId,
    provider: key.provider,
    hint: key.hint,
    readable: key.isReadable,
    created_at: epochSeconds(key.createdAt),
    tested_at: key.testedAt && epochSeconds(key.testedAt),
    test_result: key.testResult,
  }
}

/** The path of one key. */
export const keyParams = z.object({ account_id: z.string(), provider: z.string() })

/** Where the path says that the key belongs. */
export function placeOf(params: unknown): { accountId: string; provider: string } {
  const { account_id: accountId, provider } = keyParams.parse(params)
  return { accountId, provider }
}
