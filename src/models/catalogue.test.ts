/** The catalogue as a whole: what is listed is served, what is served is listed, and by providers there are. */
import { expect, test } from 'vitest'
import { providerDefinitions } from '../providers/registry.ts'
import { builtInModels, identities, routeTables } from './catalogue.ts'
import { everyServed } from './testing/served-models.ts'

test('every model is served by somebody, and every route is a model’s', () => {
  const served = new Set(routeTables.flatMap(Object.keys))
  expect(identities.map(({ id }) => id).filter((id) => !served.has(id))).toEqual([])
  const ids = new Set(identities.map(({ id }) => id))
  expect([...served].filter((id) => !ids.has(id))).toEqual([])
})

test('no two models answer to one name', () => {
  const names = builtInModels.flatMap(({ id, aliases }) => [id, ...aliases])
  expect(names).toEqual([...new Set(names)])
})

test('every route leads to a provider and a dialect that there are', () => {
  for (const { id, routes } of builtInModels) {
    for (const { provider, dialect } of routes) {
      const definition = providerDefinitions.find((one) => one.id === provider)
      expect(definition, `${id} at ${provider}`).toBeDefined()
      if (dialect) expect(definition?.dialects, `${id} at ${provider}`).toContain(dialect)
    }
  }
})

test('a successor of a closed model is listed itself', () => {
  const ids = builtInModels.map(({ id }) => id)
  for (const { retired } of builtInModels) if (retired) expect(ids).toContain(retired.successor)
})

test('every price is whole micro-USD, dated and sourced', () => {
  const prices = everyServed(builtInModels).flatMap(({ id, price }) => (price ? [{ id, price }] : []))
  expect(prices.length).toBeGreaterThan(20)
  for (const { id, price } of prices) {
    expect(price.asOf, id).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(price.source, id).toMatch(/\S/)
    expect(price.items.length, id).toBeGreaterThan(0)
    const isFree = id.endsWith('@collage')
    for (const { micros } of price.items) {
      expect(Number.isSafeInteger(micros) && (isFree ? micros === 0 : micros > 0), id).toBe(true)
    }
  }
})
