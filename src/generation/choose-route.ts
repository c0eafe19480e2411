/**
 * Which provider serves the model: the first route whose provider is configured on this server. Beside it, or where there is
 * none, the first route for which the caller's account keeps a key of its own.
 */
import type { Caller } from '../keys/authenticate.ts'
import { GessoError } from '../lib/errors.ts'
import type { Catalogue } from '../models/catalogue.ts'
import { type Model, type ModelRoute, type ServedModel, servedBy } from '../models/model.ts'
import type { Provider } from '../providers/provider.ts'

/** The providers that are on, by id, and how to turn the others on. */
export interface ProviderSet {
  get(id: string): Provider | undefined
  /** What an operator must set to turn a provider on, e.g. `OPENAI_API_KEY`. */
  howToConfigure(id: string): string
  /** The provider with an account's own key; undefined where that is not possible. */
  withKey(id: string, apiKey: string): Provider | undefined
  /** Could an account bring a key of its own? */
  acceptsOwnKeys(id: string): boolean
}

export interface RouteDependencies {
  catalogue: Catalogue
  providers: ProviderSet
}

export interface PlannedRoute extends ModelRoute {
  /** Can this server itself call the provider? Else only the account's own key for it can. */
  isConfigured: boolean
}

/** A route that can be called now, with the key of whoever pays the provider. */
export interface ChosenRoute extends ModelRoute {
  adapter: Provider
}

/** Who asks, as far as routes depend on it. */
type Owner = Pick<Caller, 'providerKeys'>

/**
 * The route in use, and after it the one of the account's own key where that is another. Throws `provider_not_configured`,
 * naming what to set.
 */
export function chooseRoutes(
  { providers }: Pick<RouteDependencies, 'providers'>,
  model: Model,
  owner: Owner,
): [PlannedRoute, ...PlannedRoute[]] {
  const [first, ...others] = openRoutes(providers, model, owner)
  if (first) return [first, ...others]
  const ways = model.routes.map((route) => providers.howToConfigure(route.provider))
  throw new GessoError({
    code: 'provider_not_configured',
    attribution: 'client',
    param: 'model',
    message: `${model.id} has no configured provider on this server. The operator turns it on by setting ${ways.join(', or ')}; gesso-collage works without any.`,
  })
}

/** The model with the abilities that its caller would have, and whether it can be used as things stand. */
export function offerModel(
  providers: ProviderSet,
  model: Model,
  owner: Owner,
): { model: ServedModel; isAvailable: boolean } {
  const [route] = openRoutes(providers, model, owner)
  return { model: servedBy(model, route ?? model.routes[0]), isAvailable: route !== undefined }
}

function openRoutes(providers: ProviderSet, model: Model, { providerKeys }: Owner): PlannedRoute[] {
  const configured = model.routes.find(({ provider }) => providers.get(provider) !== undefined)
  const own = model.routes.find(
    ({ provider }) => providerKeys.includes(provider) && providers.acceptsOwnKeys(provider),
  )
  return [
    ...(configured ? [{ ...configured, isConfigured: true }] : []),
    ...(own && own.provider !== configured?.provider ? [{ ...own, isConfigured: false }] : []),
  ]
}
