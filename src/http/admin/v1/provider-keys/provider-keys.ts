/** The operator's side of accounts' own keys for providers. */
import type { FastifyInstance } from 'fastify'
import { type ListProviderKeysDependencies, listProviderKeys } from './list-provider-keys.ts'
import { type RemoveProviderKeyDependencies, removeProviderKey } from './remove-provider-key.ts'
import { type StoreProviderKeyDependencies, storeProviderKey } from './store-provider-key.ts'
import { type TestProviderKeyDependencies, testProviderKey } from './test-provider-key.ts'

export type ProviderKeysDependencies = ListProviderKeysDependencies &
  StoreProviderKeyDependencies &
  RemoveProviderKeyDependencies &
  TestProviderKeyDependencies

/** Registers its operations. */
export function providerKeys(server: FastifyInstance, dependencies: ProviderKeysDependencies): void {
  listProviderKeys(server, dependencies)
  storeProviderKey(server, dependencies)
  removeProviderKey(server, dependencies)
  testProviderKey(server, dependencies)
}
