/** The providers that are on: those whose key is there, that were moved to another host, or that need no key. */
import type { Provider, ProviderDefinition, ProviderDependencies } from './provider.ts'
import { missingVariables, needsAddress, type OneProviderSettings } from './settings.ts'

export { missingVariables }

export interface OpenProviders {
  get(id: string): Provider | undefined
  /** What an operator sets to turn the provider on. */
  howToConfigure(id: string): string
}

/** Makes every provider that is configured. */
export function openProviders(
  definitions: readonly ProviderDefinition[],
  settings: Record<string, OneProviderSettings | undefined>,
  dependencies: ProviderDependencies,
): OpenProviders {
  const open = new Map<string, Provider>()
  for (const definition of definitions) {
    const own = settings[definition.id]
    if (!own || !isProviderOn(definition, own)) continue
    const provider = definition.create(
      {
        apiKey: own.api_key?.reveal(),
        baseUrl: own.base_url ?? definition.defaultBaseUrl,
        timeoutMs: own.timeout_ms,
        maxResponseBytes: own.max_response_bytes,
        options: Object.fromEntries(Object.keys(definition.options ?? {}).map((name) => [name, own[name]])),
      },
      dependencies,
    )
    open.set(definition.id, provider)
  }
  return {
    get: (id) => open.get(id),
    howToConfigure: (id) => {
      const definition = definitions.find((one) => one.id === id)
      const missing = definition ? missingVariables(definition, settings[id]) : []
      return missing.length > 0 ? missing.join(' and ') : `providers.${id} in gesso.yaml`
    },
  }
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
