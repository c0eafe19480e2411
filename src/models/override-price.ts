/** Prices of this server's own, from `prices:` in `gesso.yaml`, put over those of the catalogue. */
import type { Model, ModelRoute } from './model.ts'
import type { Price } from './price.ts'

/** What an operator says of one model. */
export interface PriceOverride {
  /** Only where this provider serves it; absent: wherever it is served. */
  provider?: string
  /** In place of the vendor's items; absent: as the catalogue has them. */
  items?: Price['items']
  image_tokens?: Price['imageTokens']
  /** On top of the items. */
  margin_percent?: number
  as_of?: string
}

export interface PriceOverrides {
  /** On top of every price that has no margin of its own. */
  margin_percent?: number
  /** By id or alias. */
  models: Readonly<Record<string, PriceOverride>>
}

/** The model with the prices that this server asks. What has no price and is given none stays without. */
export function overridePrices(
  model: Model,
  own: {
    /** The one that is meant for this model. */
    price?: PriceOverride
    /** For every price that has no margin of its own. */
    marginPercent?: number
  },
): Model {
  const [first, ...others] = model.routes
  const priced = (route: ModelRoute): ModelRoute => {
    const isMeant = (own.price?.provider ?? route.provider) === route.provider
    return {
      ...route,
      price: overridden(route.price, isMeant ? own.price : undefined, own.marginPercent),
    }
  }
  return { ...model, routes: [priced(first), ...others.map(priced)] }
}

function overridden(
  price: Price | undefined,
  override: PriceOverride | undefined,
  marginOfAll: number | undefined,
): Price | undefined {
  const base = override?.items ? configured(override, override.items, price) : price
  const marginPercent = override?.margin_percent ?? base?.marginPercent ?? marginOfAll
  return base && { ...base, ...(marginPercent === undefined ? {} : { marginPercent }) }
}

function configured(override: PriceOverride, items: Price['items'], price: Price | undefined): Price {
  const { image_tokens: imageTokens = price?.imageTokens, as_of: asOf = 'configured' } = override
  return { items, ...(imageTokens ? { imageTokens } : {}), asOf, source: 'gesso.yaml' }
}
