/** What can be said about each provider: one section per provider that the registry lists. */
import { z } from 'zod'
import { httpUrl, secret, wholeNumber } from '../lib/setting.ts'
import type { ProviderDefinition } from './provider.ts'
import { providerDefinitions } from './registry.ts'

const oneProvider = z.strictObject({
  /** The vendor's key. Usually left to the vendor's own environment variable. */
  api_key: secret().optional(),
  /** Moves the provider to another host; includes the version path. */
  base_url: httpUrl().optional(),
  /** How long one call may take, from the first byte sent to the last received. */
  timeout_ms: wholeNumber({ min: 100, max: 3_600_000 }).default(300_000),
  /** The largest answer taken from the provider. */
  max_response_bytes: wholeNumber({ min: 1_024, max: 2_147_483_647 }).default(128 * 1024 * 1024),
})

/** The common settings, and beside them whatever the provider's own `options` make. */
export type OneProviderSettings = z.infer<typeof oneProvider> & Readonly<Record<string, unknown>>

type ProviderSchema = z.ZodPrefault<typeof oneProvider>

function schemaOf({ options = {} }: ProviderDefinition): ProviderSchema {
  return oneProvider.extend(options).prefault({}) as unknown as ProviderSchema
}

/** `providers:` in `gesso.yaml`, keyed by provider id. */
export const providerSettings = z.strictObject(
  Object.fromEntries(
    providerDefinitions.map((definition) => [definition.id, schemaOf(definition)]),
  ) as Record<string, ProviderSchema>,
)
