/** `GET /v1/models` promises what the mapping then does, for every route of every built-in model. */
import { describe, expect, test } from 'vitest'
import { builtInModels } from './catalogue.ts'
import { configuredModel, fromConfiguration } from './configured-model.ts'
import { describeModel } from './describe-model.ts'
import { imageSizes, outputFormats } from './fields.ts'
import { type Model, servedBy } from './model.ts'
import { isSizeProblem, solveSize } from './solve-size.ts'

const served = builtInModels.flatMap((model) =>
  model.routes.map((route) => ({ name: `${model.id} at ${route.provider}`, model: servedBy(model, route) })),
)

function configured(own: object): Model {
  return fromConfiguration(configuredModel.parse({ id: 'mine', provider: 'openai', ...own }))
}

function parametersOf(model: Model) {
  return describeModel(servedBy(model, model.routes[0]), true).parameters
}

test.each(served)('$name: the resolution classes it names are those it draws', ({ model }) => {
  const { support, enum: named = [] } = describeModel(model, true).parameters.image_size ?? {}
  if (support === 'unsupported') expect(named).toEqual([])
  for (const imageSize of imageSizes.filter((one) => !one.startsWith('optimize_'))) {
    const isDrawn = !isSizeProblem(solveSize(model, { imageSize }))
    expect({ imageSize, isNamed: (named as string[]).includes(imageSize) }).toEqual({
      imageSize,
      isNamed: isDrawn,
    })
  }
})

test.each(served)('$name: the ratios it names are drawn', ({ model }) => {
  const { support, enum: named = [] } = describeModel(model, true).parameters.aspect_ratio ?? {}
  if (support === 'unsupported') expect(named).toEqual([])
  for (const aspectRatio of named as string[]) {
    const solved = solveSize(model, { aspectRatio })
    expect(isSizeProblem(solved) ? solved.message : 'drawn').toBe('drawn')
  }
})

test.each(served)('$name: nothing is undefined, null or empty that should not be', ({ model }) => {
  const { pricing, aliases, ...rest } = describeModel(model, true)
  const odd: string[] = []
  const look = (value: unknown, path: string): void => {
    if (value === null || value === '' || Number.isNaN(value)) odd.push(path)
    if (Array.isArray(value) && value.length === 0) odd.push(path)
    if (typeof value !== 'object' || value === null) return
    for (const [key, one] of Object.entries(value)) look(one, `${path}.${key}`)
  }
  look(JSON.parse(JSON.stringify(rest)), model.id)
  if (pricing) look(JSON.parse(JSON.stringify(pricing)), `${model.id}.pricing`)
  expect(odd).toEqual([])
  expect(new Set(aliases).size).toBe(aliases.length)
})

describe('listed sizes', () => {
  test('make ratios under their usual names, and classes', () => {
    const { aspect_ratio, image_size } = parametersOf(
      configured({ sizes: ['1024x1024', '1664x928', '1408x768', '1100x300'] }),
    )
    expect(aspect_ratio).toEqual({ support: 'converted', enum: ['1:1', '16:9', '11:6', '11:3'] })
    expect(image_size).toEqual({ support: 'converted', enum: ['512', '1K'] })
  })
})

test('Gesso makes every format, whatever the model makes', () => {
  for (const { model } of served) {
    expect(describeModel(model, true).parameters.output_format?.enum).toEqual(outputFormats)
  }
})

test('a model that needs a mask makes no variations', () => {
  const fill = served.filter(({ model }) => model.fields.mask.required)
  expect(fill.length).toBeGreaterThan(0)
  for (const { model } of fill) {
    expect(describeModel(model, true).features).toMatchObject({
      generate: false,
      edit: true,
      variations: false,
    })
  }
})
