/** What an operator is told about `prices:`, and what a good one comes to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load-config.ts'
import { createCatalogue } from '../models/catalogue.ts'
import { describeModel } from '../models/describe-model.ts'
import { servedBy } from '../models/model.ts'
import { quotePrice } from './quote-price.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-prices-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function load(yaml: string) {
  writeFileSync(join(folder, 'gesso.yaml'), yaml)
  return loadConfig({}, folder).config
}

function problemsOf(yaml: string): string[] {
  try {
    load(yaml)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ setting, expected, found }) => `${setting}: ${expected}; ${found}`)
  }
  return []
}

function routesOf(yaml: string, id: string) {
  const { models, prices } = load(yaml)
  return createCatalogue(models, prices).resolve(id).routes
}

const price = (yaml: string, id: string, provider?: string) =>
  routesOf(yaml, id).find((route) => provider === undefined || route.provider === provider)?.price

const items = (...written: string[]) =>
  `prices: { models: { gpt-image-2: { items: [${written.join(', ')}] } } }`

describe('an amount', () => {
  test.each([
    ['usd: 0.04', 40_000],
    ['usd: "0.04"', 40_000],
    ['usd: 0.00067', 670],
    ['usd: 0.0000001', 0.1],
    ['usd: 4.35', 4_350_000],
    ['usd: 0', 0],
    ['usd: "10000"', 10_000_000_000],
    ['micros: 0.15', 0.15],
    ['micros: 40000', 40_000],
  ])('%s is %d micro-USD exactly', (written, micros) => {
    expect(price(items(`{ per: image, ${written} }`), 'gpt-image-2')?.items).toEqual([
      { per: 'image', micros },
    ])
  })

  test.each([
    ['{ per: image, usd: 0.04, micros: 40000 }', 'either usd or micros'],
    ['{ per: image }', 'either usd or micros'],
    ['{ per: image, usd: -1 }', 'an amount in USD'],
    ['{ per: image, usd: 1e5 }', 'an amount in USD'],
    ['{ per: image, usd: "1e-3" }', 'an amount in USD'],
    ['{ per: image, usd: "$1" }', 'an amount in USD'],
    // Would be no price at all, or another one.
    ['{ per: image, usd: 1e-13 }', 'up to 12 decimals'],
    ['{ per: image, usd: 0.30000000000000004 }', 'up to 12 decimals'],
    ['{ per: image, usd: 1, quality: hi }', 'one of low, medium'],
    ['{ per: image, usd: 1, image_size: 2k }', 'one of 512, 1K, 2K, 4K'],
    ['{ per: image, usd: .nan }', 'an amount in USD'],
    ['{ per: image, usd: .inf }', 'an amount in USD'],
    ['{ per: image, micros: "0.1234567" }', 'micro-USD'],
    ['{ per: picture, usd: 1 }', 'one of image, megapixel, input image'],
    ['{ usd: 1 }', 'one of image, megapixel, input image'],
    ['{ per: image, usd: 1, size: large }', 'a size such as 1024x1024'],
    ['{ per: image, usd: 1, imageSize: 2K }', 'no such setting here'],
    ['{ per: second, usd: 1 }', 'seconds from 0 to 86400'],
    ['{ per: million tokens, usd: 1, kind: words }', 'one of text in, image in'],
    ['3', 'an item such as'],
  ])('of %s is a problem', (item, expected) => {
    const told = problemsOf(items(item))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^prices\.models\.gpt-image-2\.items\.0/)
    expect(told[0]).toContain(expected)
  })

  test('every problem is told, not only the first', () => {
    const told = problemsOf(`prices:
  margin_percent: -3
  models:
    gpt-image-2: { items: [{ per: image, usd: x }, { per: image }] }
    flux-2-pro: { margin_percent: 0.00001 }
    gpt-image-1: { provider: openai }
    wan2.7-image: { items: [] }`)
    expect(told.map((one) => one.split(':')[0])).toEqual([
      'prices.margin_percent',
      'prices.models.gpt-image-2.items.0.usd',
      'prices.models.gpt-image-2.items.1',
      'prices.models.flux-2-pro.margin_percent',
      'prices.models.gpt-image-1',
      'prices.models.wan2.7-image.items',
    ])
  })
})

describe('items', () => {
  test.each([
    ['that no picture reaches', 1, '{ per: image, usd: 1 }, { per: image, usd: 2, quality: low }'],
    [
      'that charge no picture',
      '',
      '{ per: input image, usd: 1 }, { per: million tokens, usd: 5, kind: text in }',
    ],
  ])('%s are a problem', (_, index, written) => {
    const path = ['prices.models.gpt-image-2.items', index].filter((part) => part !== '').join('.')
    expect(problemsOf(items(written))).toEqual([expect.stringMatching(`^${path}:`)])
  })

  test('with a class may name it as YAML reads it', () => {
    const [first] = price(items('{ per: image, usd: 1, image_size: 512 }'), 'gpt-image-2')?.items ?? []
    expect(first).toEqual({ per: 'image', micros: 1_000_000, imageSize: '512' })
  })

  test('of three tenths are exactly as much as three of one', () => {
    const written = items('{ per: image, usd: 0.1 }, { per: reported cost, usd: "0.2" }')
    expect(price(written, 'gpt-image-2')?.items.map(({ micros }) => micros)).toEqual([100_000, 200_000])
  })
})

test('what is wrong with models, items and names is told together, each with its line', () => {
  writeFileSync(
    join(folder, 'gesso.yaml'),
    `models:
  - id: mine
    provider: openai
    sizes: [huge]
    price: { items: [{ per: image, usd: x }] }
prices:
  models:
    nope: { margin_percent: 1 }
    mine:
      items:
        - { per: image, usd: 1 }
        - per: image
          usd: -1`,
  )
  expect(() => loadConfig({}, folder)).toThrow(
    expect.objectContaining({
      problems: [
        [4, 'models.0.sizes'],
        [5, 'models.0.price.items.0.usd'],
        [13, 'prices.models.mine.items.1.usd'],
        [8, 'prices.models.nope'],
      ].map(([line, setting]) =>
        expect.objectContaining({ setting, source: join(folder, `gesso.yaml:${line}`) }),
      ),
    }),
  )
})

test('every kind of item can be written', () => {
  const yaml = items(
    '{ per: image, usd: 0.1, quality: high, image_size: 2K, size: 1024x1024, up_to_pixels: 2000000 }',
    '{ per: megapixel, micros: 5, from: 1, begun: true }',
    '{ per: input image, micros: 5, from: 1 }',
    '{ per: input megapixel, micros: 5, at_most: 4 }',
    '{ per: million tokens, usd: 30, kind: image out }',
    '{ per: second, micros: 975, at_most_seconds: 60 }',
    '{ per: reported cost, usd: 0.07 }',
  )
  expect(price(yaml, 'gpt-image-2')).toEqual({
    items: [
      {
        per: 'image',
        micros: 100_000,
        quality: 'high',
        imageSize: '2K',
        size: '1024x1024',
        upToPixels: 2_000_000,
      },
      { per: 'megapixel', micros: 5, from: 1, begun: true },
      { per: 'input image', micros: 5, from: 1 },
      { per: 'input megapixel', micros: 5, atMost: 4 },
      { per: 'million tokens', micros: 30_000_000, kind: 'image out' },
      { per: 'second', micros: 975, atMost: 60 },
      { per: 'reported cost', micros: 70_000 },
    ],
    imageTokens: 'gpt-image-2',
    asOf: 'configured',
    source: 'gesso.yaml',
  })
})

describe('a model', () => {
  test('may be named by its alias, and priced at one provider only', () => {
    const yaml = `prices: { models: { flux-pro-1.1: { provider: bfl, as_of: 2026-11-01, items: [{ per: image, usd: 1 }] } } }`
    const own = { items: [{ per: 'image', micros: 1_000_000 }], asOf: '2026-11-01', source: 'gesso.yaml' }
    expect(price(yaml, 'flux-1.1-pro', 'bfl')).toEqual(own)
    const others = routesOf(yaml, 'flux-1.1-pro').filter(({ provider }) => provider !== 'bfl')
    expect(others.length).toBeGreaterThan(0)
    for (const { price: other } of others) expect(other).not.toEqual(own)
  })

  test('that has none may be given one', () => {
    expect(price('{}', 'gpt-image-2', 'azure')).toBeUndefined()
    const yaml = 'prices: { models: { gpt-image-2: { provider: azure, items: [{ per: image, usd: 1 }] } } }'
    expect(price(yaml, 'gpt-image-2', 'azure')?.items).toEqual([{ per: 'image', micros: 1_000_000 }])
    expect(price(yaml, 'gpt-image-2', 'openai')).toEqual(price('{}', 'gpt-image-2', 'openai'))
  })

  test('of one’s own has the price that stands with it', () => {
    const model =
      'models: [{ id: mine, provider: openai, price: { items: [{ per: image, usd: 0.5 }], margin_percent: 5 } }]'
    const own = {
      items: [{ per: 'image', micros: 500_000 }],
      marginPercent: 5,
      asOf: 'configured',
      source: 'gesso.yaml',
    }
    expect(price(model, 'mine')).toEqual(own)
    expect(price(`${model}\nprices: { margin_percent: 50 }`, 'mine')?.marginPercent).toBe(5)
    expect(price('models: [{ id: mine, provider: openai }]', 'mine')).toBeUndefined()
    expect(
      problemsOf('models: [{ id: mine, provider: openai, price: { items: [{ per: image }] } }]'),
    ).toEqual([expect.stringContaining('models.0.price.items.0: either usd or micros')])
  })

  test.each([
    ['nope: { margin_percent: 1 }', 'prices.models.nope: the id or an alias of a model that there is'],
    [
      'flux-1.1-pro: { margin_percent: 1 }, flux-pro-1.1: { margin_percent: 2 }',
      'prices.models.flux-pro-1.1: one price for a model: flux-1.1-pro is the same one',
    ],
    [
      'gpt-image-2: { provider: bfl, margin_percent: 1 }',
      'prices.models.gpt-image-2.provider: one of openai, azure',
    ],
    ['gpt-image-2: {}', 'prices.models.gpt-image-2: items, margin_percent, or both'],
  ])('%s is a problem', (models, expected) => {
    expect(problemsOf(`prices: { models: { ${models} } }`)).toEqual([expect.stringContaining(expected)])
  })

  test('that took the place of another has not its names, nor the prices meant for them', () => {
    const taken = 'models: [{ id: flux-1.1-pro, provider: fal }]'
    const priced = 'prices: { models: { flux-pro-1.1: { items: [{ per: image, usd: 2 }] } } }'
    expect(problemsOf(`${taken}\n${priced}`)).toEqual([expect.stringContaining('prices.models.flux-pro-1.1')])
    const alias = `models: [{ id: mine, provider: fal, aliases: [flux-pro-1.1] }]\n${priced}`
    expect(price(alias, 'mine')?.items).toEqual([{ per: 'image', micros: 2_000_000 }])
    expect(price(alias, 'flux-1.1-pro', 'bfl')).toEqual(price('{}', 'flux-1.1-pro', 'bfl'))
  })

  test('of one’s own may be priced there too', () => {
    const yaml =
      'models: [{ id: mine, provider: fal }]\nprices: { models: { mine: { items: [{ per: image, usd: 2 }] } } }'
    expect(price(yaml, 'mine')?.items).toEqual([{ per: 'image', micros: 2_000_000 }])
  })
})

describe('a margin', () => {
  const yaml = 'prices: { margin_percent: 20, models: { gpt-image-2: { margin_percent: 12.5 } } }'

  test('is for every price, but for those with one of their own', () => {
    expect(price(yaml, 'gpt-image-2', 'openai')?.marginPercent).toBe(12.5)
    expect(price(yaml, 'flux-2-pro', 'bfl')?.marginPercent).toBe(20)
    expect(price(yaml, 'gpt-image-2', 'azure')).toBeUndefined()
    expect(price('{}', 'flux-2-pro', 'bfl')).not.toHaveProperty('marginPercent')
  })

  test.each([
    [0, 1_000_000],
    [12.5, 1_125_000],
    ['"12.5"', 1_125_000],
    [0.0001, 1_000_001],
    [1000, 11_000_000],
  ])('of %s percent is exact in a quote, in its parts and in the list', (margin, micros) => {
    const written = `prices: { margin_percent: ${margin}, models: { flux-2-pro: { items: [{ per: image, usd: 1 }] } } }`
    const { models, prices } = load(written)
    const model = createCatalogue(models, prices).resolve('flux-2-pro')
    const [route] = model.routes
    const work = { n: 3, calls: 3, inputImages: 0, promptBytes: 5, partialImages: 0 }
    expect(quotePrice(route.price ?? expect.fail('no price'), work)).toEqual({
      micros: 3 * micros,
      components: [{ per: 'image', quantity: 3, unit_micros: micros, micros: 3 * micros }],
    })
    expect(describeModel(servedBy(model, route), true).pricing?.items).toEqual([{ per: 'image', micros }])
  })

  test('is in the prices that callers see, and is not told', () => {
    const { models, prices } = load(yaml)
    const model = createCatalogue(models, prices).resolve('gpt-image-2')
    const { pricing } = describeModel(servedBy(model, model.routes[0]), true)
    expect(pricing?.items[0]).toEqual({ per: 'million tokens', kind: 'text in', micros: 5_625_000 })
    expect(JSON.stringify(pricing)).not.toMatch(/margin|12\.5/)
  })
})

test('names of a price list are snake_case for callers', () => {
  const yaml = items(
    '{ per: image, micros: 0.3, image_size: 2K, up_to_pixels: 5 }',
    '{ per: second, micros: 5, at_most_seconds: 60 }',
    '{ per: input megapixel, micros: 5, at_most: 4 }',
  )
  const [route] = routesOf(yaml, 'gpt-image-2')
  const { models, prices } = load(yaml)
  const { pricing } = describeModel(
    servedBy(createCatalogue(models, prices).resolve('gpt-image-2'), route),
    true,
  )
  expect(pricing).toEqual({
    currency: 'USD',
    as_of: 'configured',
    source: 'gesso.yaml',
    items: [
      { per: 'image', micros: 0.3, image_size: '2K', up_to_pixels: 5 },
      { per: 'second', micros: 5, at_most_seconds: 60 },
      { per: 'input megapixel', micros: 5, at_most: 4 },
    ],
  })
})
