/** Which provider serves the model: the first route whose provider is configured. */
import { GessoError } from '../lib/errors.ts'
import type { Catalogue } from '../models/catalogue.ts'
import { type Model, type ModelRoute, type ServedModel, servedBy } from '../models/model.ts'
import type { Provider } from '../providers/provider.ts'

/** The providers that are on, by id, and how to turn the others on. */
export interface ProviderSet {
  get(id: string): Provider | undefined
  /** What an operator must set to turn a provider on, e.g. `OPENAI_API_KEY`. */
  howToConfigure(id: string): string
}

export interface RouteDependencies {
  catalogue: Catalogue
  providers: ProviderSet
}

export interface ChosenRoute extends ModelRoute {
  adapter: Provider
}

/** Throws `provider_not_configured`, naming what to set. */
export function chooseRoute(dependencies: RouteDependencies, model: Model): ChosenRoute {
  for (const route of model.routes) {
    const adapter = dependencies.providers.get(route.provider)
    if (adapter) return { ...route, adapter }
  }
  const ways = model.routes.map((route) => dependencies.providers.howToConfigure(route.provider))
  throw new GessoError({
    code: 'provider_not_configured',
    attribution: 'client',
    param: 'model',
    message: `${model.id} has no configured provider on this server. The operator turns it on by setting ${ways.join(', or ')}; gesso-collage works without any.`,
  })
}

/** The model with the abilities that this server gives it: those of the route in use, else of its first one. */
export function served(providers: Pick<ProviderSet, 'get'>, model: Model): ServedModel {
  const route = model.routes.find((one) => providers.get(one.provider) !== undefined)
  return servedBy(model, route ?? model.routes[0])
}

/** Can the model be used as things stand? */
export function isAvailable(providers: ProviderSet, model: Model): boolean {
  return model.routes.some((route) => providers.get(route.provider) !== undefined)
}
