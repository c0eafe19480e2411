/** What a configuration amounts to: which providers are on and what would turn the others on, and which models. */
import type { Config } from '../config/config.ts'
import { createCatalogue } from '../models/catalogue.ts'
import { isProviderOn, missingVariables } from '../providers/open-providers.ts'
import { providerDefinitions } from '../providers/registry.ts'

export interface ProviderState {
  id: string
  title: string
  on: boolean
  /** The variable that it waits for, else the one of its key; absent where none is needed. */
  variable: string | undefined
  /** The variables that would turn it on; empty where it is on. */
  missing: string[]
}

export interface Survey {
  providers: ProviderState[]
  models: { available: number; total: number }
}

/** Looks at the configuration alone; nobody is called. */
export function survey(config: Config): Survey {
  const providers = providerDefinitions.map((definition) => {
    const settings = config.providers[definition.id]
    const on = settings !== undefined && isProviderOn(definition, settings)
    const missing = on ? [] : missingVariables(definition, settings)
    return {
      id: definition.id,
      title: definition.title,
      on,
      variable: missing[0] ?? definition.environment.apiKey ?? definition.environment.baseUrl,
      missing,
    }
  })
  const on = new Set(providers.filter((provider) => provider.on).map((provider) => provider.id))
  const models = createCatalogue(config.models, config.prices).all()
  const available = models.filter((model) => model.routes.some((route) => on.has(route.provider)))
  return { providers, models: { available: available.length, total: models.length } }
}

/** A provider in a few words: `OpenAI: on`, `OpenAI: off, OPENAI_API_KEY turns it on`. */
export function providerText({ title, on, variable, missing }: ProviderState): string {
  if (on) return `${title}: on${variable ? '' : ', needs no key'}`
  if (missing.length === 0) return `${title}: off`
  return `${title}: off, ${missing.join(' and ')} ${missing.length > 1 ? 'turn' : 'turns'} it on`
}
