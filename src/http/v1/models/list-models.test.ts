/** The documented shape of a model is the whole of it. */
import { expect, test } from 'vitest'
import { builtInModels } from '../../../models/catalogue.ts'
import { configuredModel, fromConfiguration } from '../../../models/configured-model.ts'
import { describeModel } from '../../../models/describe-model.ts'
import { servedBy } from '../../../models/model.ts'
import { modelAnswer } from './list-models.ts'

const own = fromConfiguration(configuredModel.parse({ id: 'mine', provider: 'openai' }))
const served = [...builtInModels, own].flatMap((model) => model.routes.map((route) => servedBy(model, route)))

test('every model is answered with what the documentation names, and nothing else', () => {
  const strict = modelAnswer
    .extend({
      limits: modelAnswer.shape.limits.strict(),
      pricing: modelAnswer.shape.pricing.unwrap().strict().nullable(),
      retired: modelAnswer.shape.retired.unwrap().strict().optional(),
    })
    .strict()
  for (const model of served) {
    const answer = JSON.parse(JSON.stringify(describeModel(model, true)))
    expect(strict.parse(answer)).toEqual(answer)
  }
})

test('a closed model names its successor, and a priced one its price', () => {
  const answers = served.map((model) => describeModel(model, true))
  expect(answers.find(({ id }) => id === 'dall-e-3')?.retired).toEqual({
    on: '2026-05-12',
    successor: 'gpt-image-2',
  })
  expect(answers.find(({ id }) => id === 'flux-2-pro')?.pricing?.items[0]).toEqual({
    per: 'image',
    micros: 30_000,
  })
})
