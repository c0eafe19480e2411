/** No route is without a price by oversight, and no price charges nonsense. */
import { describe, expect, it, test } from 'vitest'
import { builtInModels } from '../../catalogue.ts'
import { type PriceItem, price as priceSchema } from '../../price.ts'
import { everyServed } from '../../testing/served-models.ts'
import { azureRoutes } from './azure.ts'

const routes = everyServed(builtInModels)
const priced = routes.flatMap(({ id, price }) => (price ? [{ id, price }] : []))

/** Why nobody knows what they cost. */
const unpriced: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.keys(azureRoutes).map((id) => [`${id}@azure`, 'what the operator has agreed with Azure']),
  ),
  'qwen-image-2.1-lora@replicate': 'not published where it could be read',
}

test('every route has a price, or a reason why it has none', () => {
  const without = routes.filter(({ price }) => !price).map(({ id }) => id)
  expect(without.toSorted()).toEqual(Object.keys(unpriced).toSorted())
})

/** The most that an item can ask for one picture, in micro-USD; tokens cost what a picture of 10,000 of them does. */
function mostFor(item: PriceItem): number {
  if (item.per === 'second') return item.micros * item.atMost
  if (item.per === 'input megapixel') return item.micros * item.atMost
  return item.per === 'million tokens' ? item.micros / 100 : item.micros
}

describe.each(priced)('the price of $id', ({ price }) => {
  it('is a price, and no item asks more than five USD for a picture', () => {
    expect(priceSchema.safeParse(price).error).toBeUndefined()
    expect(price.items.length).toBeGreaterThan(0)
    for (const item of price.items) {
      expect(item.micros).toBeGreaterThanOrEqual(0)
      expect(mostFor(item)).toBeLessThanOrEqual(5_000_000)
    }
  })

  it('was read on a day that has been, at an address or here', () => {
    const day = new Date(price.asOf)
    expect(day.toISOString().slice(0, 10)).toBe(price.asOf)
    expect(day.getTime()).toBeLessThanOrEqual(Date.now())
    expect(price.source).toMatch(/^https:\/\/\S+$|^drawn on this server$/)
  })

  it('leaves no picture out, and no larger one is cheaper', () => {
    const images = price.items.filter((item) => item.per === 'image')
    const last = images.at(-1)
    if (last) expect(Object.keys(last).toSorted()).toEqual(['micros', 'per'])
    const bounded = images.filter(({ upToPixels }) => upToPixels !== undefined)
    for (const key of ['upToPixels', 'micros'] as const) {
      const values = bounded.map((item) => item[key] ?? 0)
      expect(values).toEqual(values.toSorted((a, b) => a - b))
    }
  })
})

/** What the services that others come from name, wherever it is served: micro-USD of a picture of this size. */
test.each([
  ['z-image-turbo@replicate', 512 * 512, 2_500],
  ['z-image-turbo@replicate', 1_024 * 1_024, 5_000],
  ['z-image-turbo@replicate', 2_048 * 2_048, 20_000],
  ['z-image-turbo@dashscope', 2_048 * 2_048, 15_000],
  ['z-image-turbo@fal', 1_024 * 1_024, 5_000],
  ['flux-pro@replicate', 1_024 * 1_024, 55_000],
  ['flux-1.1-pro@bfl', 1_024 * 1_024, 40_000],
  ['flux-1.1-pro@replicate', 1_440 * 1_440, 40_000],
  ['flux-1.1-pro@fal', 1_440 * 1_440, 80_000],
  ['flux-1.1-pro-ultra@bfl', 4_000_000, 60_000],
  ['flux-1.1-pro-ultra@replicate', 4_000_000, 60_000],
  ['flux-1.1-pro-ultra@fal', 4_000_000, 60_000],
  ['flux-1-schnell@replicate', 1_024 * 1_024, 3_000],
  ['flux-1-schnell@fal', 1_024 * 1_025, 6_000],
  ['qwen-image@replicate', 1_664 * 928, 25_000],
  ['qwen-image@dashscope', 1_664 * 928, 35_000],
  ['qwen-image@fal', 1_664 * 928, 40_000],
  ['qwen-image-2.0@dashscope', 2_048 * 2_048, 35_000],
  ['flux-2-pro@replicate', 2_048 * 2_048, 75_000],
  ['flux-2-pro@fal', 2_048 * 2_048, 75_000],
  ['flux-2-flex@replicate', 1_024 * 1_024, 60_000],
  ['seedream-5.0-pro@ark', 1_536 * 1_536, 45_000],
  ['seedream-5.0-pro@ark', 2_048 * 2_048, 90_000],
])('%s of %i pixels costs %i', (id, pixels, micros) => {
  const { price } = priced.find((one) => one.id === id) ?? expect.fail(id)
  const flat = price.items.find((item) => item.per === 'image' && (item.upToPixels ?? pixels) >= pixels)
  const megapixels = price.items.flatMap((item) =>
    item.per === 'megapixel' && item.begun
      ? item.micros * (Math.ceil(pixels / 1_048_576) - (item.from ?? 0))
      : [],
  )
  expect(megapixels.reduce((sum, one) => sum + one, flat?.micros ?? 0)).toBe(micros)
})
