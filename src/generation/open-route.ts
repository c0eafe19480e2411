/** The provider of a route, with the key of whoever pays it: the server's, or the account's own. */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { GessoError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import type { Provider } from '../providers/provider.ts'
import type { CostSource } from '../tasks/task.ts'
import type { ProviderSet } from './choose-route.ts'

export interface OpenRouteDependencies {
  db: Kysely<Database>
  providers: ProviderSet
  /** The account's own key; undefined where it has none. Throws where it cannot be read any more. */
  readProviderKey(input: { accountId: string; provider: string }): Promise<Secret | undefined>
}

/** Throws `provider_not_configured` where the key is gone, and the database's own error where that is away. */
export async function openRoute(
  { providers, readProviderKey }: OpenRouteDependencies,
  { provider, source, accountId }: { provider: string; source: CostSource; accountId: string },
): Promise<Provider> {
  const key = source === 'user' ? await readProviderKey({ accountId, provider }) : undefined
  const adapter =
    source === 'user' ? key && providers.withKey(provider, key.reveal()) : providers.get(provider)
  if (adapter) return adapter
  throw new GessoError({
    code: 'provider_not_configured',
    attribution: 'client',
    param: 'model',
    message:
      source === 'user'
        ? `The account's own key for ${provider} has been removed meanwhile.`
        : `The provider ${provider} is not configured on this server any more.`,
  })
}
