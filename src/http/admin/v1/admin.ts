/** The operator's operations, all of them behind the scope `admin`, in one list. */
import type { FastifyInstance } from 'fastify'
import type { UsageDependencies } from '../../v1/usage/get-usage.ts'
import { type CreateAccountDependencies, createAccount } from './accounts/create-account.ts'
import { type GetAccountDependencies, getAccount } from './accounts/get-account.ts'
import { type ListAccountsDependencies, listAccounts } from './accounts/list-accounts.ts'
import { type UpdateAccountDependencies, updateAccount } from './accounts/update-account.ts'
import { type ListAuditDependencies, listAudit } from './audit/list-audit.ts'
import { type CreateKeyDependencies, createKey } from './keys/create-key.ts'
import { type GetKeyDependencies, getKey } from './keys/get-key.ts'
import { type ListKeysDependencies, listKeys } from './keys/list-keys.ts'
import { type RevokeKeyDependencies, revokeKey } from './keys/revoke-key.ts'
import { type RotateKeyDependencies, rotateKey } from './keys/rotate-key.ts'
import { type UpdateKeyDependencies, updateKey } from './keys/update-key.ts'
import { type AdjustBalanceDependencies, adjustBalance } from './ledger/adjust-balance.ts'
import { type CreditAccountDependencies, creditAccount } from './ledger/credit-account.ts'
import { type ListEntriesDependencies, listEntries } from './ledger/list-entries.ts'
import { type ProviderKeysDependencies, providerKeys } from './provider-keys/provider-keys.ts'
import { getAdminUsage } from './usage/get-usage.ts'

export type AdminDependencies = ListAccountsDependencies &
  CreateAccountDependencies &
  GetAccountDependencies &
  UpdateAccountDependencies &
  ListKeysDependencies &
  CreateKeyDependencies &
  GetKeyDependencies &
  UpdateKeyDependencies &
  RotateKeyDependencies &
  RevokeKeyDependencies &
  CreditAccountDependencies &
  AdjustBalanceDependencies &
  ListEntriesDependencies &
  ProviderKeysDependencies &
  UsageDependencies &
  ListAuditDependencies

/** Registers them in the order in which the documentation shows them. */
export function admin(server: FastifyInstance, dependencies: AdminDependencies): void {
  listAccounts(server, dependencies)
  createAccount(server, dependencies)
  getAccount(server, dependencies)
  updateAccount(server, dependencies)
  creditAccount(server, dependencies)
  adjustBalance(server, dependencies)
  listEntries(server, dependencies)
  providerKeys(server, dependencies)

  listKeys(server, dependencies)
  createKey(server, dependencies)
  getKey(server, dependencies)
  updateKey(server, dependencies)
  rotateKey(server, dependencies)
  revokeKey(server, dependencies)

  getAdminUsage(server, dependencies)
  listAudit(server, dependencies)
}
