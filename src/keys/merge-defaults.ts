/** What is filled in for a key: its own defaults, and its account's where it has none. */
import type { KeyDefaults } from './key-defaults.ts'

/** The key's word wins; what of the account's contradicts it is left out, as beside a caller's own field. */
export function mergeDefaults(account: KeyDefaults, key: KeyDefaults): KeyDefaults {
  const kept = { ...account }
  if (key.background === 'transparent' && kept.output_format === 'jpeg') delete kept.output_format
  if (key.output_format === 'jpeg' && kept.background === 'transparent') delete kept.background
  return { ...kept, ...key }
}
