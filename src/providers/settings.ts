/** What can be said about each provider: one section per provider that the registry lists. */
import { z } from 'zod'
import { Secret } from '../lib/secret.ts'
import { httpUrl, wholeNumber } from '../lib/setting.ts'
import type { ProviderDefinition } from './provider.ts'
import { providerDefinitions } from './registry.ts'

const keyExpected = "the vendor's key: one line of letters, digits and signs"
const urlExpected = 'an http or https URL such as https://images.example.com/v1'

const oneProvider = z.strictObject({
  /**
   * The vendor's key. Usually left to the vendor's own environment variable. It travels in a header, so it is one line of
   * ASCII; blanks and line ends around it come from copying.
   */
  api_key: z
    .string({ error: keyExpected })
    .trim()
    .regex(/^[\x21-\x7e]+$/, { error: keyExpected })
    .transform((value) => new Secret(value))
    .optional(),
  /** Moves the provider to another host; includes the version path. */
  base_url: z.string({ error: urlExpected }).trim().pipe(httpUrl()).optional(),
  /** How long one call may take, from the first byte sent to the last received. */
  timeout_ms: wholeNumber({ min: 100, max: 3_600_000 }).default(300_000),
  /** The largest answer taken from the provider. */
  max_response_bytes: wholeNumber({ min: 1_024, max: 2_147_483_647 }).default(128 * 1024 * 1024),
})

/** The common settings, and beside them whatever the provider's own `options` make. */
export type OneProviderSettings = z.infer<typeof oneProvider> & Readonly<Record<string, unknown>>

type ProviderSchema = z.ZodPrefault<typeof oneProvider>

function schemaOf({ options = {}, defaultBaseUrl }: ProviderDefinition): ProviderSchema {
  const schema = oneProvider.extend(options).refine(
    // Paths are put behind it. An address of one's own, where there is no usual one, is for the adapter to read.
    ({ base_url: url }) => defaultBaseUrl === undefined || typeof url !== 'string' || !/[?#]/.test(url),
    { path: ['base_url'], error: `a URL without ? and #, such as ${defaultBaseUrl}` },
  )
  return schema.prefault({}) as unknown as ProviderSchema
}

/** What holds of a provider of which nothing is said. */
export function defaultSettings(definition: ProviderDefinition): OneProviderSettings {
  return schemaOf(definition).parse({})
}

/** `providers:` in `gesso.yaml`, keyed by provider id. */
export const providerSettings = z.strictObject(
  Object.fromEntries(
    providerDefinitions.map((definition) => [definition.id, schemaOf(definition)]),
  ) as Record<string, ProviderSchema>,
)

/** The variables whose absence keeps the provider off. */
export function missingVariables(
  definition: ProviderDefinition,
  settings: OneProviderSettings | undefined,
): string[] {
  const { apiKey, baseUrl } = definition.environment
  return [
    ...(apiKey && !settings?.api_key ? [apiKey] : []),
    ...(baseUrl && needsAddress(definition) && !settings?.base_url ? [baseUrl] : []),
  ]
}

/** What is no error, and yet hardly what the operator meant. */
export function providerOddities(
  definition: ProviderDefinition,
  settings: OneProviderSettings | undefined,
): string[] {
  const { title, environment, defaultBaseUrl } = definition
  const { api_key: key, base_url: url } = settings ?? {}
  const missing = missingVariables(definition, settings)
  if (needsAddress(definition) && (key || url) && missing.length > 0) {
    return [
      `${title} has ${key ? 'a key and no address' : 'an address and no key'}: it is off until ${missing.join(' and ')} is set`,
    ]
  }
  const hasPath = (address: string) => new URL(address).pathname !== '/'
  if (defaultBaseUrl && url && hasPath(defaultBaseUrl) && !hasPath(url)) {
    return [
      `${environment.baseUrl ?? `providers.${definition.id}.base_url`} has no path, and ${title}'s own is ${defaultBaseUrl}: the version usually belongs to it`,
    ]
  }
  return []
}

/** Where every account has an address of its own, a key alone leads nowhere. */
export function needsAddress({ environment, defaultBaseUrl }: ProviderDefinition): boolean {
  return environment.baseUrl !== undefined && defaultBaseUrl === undefined
}
