/** What holds for every price and every request: a quote is a bound, and no provider can talk an amount into nonsense. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { imageTokenTables, type Price, type PriceItem } from '../models/price.ts'
import { priceDelivery } from './price-delivery.ts'
import type { Delivery, PricedWork } from './priced-work.ts'
import { quotePrice } from './quote-price.ts'

const runs = { numRuns: 300 }

const micros = fc.oneof(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.double({ min: 0, max: 1_000, noNaN: true, maxExcluded: true }),
)
const quality = fc.constantFrom('low', 'medium', 'high', 'auto')
const imageSize = fc.constantFrom('512', '1K', '2K', '4K')
const edge = fc.integer({ min: 1, max: 4_096 })
const size = fc.record({ width: edge, height: edge })
const perhaps = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 2 })

const imageItem: fc.Arbitrary<PriceItem> = fc.record({
  per: fc.constant('image' as const),
  micros,
  quality: perhaps(fc.constantFrom('low', 'medium', 'high')),
  imageSize: perhaps(imageSize),
  size: perhaps(fc.constantFrom('1024x1024', '512x512')),
  upToPixels: perhaps(fc.integer({ min: 1, max: 20_000_000 })),
})

/** Most of them are about pictures, where most depends on what is known. */
const item: fc.Arbitrary<PriceItem> = fc.oneof(
  { weight: 6, arbitrary: imageItem },
  fc.record({
    per: fc.constant('megapixel' as const),
    micros,
    from: perhaps(fc.double({ min: 0, max: 4, noNaN: true })),
    begun: perhaps(fc.constant(true as const)),
  }),
  fc.record({
    per: fc.constant('input image' as const),
    micros,
    from: perhaps(fc.integer({ min: 0, max: 3 })),
  }),
  fc.record({
    per: fc.constant('input megapixel' as const),
    micros,
    atMost: fc.integer({ min: 1, max: 16 }),
  }),
  fc.record({
    per: fc.constant('million tokens' as const),
    kind: fc.constantFrom('text in', 'image in', 'cached image in', 'image out'),
    micros: fc.integer({ min: 0, max: 60_000_000 }),
  }),
  fc.record({
    per: fc.constant('second' as const),
    micros,
    atMost: fc.double({ min: 0, max: 600, noNaN: true }),
  }),
  fc.record({ per: fc.constant('reported cost' as const), micros }),
)

const price: fc.Arbitrary<Price> = fc.record({
  items: fc.array(item, { minLength: 1, maxLength: 6 }),
  imageTokens: perhaps(fc.constantFrom(...imageTokenTables)),
  marginPercent: perhaps(
    fc.integer({ min: 0, max: 1_000_000 }).map((tenThousandths) => tenThousandths / 10_000),
  ),
  asOf: fc.constant('2026-11-21'),
  source: fc.constant('https://example.com'),
})

const work: fc.Arbitrary<PricedWork> = fc
  .record({
    n: fc.integer({ min: 1, max: 15 }),
    calls: fc.integer({ min: 1, max: 15 }),
    size: perhaps(size),
    mostPixels: fc.constant(4_096 * 4_096),
    imageSize: perhaps(imageSize),
    quality: perhaps(quality),
    inputImages: fc.integer({ min: 0, max: 16 }),
    promptBytes: fc.integer({ min: 0, max: 130_000 }),
    partialImages: fc.integer({ min: 0, max: 3 }),
  })
  .map((one) => ({ ...one, calls: Math.min(one.calls, one.n) }))

/** All pictures that were asked for, of the size that was named, else of any. */
const kept = work.chain((asked) => {
  const picture = asked.size ? fc.constant(asked.size) : size
  const images = fc.array(picture, { minLength: asked.n, maxLength: asked.n })
  return fc.record({ asked: fc.constant(asked), images, lost: fc.nat(2) })
})

test('what was quoted is never exceeded by what was asked for', () => {
  const holds = fc.property(price, kept, (terms, { asked, images, lost }) => {
    const { micros: quoted } = quotePrice(terms, asked)
    const { listMicros } = priceDelivery(terms, asked, { images: images.slice(lost) })
    expect(listMicros).toBeLessThanOrEqual(quoted)
  })
  fc.assert(holds, runs)
})

test('no single picture costs more than it was quoted, whichever items fit it', () => {
  const listOf = fc.array(imageItem, { minLength: 2, maxLength: 8 })
  const one = kept.map(({ asked, images }) => ({ asked: { ...asked, n: 1 }, images: images.slice(0, 1) }))
  const holds = fc.property(price, listOf, one, (terms, items, { asked, images }) => {
    const { micros: quoted } = quotePrice({ ...terms, items }, asked)
    expect(priceDelivery({ ...terms, items }, asked, { images }).listMicros).toBeLessThanOrEqual(quoted)
  })
  fc.assert(holds, { numRuns: 1_000 })
})

test('knowing the input pictures makes nothing dearer', () => {
  const pictures = fc.array(fc.integer({ min: 1, max: 100_000_000 }), { maxLength: 16 })
  const holds = fc.property(price, work, pictures, (terms, asked, inputPixels) => {
    const before = { ...asked, inputImages: inputPixels.length }
    const after = { ...before, inputPixels }
    expect(quotePrice(terms, after).micros).toBeLessThanOrEqual(quotePrice(terms, before).micros)
  })
  fc.assert(holds, runs)
})

test('more pictures never cost less', () => {
  const holds = fc.property(price, work, (terms, asked) => {
    const more = quotePrice(terms, { ...asked, n: asked.n + 1 }).micros
    expect(more).toBeGreaterThanOrEqual(quotePrice(terms, asked).micros)
  })
  fc.assert(holds, runs)
})

test('the parts add up to the sum', () => {
  const holds = fc.property(price, work, (terms, asked) => {
    const { micros: sum, components } = quotePrice(terms, asked)
    const added = components.reduce((total, one) => total + one.micros, 0)
    expect(added).toBeLessThan(sum + 1e-3)
    expect(added).toBeGreaterThan(sum - 1 - 1e-3)
  })
  fc.assert(holds, runs)
})

const lie = fc.oneof(
  fc.constantFrom(-1, Number.NaN, 1e308, -0, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, 2 ** 53, 0.1),
  fc.constantFrom<unknown>('NaN', '100', null, [], {}, true, 10n),
  fc.double(),
  fc.nat(),
)

/** Everything that a provider can say, as it would stand in an answer that nobody has checked. */
const lies = fc.record({
  images: fc.array(fc.record({ width: lie, height: lie }), { maxLength: 40 }),
  made: lie,
  quality: perhaps(fc.string()),
  usage: fc.option(
    fc.record({
      inputTokens: lie,
      outputTokens: lie,
      inputTokensDetails: perhaps(fc.record({ textTokens: lie, imageTokens: lie, cachedTokens: lie })),
    }),
    { nil: undefined },
  ),
  reportedMicros: lie,
  seconds: lie,
})

test('a provider that lies gets a whole, finite amount, never less than nothing', () => {
  const holds = fc.property(price, work, lies, (terms, asked, told) => {
    // What came over the wire has the types that its sender gave it.
    const { listMicros, providerMicros } = priceDelivery(terms, asked, told as Delivery)
    for (const amount of [listMicros, providerMicros ?? 0]) {
      expect(Number.isSafeInteger(amount) && amount >= 0, String(amount)).toBe(true)
    }
  })
  fc.assert(holds, runs)
})
