/** Quotes, to the micro-USD. */
import { describe, expect, test } from 'vitest'
import type { Price, PriceItem } from '../models/price.ts'
import { servedModel } from '../models/testing/served-models.ts'
import type { PricedWork } from './priced-work.ts'
import { quotePrice } from './quote-price.ts'

const nothing: PricedWork = { n: 1, calls: 1, inputImages: 0, promptBytes: 0, partialImages: 0 }

function priceOf(...items: PriceItem[]): Price {
  return { items, asOf: '2026-11-21', source: 'https://example.com/pricing' }
}

function listed(id: string, provider?: string): Price {
  const { price } = servedModel(id, provider)
  return price ?? expect.fail(`${id} has no price`)
}

const quote = (price: Price, work: Partial<PricedWork>) => quotePrice(price, { ...nothing, ...work }).micros
const square = { width: 1024, height: 1024 }

describe('GPT Image 2, by tokens', () => {
  const price = listed('gpt-image-2')
  // 16 tokens of text stand beside every prompt.
  const words = 16 * 5

  test.each([
    ['low', 5_880],
    ['medium', 52_680],
    ['high', 210_720],
    ['auto', 210_720],
    [undefined, 210_720],
  ])('%s', (quality, micros) => {
    expect(quote(price, { size: square, quality })).toBe(micros + words)
  })

  test('each prompt, input picture, unfinished picture and further picture costs', () => {
    const plain = quote(price, { size: square, quality: 'low' })
    expect(quote(price, { size: square, quality: 'low', promptBytes: 100 })).toBe(plain + 500)
    expect(quote(price, { size: square, quality: 'low', partialImages: 2 })).toBe(plain + 6_000)
    expect(quote(price, { size: square, quality: 'low', inputImages: 1 })).toBe(plain + 2_048 * 8 + 32 * 5)
    expect(quote(price, { size: square, quality: 'low', n: 4 })).toBe(4 * plain)
  })

  test('a size that the model chooses is the largest it can be', () => {
    expect(quote(price, { mostPixels: 8_294_400, quality: 'low' })).toBe(
      Math.ceil((16 * 16 * 10_294_400) / 4_000_000) * 30 + words,
    )
  })

  test('names its parts, which add up', () => {
    const { micros, components } = quotePrice(price, {
      ...nothing,
      size: square,
      quality: 'low',
      promptBytes: 10,
    })
    expect(components).toEqual([
      { per: 'million tokens', of: 'text in', quantity: 26, unit_micros: 5_000_000, micros: 130 },
      { per: 'million tokens', of: 'image out', quantity: 196, unit_micros: 30_000_000, micros: 5_880 },
    ])
    expect(micros).toBe(6_010)
  })
})

test('old ids cost what draws them', () => {
  expect(listed('dall-e-3')).toEqual(listed('gpt-image-2'))
  expect(quote(listed('dall-e-3'), { size: square, quality: 'medium' })).toBe(52_760)
})

test('what is drawn on this server is free, which is not the same as without a price', () => {
  expect(quotePrice(listed('gesso-collage'), { ...nothing, n: 4 })).toEqual({
    micros: 0,
    components: [{ per: 'image', quantity: 4, unit_micros: 0, micros: 0 }],
  })
})

describe('Gemini, by class', () => {
  const price = listed('gemini-3.1-flash-image')

  test.each<[Partial<PricedWork>, number]>([
    [{ imageSize: '512' }, 45_000],
    [{ imageSize: '1K' }, 67_000],
    [{ imageSize: '4K', n: 2 }, 302_000],
    [{ size: { width: 1376, height: 768 } }, 67_000],
    [{ size: { width: 2048, height: 2048 } }, 101_000],
    [{ mostPixels: 16_777_216 }, 151_000],
  ])('%j is %d', (work, micros) => {
    expect(quote(price, work)).toBe(micros)
  })
})

