/** What a configuration amounts to: which providers are on and what would turn the others on, and which models. */
import type { Config } from '../config/config.ts'
import { createCatalogue } from '../models/catalogue.ts'
import { isProviderOn } from '../providers/open-providers.ts'
import { providerDefinitions } from '../providers/registry.ts'

export interface ProviderState {
  id: string
  title: string
  on: boolean
  /** The variable that turns it on; absent where none is needed. */
  variable: string | undefined
}

export interface Survey {
  providers: ProviderState[]
  models: { available: number; total: number }
}

/** Looks at the configuration alone; nobody is called. */
export function survey(config: Config): Survey {
  const providers = providerDefinitions.map((definition) => {
    const settings = config.providers[definition.id]
    return {
      id: definition.id,
      title: definition.title,
      on: settings !== undefined && isProviderOn(definition, settings),
      variable: definition.environment.apiKey ?? definition.environment.baseUrl,
    }
  })
  const on = new Set(providers.filter((provider) => provider.on).map((provider) => provider.id))
  const models = createCatalogue(config.models).all()
  const available = models.filter((model) => model.routes.some((route) => on.has(route.provider)))
  return { providers, models: { available: available.length, total: models.length } }
}

/** A provider in a few words: `OpenAI: on`, `OpenAI: off, OPENAI_API_KEY turns it on`. */
export function providerText(provider: ProviderState): string {
  if (provider.on) return `${provider.title}: on${provider.variable ? '' : ', needs no key'}`
  return `${provider.title}: off${provider.variable ? `, ${provider.variable} turns it on` : ''}`
}
