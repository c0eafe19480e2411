/** What is charged for what was delivered, to the micro-USD, whatever the provider says of it. */
import { describe, expect, test } from 'vitest'
import type { Price, PriceItem } from '../models/price.ts'
import { servedModel } from '../models/testing/served-models.ts'
import { priceDelivery } from './price-delivery.ts'
import type { Delivery, PricedWork } from './priced-work.ts'
import { quotePrice } from './quote-price.ts'

const nothing: PricedWork = { n: 1, calls: 1, inputImages: 0, promptBytes: 0, partialImages: 0 }
const square = { width: 1024, height: 1024 }

function priceOf(...items: PriceItem[]): Price {
  return { items, asOf: '2026-11-21', source: 'https://example.com/pricing' }
}

function listed(id: string, provider?: string): Price {
  return servedModel(id, provider).price ?? expect.fail(`${id} has no price`)
}

const deliver = (price: Price, work: Partial<PricedWork>, made: Partial<Delivery> = {}) =>
  priceDelivery(price, { ...nothing, ...work }, { images: [square], ...made })

describe('tokens', () => {
  const price = listed('gpt-image-2')
  const low = { size: square, quality: 'low', promptBytes: 400 }

  test('are charged as they were reported', () => {
    const usage = {
      outputTokens: 208,
      inputTokens: 90,
      inputTokensDetails: { textTokens: 90, imageTokens: 0 },
    }
    expect(deliver(price, low, { usage })).toEqual({ listMicros: 6_690, providerMicros: 6_690 })
  })

  test('of words are known without details where there is no picture', () => {
    expect(deliver(price, low, { usage: { outputTokens: 196, inputTokens: 10 } }).listMicros).toBe(5_930)
  })

  test('that were cached are cheaper', () => {
    const inputTokensDetails = { textTokens: 10, imageTokens: 1_000, cachedTokens: 400 }
    const usage = { outputTokens: 196, inputTokens: 1_010, inputTokensDetails }
    const work = { ...low, inputImages: 1 }
    expect(deliver(price, work, { usage }).listMicros).toBe(5_880 + 50 + 600 * 8 + 400 * 2)
    const lying = { ...usage, inputTokensDetails: { ...inputTokensDetails, cachedTokens: 5_000 } }
    expect(deliver(price, work, { usage: lying }).listMicros).toBe(5_880 + 50 + 1_000 * 8)
  })

  test('are the table’s where nothing was reported, and then nobody knows what the provider charges', () => {
    expect(deliver(price, low)).toEqual({ listMicros: 5_880 + 416 * 5, providerMicros: null })
  })

  test.each([100 * 196, 0, -1, Number.NaN, 1e308, 19.5, Number.POSITIVE_INFINITY])(
    'are the table’s where the report is %d',
    (outputTokens) => {
      const usage = {
        outputTokens,
        inputTokensDetails: { textTokens: outputTokens, imageTokens: outputTokens },
      }
      expect(deliver(price, low, { usage })).toEqual(deliver(price, low))
    },
  )

  test('are the table’s where the report is no number at all', () => {
    const usage: object = { outputTokens: 'NaN', inputTokensDetails: { textTokens: null, imageTokens: [] } }
    expect(deliver(price, low, { usage })).toEqual(deliver(price, low))
  })

  test('may be more than was quoted, for the operator to know', () => {
    const usage = { outputTokens: 365, inputTokens: 1 }
    const { providerMicros } = deliver(price, low, { usage })
    expect(providerMicros).toBe(10_955)
    expect(providerMicros).toBeGreaterThan(quotePrice(price, { ...nothing, ...low }).micros)
  })

  test('three of 0.15 micro-USD make one micro-USD', () => {
    const fine = priceOf({ per: 'million tokens', kind: 'image out', micros: 150_000 })
    expect(deliver(fine, low, { usage: { outputTokens: 3, inputTokens: 9 } }).listMicros).toBe(1)
    expect(deliver(fine, low, { usage: { outputTokens: 7, inputTokens: 9 } }).listMicros).toBe(2)
  })

  test('count the quality that the provider chose, where it told', () => {
    const auto = { size: square, quality: 'auto' }
    expect(deliver(price, auto, { quality: 'low' }).listMicros).toBe(5_880 + 80)
    expect(deliver(price, { ...auto, quality: 'high' }, { quality: 'low' }).listMicros).toBe(210_720 + 80)
  })
})

