/** Models as their routes serve them, for tests that go over all of them. */
import { createCatalogue } from '../catalogue.ts'
import { type Model, type ServedModel, servedBy } from '../model.ts'

/** The model as its first route serves it, or that of the provider. */
export function served(model: Model, provider?: string): ServedModel {
  const route = provider ? model.routes.find((one) => one.provider === provider) : model.routes[0]
  if (!route) throw new Error(`${model.id} is not served by ${provider}`)
  return servedBy(model, route)
}

/** A built-in model by its id, as its first route serves it, or that of the provider. */
export function servedModel(id: string, provider?: string): ServedModel {
  return served(createCatalogue([]).resolve(id), provider)
}

/** Every model as each of its routes serves it; the id names the provider too. */
export function everyServed(models: readonly Model[]): ServedModel[] {
  return models.flatMap((model) =>
    model.routes.map((route) => ({ ...servedBy(model, route), id: `${model.id}@${route.provider}` })),
  )
}
