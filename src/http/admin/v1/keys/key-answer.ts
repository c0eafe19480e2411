/** A key as the operator sees it: all but its secret. */
import { z } from 'zod'
import type { KeySummary } from '../../../../keys/key-summary.ts'
import { scopes } from '../../../../keys/scopes.ts'
import { epochSeconds } from '../../../../lib/clock.ts'
import { limitAnswers, presentLimits } from '../setting-fields.ts'

const seconds = z.int().nullable().describe('Unix seconds.')

export const keyAnswer = z
  .object({
    id: z.string(),
    object: z.literal('key'),
    name: z.string(),
    account_id: z.string(),
    hint: z.string().describe('The first characters of the key.'),
    scopes: z.array(z.enum(scopes)),
    origin: z
      .enum(['created', 'first', 'configured'])
      .describe('`first`: made at the first start. `configured`: set by `GESSO_ADMIN_KEY`.'),
    models: z.array(z.string()).nullable().describe('The models it may use, by id; null: all.'),
    ...limitAnswers,
    defaults: z.record(z.string(), z.unknown()).describe('What it fills in where its caller is silent.'),
    prompt_in_metadata: z.boolean(),
    created_at: z.int().describe('Unix seconds.'),
    expires_at: seconds,
    revoked_at: seconds,
    disabled: z.boolean(),
    disabled_at: seconds,
    last_used_at: z.int().nullable().describe('Unix seconds, exact to the minute.'),
    replaces: z.string().nullable().describe('The key whose place it took.'),
  })
  .meta({ id: 'Key' })

/** The answer to whoever made a key: the only one that ever holds it. */
export const newKeyAnswer = keyAnswer
  .extend({ key: z.string().describe('The key. It is shown this once and kept nowhere.') })
  .meta({ id: 'NewKey' })

/** The answer's JSON. */
export function presentKey(key: KeySummary): z.input<typeof keyAnswer> {
  return {
    id: key.id,
    object: 'key',
    name: key.name,
    account_id: key.accountId,
    hint: key.hint,
    scopes: scopes.filter((scope) => key.scopes.includes(scope)),
    origin: key.origin,
    models: key.models,
    ...presentLimits(key.limits),
    defaults: key.defaults,
    prompt_in_metadata: key.promptInMetadata,
    created_at: epochSeconds(key.createdAt),
    expires_at: key.expiresAt && epochSeconds(key.expiresAt),
    revoked_at: key.revokedAt && epochSeconds(key.revokedAt),
    disabled: key.disabledAt !== null,
    disabled_at: key.disabledAt && epochSeconds(key.disabledAt),
    last_used_at: key.lastUsedAt && epochSeconds(key.lastUsedAt),
    replaces: key.replaces,
  }
}