describe('pictures', () => {
  test('are charged as many as came', () => {
    const price = listed('seedream-4.5', 'ark')
    const each = deliver(price, {}).listMicros
    expect(each).toBeGreaterThan(0)
    expect(deliver(price, { n: 4, calls: 1 }, { images: [square, square] }).listMicros).toBe(2 * each)
  })

  test('are charged by their true pixels', () => {
    const price = listed('gemini-3.1-flash-image')
    const images = [
      { width: 512, height: 512 },
      { width: 4096, height: 4096 },
    ]
    expect(deliver(price, { n: 2, calls: 2, mostPixels: 16_777_216 }, { images })).toEqual({
      listMicros: 196_000,
      providerMicros: 196_000,
    })
  })

  test('of calls that brought nothing, input pictures are not charged', () => {
    const price = priceOf({ per: 'image', micros: 10 }, { per: 'input image', micros: 3 })
    expect(deliver(price, { n: 4, calls: 4, inputImages: 1 }, { images: [square] }).listMicros).toBe(13)
  })

  test('of an impossible size are charged, not thrown at', () => {
    const price = listed('flux-2-pro', 'bfl')
    const images = [
      { width: Number.NaN, height: 5 },
      { width: 1e308, height: 1e308 },
      { width: -5, height: 0.5 },
    ]
    const { listMicros } = deliver(price, { n: 3 }, { images })
    expect(Number.isSafeInteger(listMicros)).toBe(true)
  })
})

describe('a cost that was reported', () => {
  const price = { ...priceOf({ per: 'reported cost', micros: 70_000 }), marginPercent: 10 }

  test.each<[number | undefined, number, number | null]>([
    // xAI tells ticks of 1e-10 USD, so parts of a micro-USD come.
    [20_000.5, 22_001, 20_001],
    [0, 0, 0],
    [undefined, 77_000, null],
    [Number.NaN, 77_000, null],
    [-1, 77_000, null],
    [1e308, 77_000, null],
    [7_000_000, 77_000, 7_000_000],
  ])('of %d charges %d', (reportedMicros, listMicros, providerMicros) => {
    expect(deliver(price, {}, { reportedMicros })).toEqual({ listMicros, providerMicros })
  })

  test('beside a list price is the operator’s only', () => {
    expect(deliver(listed('flux-2-pro', 'bfl'), {}, { reportedMicros: 31_000 })).toEqual({
      listMicros: 30_000,
      providerMicros: 31_000,
    })
  })
})

describe('seconds', () => {
  const price = priceOf({ per: 'second', micros: 975, atMost: 60 })

  test.each<[number | undefined, number, number | null]>([
    [2.5, 2_438, 2_438],
    [600, 58_500, 58_500],
    [undefined, 58_500, null],
    [Number.NaN, 58_500, null],
    [-3, 58_500, null],
    [1e308, 58_500, null],
  ])('%d come to %d', (seconds, listMicros, providerMicros) => {
    expect(deliver(price, {}, { seconds })).toEqual({ listMicros, providerMicros })
  })
})

describe('what was lost on the way', () => {
  const four = { n: 4, calls: 1 }
  const lost = { images: [square, square, square], made: 4 }

  test('is not charged, and the provider wants it all the same', () => {
    const tokens = listed('gpt-image-2')
    const usage = { inputTokens: 40, outputTokens: 784 }
    const low = { ...four, size: square, quality: 'low' }
    expect(deliver(tokens, low, { ...lost, usage })).toEqual({
      listMicros: 588 * 30 + 30 * 5,
      providerMicros: 784 * 30 + 40 * 5,
    })
    expect(deliver(priceOf({ per: 'image', micros: 10 }), four, lost)).toEqual({
      listMicros: 30,
      providerMicros: 40,
    })
    const reported = priceOf({ per: 'reported cost', micros: 70_000 })
    expect(deliver(reported, four, { ...lost, reportedMicros: 80_000 })).toEqual({
      listMicros: 60_000,
      providerMicros: 80_000,
    })
    const second = priceOf({ per: 'second', micros: 1_000, atMost: 60 })
    expect(deliver(second, four, { ...lost, seconds: 8 })).toEqual({
      listMicros: 6_000,
      providerMicros: 8_000,
    })
  })

  test('does not raise what the delivered ones can cost', () => {
    const one = { n: 4, calls: 4 }
    const reported = priceOf({ per: 'reported cost', micros: 70_000 })
    expect(deliver(reported, one, { reportedMicros: 7_000_000 }).listMicros).toBe(70_000)
    const second = priceOf({ per: 'second', micros: 1_000, atMost: 60 })
    expect(deliver(second, one, { seconds: 1e6 }).listMicros).toBe(60_000)
  })
})

test('the margin is the callers’, not the provider’s', () => {
  const price = { ...priceOf({ per: 'image', micros: 40_000 }), marginPercent: 25 }
  expect(deliver(price, {})).toEqual({ listMicros: 50_000, providerMicros: 40_000 })
})
