/**
 * The providers that are on: those whose key is there, that were moved to another host, or that need no key. Beside them,
 * any provider with the key of an account of Gesso, wherever that makes sense.
 */
import type { Provider, ProviderDefinition, ProviderDependencies } from './provider.ts'
import { defaultSettings, missingVariables, needsAddress, type OneProviderSettings } from './settings.ts'

export { missingVariables }

export interface OpenProviders {
  get(id: string): Provider | undefined
  /** What an operator sets to turn the provider on. */
  howToConfigure(id: string): string
  /** Could an account bring a key of its own? Not without an address to send it to, nor where none is needed. */
  acceptsOwnKeys(id: string): boolean
  /**
   * The provider as it is configured, or by its defaults where it is not on, with this key in place of the server's.
   * Undefined where the provider takes no keys of accounts. It takes some tens of microseconds, so nobody needs to keep it.
   */
  withKey(id: string, apiKey: string): Provider | undefined
}

/** Makes every provider that is configured. */
export function openProviders(
  definitions: readonly ProviderDefinition[],
  settings: Record<string, OneProviderSettings | undefined>,
  dependencies: ProviderDependencies,
): OpenProviders {
  const known = new Map(definitions.map((definition) => [definition.id, definition]))
  const open = new Map<string, Provider>()
  for (const definition of definitions) {
    const own = settings[definition.id]
    if (!own || !isProviderOn(definition, own)) continue
    open.set(definition.id, create(definition, own, own.api_key?.reveal(), dependencies))
  }
  const takerOfKeys = (id: string): ProviderDefinition | undefined => {
    const definition = known.get(id)
    return definition && takesKeys(definition, settings[id]) ? definition : undefined
  }
  return {
    get: (id) => open.get(id),
    howToConfigure: (id) => {
      const definition = known.get(id)
      const missing = definition ? missingVariables(definition, settings[id]) : []
      return missing.length > 0 ? missing.join(' and ') : `providers.${id} in gesso.yaml`
    },
    acceptsOwnKeys: (id) => takerOfKeys(id) !== undefined,
    withKey: (id, apiKey) => {
      const definition = takerOfKeys(id)
      const own = definition && (settings[id] ?? defaultSettings(definition))
      return own && create(definition, own, apiKey, dependencies)
    },
  }
}

function create(
  definition: ProviderDefinition,
  own: OneProviderSettings,
  apiKey: string | undefined,
  dependencies: ProviderDependencies,
): Provider {
  return definition.create(
    {
      apiKey,
      baseUrl: own.base_url ?? definition.defaultBaseUrl,
      timeoutMs: own.timeout_ms,
      maxResponseBytes: own.max_response_bytes,
      options: Object.fromEntries(Object.keys(definition.options ?? {}).map((name) => [name, own[name]])),
    },
    dependencies,
  )
}

/** An account's key is of use where the vendor has keys, and where it is known which address it is for. */
function takesKeys(definition: ProviderDefinition, settings: OneProviderSettings | undefined): boolean {
  if (definition.environment.apiKey === undefined) return false
  return !needsAddress(definition) || settings?.base_url !== undefined
}

/** Is it configured? A moved provider may be a local server that wants no key. */
export function isProviderOn(definition: ProviderDefinition, settings: OneProviderSettings): boolean {
  if (definition.environment.apiKey === undefined) return true
  if (needsAddress(definition)) return missingVariables(definition, settings).length === 0
  return settings.api_key !== undefined || isMoved(definition, settings)
}

/** The vendor's own host wants a key under every path. */
function isMoved({ defaultBaseUrl }: ProviderDefinition, { base_url: url }: OneProviderSettings): boolean {
  return url !== undefined && (!defaultBaseUrl || new URL(url).host !== new URL(defaultBaseUrl).host)
}