describe('FLUX, by megapixel', () => {
  const price = listed('flux-2-pro', 'bfl')

  test.each<[Partial<PricedWork>, number]>([
    [{ size: square }, 30_000],
    [{ size: { width: 512, height: 512 } }, 30_000],
    [{ size: { width: 1040, height: 1024 } }, 45_000],
    [{ size: { width: 2048, height: 2048 } }, 75_000],
    [{ mostPixels: 4_194_304 }, 75_000],
    // Before the input picture is there it may be as large as they come; then it is what it is.
    [{ size: square, inputImages: 1 }, 90_000],
    [{ size: square, inputImages: 1, inputPixels: [1_000_000] }, 45_000],
    [{ size: square, inputImages: 2, inputPixels: [1_048_577, 90_000_000], n: 2, calls: 2 }, 240_000],
  ])('%j is %d', (work, micros) => {
    expect(quote(price, work)).toBe(micros)
  })

  test('without rounding to whole ones, a part of a megapixel costs its part', () => {
    const fine = priceOf({ per: 'image', micros: 10_000 }, { per: 'megapixel', micros: 3_000, from: 1 })
    expect(quote(fine, { size: { width: 1500, height: 1000 } })).toBe(11_500)
    expect(quote(fine, { size: { width: 100, height: 100 } })).toBe(10_000)
  })
})

describe('items that narrow', () => {
  const byQuality = priceOf(
    { per: 'image', micros: 1, quality: 'low' },
    { per: 'image', micros: 9, quality: 'high' },
    { per: 'image', micros: 3 },
  )

  test.each<[string | undefined, number]>([
    ['low', 1],
    ['high', 9],
    ['medium', 3],
    ['auto', 9],
    [undefined, 9],
  ])('quality %s pays %d', (quality, micros) => {
    expect(quote(byQuality, { quality })).toBe(micros)
  })

  test('the first that fits counts, whatever is behind it', () => {
    const price = priceOf({ per: 'image', micros: 2 }, { per: 'image', micros: 50, quality: 'high' })
    expect(quote(price, { quality: 'high' })).toBe(2)
  })

  test('a size by its pixels, and one by its name', () => {
    const price = priceOf(
      { per: 'image', micros: 5, size: '1024x1024' },
      { per: 'image', micros: 7, upToPixels: 2_000_000 },
      { per: 'image', micros: 8 },
    )
    expect(quote(price, { size: square })).toBe(5)
    expect(quote(price, { size: { width: 1024, height: 1025 } })).toBe(7)
    expect(quote(price, { mostPixels: 2_000_000 })).toBe(7)
    expect(quote(price, {})).toBe(8)
  })

  test('a hole in the list makes nothing free', () => {
    const price = priceOf(
      { per: 'image', micros: 4, quality: 'low' },
      { per: 'image', micros: 6, quality: 'hd' },
    )
    expect(quote(price, { quality: 'medium' })).toBe(6)
  })
})

describe('what only the provider can tell', () => {
  test('seconds are the most that a call can take', () => {
    const price = priceOf({ per: 'second', micros: 975, atMost: 60 })
    expect(quote(price, { calls: 3, n: 3 })).toBe(175_500)
  })

  test('a cost is the most that a picture can have', () => {
    expect(quote(priceOf({ per: 'reported cost', micros: 70_000 }), { n: 3 })).toBe(210_000)
  })

  test('input pictures, of which some are free', () => {
    const price = priceOf({ per: 'image', micros: 10 }, { per: 'input image', micros: 3, from: 1 })
    expect([0, 1, 3].map((inputImages) => quote(price, { inputImages, n: 2, calls: 2 }))).toEqual([
      20, 20, 32,
    ])
  })
})

describe('rounding', () => {
  test('happens once for a request, upwards', () => {
    const price = priceOf({ per: 'image', micros: 0.45 }, { per: 'input image', micros: 0.45 })
    expect(quote(price, { inputImages: 1 })).toBe(1)
    expect(quote(priceOf({ per: 'image', micros: 0.45 }), { n: 3 })).toBe(2)
  })

  test('a margin is in it', () => {
    const price = { ...priceOf({ per: 'image', micros: 40_000 }), marginPercent: 12.5 }
    expect(quote(price, { n: 3 })).toBe(135_000)
    expect(quotePrice(price, nothing).components).toEqual([
      { per: 'image', quantity: 1, unit_micros: 45_000, micros: 45_000 },
    ])
    expect(quote({ ...price, marginPercent: 0.0001 }, {})).toBe(40_001)
  })

  test('no sum is more than a number can say', () => {
    expect(quote(priceOf({ per: 'image', micros: 1e300 }), { n: 10 })).toBe(Number.MAX_SAFE_INTEGER)
  })
})
