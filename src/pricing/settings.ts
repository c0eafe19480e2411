/** `prices:` in `gesso.yaml`: a margin for everything, and prices of one's own for single models. */
import { z } from 'zod'
import { text } from '../lib/setting.ts'
import { createCatalogue } from '../models/catalogue.ts'
import type { ConfiguredModel } from '../models/configured-model.ts'
import { asOf, configuredItems, imageTokens, marginPercent } from '../models/configured-price.ts'

const modelPrice = z
  .strictObject({
    /** Only where this provider serves it; absent: wherever it is served. */
    provider: text("a provider's id, such as openai").optional(),
    /** What the vendor asks; absent: as Gesso knows it. */
    items: configuredItems.optional(),
    image_tokens: imageTokens.optional(),
    /** What callers pay on top of the items. */
    margin_percent: marginPercent.optional(),
    as_of: asOf.optional(),
  })
  .refine(({ items, margin_percent }) => items !== undefined || margin_percent !== undefined, {
    error: 'items, margin_percent, or both',
  })

export const priceSettings = z.strictObject({
  /** What callers pay on top of every price that has no margin of its own. */
  margin_percent: marginPercent.optional(),
  /** By id or alias. */
  models: z.record(z.string(), modelPrice).default({}),
})

type PriceSettings = z.infer<typeof priceSettings>

/** The prices that could never be asked, because there is no such model, or not there. */
export function checkPricedModels(
  { models, prices }: { models: readonly ConfiguredModel[]; prices: PriceSettings },
  context: z.RefinementCtx,
): void {
  const served = servingProviders(models)
  const priced = new Map<string, string>()
  for (const [name, { provider }] of Object.entries(prices.models)) {
    const found = served.get(name)
    const earlier = found && priced.get(found.id)
    if (found) priced.set(found.id, name)
    const path = ['prices', 'models', name]
    const problem = (message: string, ...deeper: string[]) =>
      context.addIssue({ code: 'custom', path: [...path, ...deeper], message })
    if (!found) problem('the id or an alias of a model that there is')
    else if (earlier) problem(`one price for a model: ${earlier} is the same one`)
    else if (provider !== undefined && !found.providers.includes(provider)) {
      problem(`one of ${found.providers.join(', ')}`, 'provider')
    }
  }
}

/** By every name that a model is found by. */
function servingProviders(models: readonly ConfiguredModel[]) {
  const served = createCatalogue(models)
    .all()
    .map(({ id, aliases, routes }) => ({ id, aliases, providers: routes.map(({ provider }) => provider) }))
  return new Map([
    ...served.flatMap((model) => model.aliases.map((alias) => [alias, model] as const)),
    ...served.map((model) => [model.id, model] as const),
  ])
}
