/**
 * What an operator can do through the admin API: the verbs of accounts, keys, credit and provider keys, with the database,
 * the clock and the seal in their hands. A part of `app.ts`, which would be a list of closures otherwise.
 */
import type { Kysely } from 'kysely'
import { createAccount } from './accounts/create-account.ts'
import { ensureDefaultAccount } from './accounts/ensure-default-account.ts'
import { getAccount } from './accounts/get-account.ts'
import { listAccounts } from './accounts/list-accounts.ts'
import { updateAccount } from './accounts/update-account.ts'
import { listAudit } from './audit/list-audit.ts'
import type { Actor } from './audit/record-audit.ts'
import type { Database } from './db/schema.ts'
import type { AdminDependencies } from './http/admin/v1/admin.ts'
import { createKey } from './keys/create-key.ts'
import { getKey } from './keys/get-key.ts'
import { listKeys } from './keys/list-keys.ts'
import { revokeKey } from './keys/revoke-key.ts'
import { rotateKey } from './keys/rotate-key.ts'
import { updateKey } from './keys/update-key.ts'
import { adjustBalance } from './ledger/adjust-balance.ts'
import { creditAccount } from './ledger/credit-account.ts'
import { listEntries } from './ledger/list-entries.ts'
import type { Clock } from './lib/clock.ts'
import type { SealedBox } from './lib/sealed-box.ts'
import type { Catalogue } from './models/catalogue.ts'
import { listProviderKeys } from './provider-keys/list-provider-keys.ts'
import { removeProviderKey } from './provider-keys/remove-provider-key.ts'
import { storeProviderKey } from './provider-keys/store-provider-key.ts'
import { testProviderKey } from './provider-keys/test-provider-key.ts'
import type { OpenProviders } from './providers/open-providers.ts'
import { providerDefinitions } from './providers/registry.ts'
import { summariseUsage } from './usage/summarise-usage.ts'

export interface OperatorParts {
  db: Kysely<Database>
  clock: Clock
  catalogue: Catalogue
  providers: OpenProviders
  /** Seals what accounts store. */
  box: SealedBox
}

/** The verbs, for the admin API. */
export function createOperator({ db, clock, catalogue, providers, box }: OperatorParts): AdminDependencies {
  const takers = providerDefinitions.map(({ id }) => id).filter((id) => providers.acceptsOwnKeys(id))
  const by = (actor: Actor) => ({ actor, now: clock.now() })
  return {
    now: () => clock.now(),
    resolveModel: (id) => catalogue.resolve(id).id,
    firstAccountId: () => ensureDefaultAccount(db),

    listAccounts: (query) => listAccounts(db, query),
    createAccount: (input, actor) => createAccount(db, input, by(actor)),
    getAccount: (id) => getAccount(db, id),
    updateAccount: (id, change, actor) => updateAccount(db, id, change, by(actor)),

    creditAccount: (credit) => creditAccount(db, { ...credit, now: clock.now() }),
    adjustBalance: (adjustment) => adjustBalance(db, { ...adjustment, now: clock.now() }),
    listEntries: (query) => listEntries(db, query),

    listKeys: (query) => listKeys(db, query),
    createKey: (input, actor) => createKey(db, input, by(actor)),
    getKey: (id) => getKey(db, id),
    updateKey: (id, change, actor) => updateKey(db, id, change, by(actor)),
    rotateKey: (id, options, actor) => rotateKey(db, id, options, by(actor)),
    revokeKey: (id, actor) => revokeKey(db, id, by(actor)),

    listProviderKeys: (accountId) => listProviderKeys(db, box, { accountId }),
    storeProviderKey: (input, actor) => storeProviderKey(db, box, { ...input, takers }, by(actor)),
    removeProviderKey: (input, actor) => removeProviderKey(db, box, input, by(actor)),
    testProviderKey: (input, actor) =>
      testProviderKey(
        db,
        box,
        { ...input, connect: (apiKey) => providers.withKey(input.provider, apiKey) },
        by(actor),
      ),

    summariseUsage: (query) => summariseUsage(db, query),
    listAudit: (query) => listAudit(db, query),
  }
}
