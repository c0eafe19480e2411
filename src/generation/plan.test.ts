/** What a request comes to before anybody is asked: how many pictures are held for it, in which calls, and at what price. */
import { expect, test } from 'vitest'
import type { Caller } from '../keys/authenticate.ts'
import { builtInModels, createCatalogue } from '../models/catalogue.ts'
import { type Plan, plan } from './plan.ts'
import type { GenerationRequest } from './request.ts'

const catalogue = createCatalogue([])
/** Every provider is on. */
const providers: Parameters<typeof plan>[0]['providers'] = {
  get: (id) => ({ id, start: () => Promise.reject(new Error('nobody is called')) }),
  howToConfigure: () => '',
  withKey: () => undefined,
  acceptsOwnKeys: () => false,
}
const caller: Pick<Caller, 'models' | 'providerKeys'> = { models: null, providerKeys: [] }

type Wishes = Partial<Omit<GenerationRequest, 'fields'>> & { fields?: Partial<GenerationRequest['fields']> }

function planned(model: string, { fields, ...request }: Wishes = {}): Plan {
  const whole: GenerationRequest = {
    model,
    prompt: 'a fox',
    fields: { n: 1, ...fields },
    images: [],
    permanentLinks: false,
    handling: 'default',
    defaulted: new Set(),
    warnings: [],
    ...request,
  }
  return plan({ catalogue, providers }, caller as Caller, whole)[0]
}

const quoteOf = ({ pricing }: Plan) => pricing?.quote.micros ?? 0

/** Those that draw from words alone. */
const models = builtInModels.filter(({ routes: [route] }) => route && !route.fields.images.required)

/** The first seed, the last ones, and one behind which they begin again. */
function seedsOf(model: string): (number | undefined)[] {
  const { support, range } = planned(model, { handling: 'lenient' }).model.fields.seed
  if (support === 'unsupported' || !range) return [undefined]
  return [undefined, range.min, range.max - 2, range.max]
}

test.each(models.map(({ id }) => id))(
  '%s: the calls make what is held for, and more pictures never cost less',
  (id) => {
    for (const partialImages of [0, 2]) {
      for (const seed of seedsOf(id)) {
        let before = 0
        for (let n = 1; n <= 10; n++) {
          const handling = 'lenient'
          const one = planned(id, { fields: { n, seed }, partialImages, handling })
          expect(one.calls.reduce((sum, call) => sum + call.n, 0)).toBe(one.images)
          expect(one.images).toBe(one.mapped.provider.n)
          expect(one.images).toBeLessThanOrEqual(n)
          if (one.images < n)
            expect(one.mapped.warnings).toContainEqual(expect.objectContaining({ param: 'n' }))
          const most = one.watched.imagesPerCall
          expect(one.calls.every((call) => call.n >= 1 && call.n <= most)).toBe(true)
          expectSeeds(one)
          expect(quoteOf(one)).toBeGreaterThanOrEqual(before)
          before = quoteOf(one)
        }
      }
    }
  },
)

/** Each picture has a seed that the model knows, and no two have the same one. */
function expectSeeds({ calls, model }: Plan): void {
  const { min, max } = model.fields.seed.range ?? { min: 0, max: 2 ** 32 - 1 }
  const seeds = calls.flatMap(({ n, seed }) =>
    seed === undefined ? [] : Array.from({ length: n }, (_, k) => seed + k),
  )
  expect(seeds.every((seed) => seed >= min && seed <= max)).toBe(true)
  expect(new Set(seeds).size).toBe(seeds.length)
}

test('a series is held for at its longest, whoever says how long that is', () => {
  const withSeries = models.filter(({ id }) => planned(id).model.fields.series.support !== 'unsupported')
  expect(withSeries.length).toBeGreaterThan(0)
  for (const { id } of withSeries) {
    const series: GenerationRequest['fields']['series'][] = [undefined, {}, { maxImages: 4 }]
    const [single, open, four] = series.map((wish) => planned(id, { fields: { series: wish } }))
    expect([single?.images, open?.images, four?.images]).toEqual([1, 15, 4])
  }
})

test('what a key fills in is held for like what its caller says', () => {
  const filled = planned('gpt-image-2', { fields: { n: 3 }, defaulted: new Set(['n']) })
  expect(filled.images).toBe(3)
  expect(quoteOf(filled)).toBe(quoteOf(planned('gpt-image-2', { fields: { n: 3 } })))
})
