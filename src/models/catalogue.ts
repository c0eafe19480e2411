/**
 * Every model this Gesso knows: the built-in ones and those of `gesso.yaml`, found by id or alias.
 */
import { GessoError } from '../lib/errors.ts'
import { collageModels } from './catalogue/collage.ts'
import { fluxModels } from './catalogue/flux.ts'
import { geminiModels } from './catalogue/gemini.ts'
import type { Identity, RouteTable } from './catalogue/identity.ts'
import { openAiModels } from './catalogue/openai.ts'
import { qwenModels } from './catalogue/qwen.ts'
import { arkRoutes } from './catalogue/routes/ark.ts'
import { azureRoutes } from './catalogue/routes/azure.ts'
import { bflRoutes } from './catalogue/routes/bfl.ts'
import { collageRoutes } from './catalogue/routes/collage.ts'
import { dashscopeRoutes } from './catalogue/routes/dashscope.ts'
import { falRoutes } from './catalogue/routes/fal.ts'
import { geminiRoutes } from './catalogue/routes/gemini.ts'
import { openaiRoutes } from './catalogue/routes/openai.ts'
import { replicateRoutes } from './catalogue/routes/replicate.ts'
import { seedreamModels } from './catalogue/seedream.ts'
import { wanModels } from './catalogue/wan.ts'
import { type ConfiguredModel, fromConfiguration } from './configured-model.ts'
import type { Model } from './model.ts'
import { overridePrices, type PriceOverrides } from './override-price.ts'

/** In the order in which they are listed. */
export const identities: readonly Identity[] = [
  ...collageModels,
  ...openAiModels,
  ...fluxModels,
  ...qwenModels,
  ...wanModels,
  ...seedreamModels,
  ...geminiModels,
]

/** In the order in which they are preferred, where several serve a model. */
export const routeTables: readonly RouteTable[] = [
  collageRoutes,
  openaiRoutes,
  azureRoutes,
  bflRoutes,
  replicateRoutes,
  dashscopeRoutes,
  arkRoutes,
  geminiRoutes,
  falRoutes,
]

/** What Gesso knows without being told. */
export const builtInModels: readonly Model[] = identities.flatMap((identity) => {
  const [first, ...others] = routeTables.flatMap((table) => table[identity.id] ?? [])
  return first ? { ...identity, routes: [first, ...others] } : []
})

export interface Catalogue {
  /** All models, built-in ones first. */
  all(): readonly Model[]
  /** The model of this id or alias. Throws `model_not_found`. */
  resolve(idOrAlias: string): Model
}

/** Builds the catalogue. A configured model replaces a built-in one of the same id, configured prices the vendors'. */
export function createCatalogue(
  configured: readonly ConfiguredModel[],
  prices: PriceOverrides = { models: {} },
): Catalogue {
  const models = new Map<string, Model>()
  for (const model of [...builtInModels, ...configured.map(fromConfiguration)]) models.set(model.id, model)
  const idOf = new Map<string, string>()
  for (const { id, aliases } of models.values()) for (const alias of aliases) idOf.set(alias, id)
  for (const id of models.keys()) idOf.set(id, id)
  const own = new Map(Object.entries(prices.models).map(([name, price]) => [idOf.get(name), price]))
  for (const [id, model] of models) {
    models.set(id, overridePrices(model, { price: own.get(id), marginPercent: prices.margin_percent }))
  }

  return {
    all: () => [...models.values()],
    resolve(idOrAlias) {
      const model = models.get(idOf.get(idOrAlias) ?? '')
      if (model) return model
      // What does not look like an id may be an address with a password in it.
      const shown =
        /^[\w./:-]{1,100}$/.test(idOrAlias) && !idOrAlias.includes('://')
          ? JSON.stringify(idOrAlias)
          : 'of this name'
      throw new GessoError({
        code: 'model_not_found',
        attribution: 'client',
        param: 'model',
        message: `There is no model ${shown}. GET /v1/models lists what this server has: ${[...models.keys()].slice(0, 12).join(', ')}${models.size > 12 ? ', …' : ''}.`,
      })
    },
  }
}
