import { expect, test } from 'vitest'
import { createCatalogue } from './catalogue.ts'
import { configuredModel } from './configured-model.ts'
import { describeModel } from './describe-model.ts'
import { fieldCatalogue, fieldNames, type ImageFields } from './fields.ts'
import { type Handling, mapFields } from './map-fields.ts'

const plain = configuredModel.parse({ id: 'plain', provider: 'openai', max_n: 1, sizes: ['512x512'] })
const catalogue = createCatalogue([plain])
const gpt2 = catalogue.resolve('gpt-image-2')
const mini = catalogue.resolve('gpt-image-1-mini')
const collage = catalogue.resolve('gesso-collage')

function map(model: typeof gpt2, fields: Partial<ImageFields>, handling: Handling = 'default') {
  return mapFields(model, { n: 1, ...fields }, handling)
}

const sample: Required<ImageFields> = {
  n: 2,
  size: { width: 1000, height: 1000 },
  quality: 'low',
  style: 'vivid',
  background: 'transparent',
  moderation: 'low',
  outputFormat: 'webp',
  outputCompression: 50,
  seed: 7,
  negativePrompt: 'dogs',
  safetyIdentifier: 'u',
}

const cases = catalogue.all().flatMap((model) => fieldNames.map((field) => [model.id, field] as const))
test.each(cases)('%s: sending %s never silently does nothing', (id, field) => {
  const model = catalogue.resolve(id)
  // Compression alone is no request; it comes with a format it applies to.
  const together = field === 'outputCompression' ? { outputFormat: sample.outputFormat } : {}
  let mapped: ReturnType<typeof mapFields>
  try {
    mapped = map(model, { ...together, [field]: sample[field] })
  } catch (error) {
    expect(error).toMatchObject({ param: fieldCatalogue[field].publicName, attribution: 'client' })
    expect((error as Error).message).toContain(fieldCatalogue[field].publicName)
    return
  }
  const warned = mapped.warnings.some((warning) => warning.param === fieldCatalogue[field].publicName)
  const passedOn = mapped.provider[field as keyof typeof mapped.provider] !== undefined
  const byGesso =
    (field === 'outputFormat' && mapped.delivery.format === 'webp') ||
    (field === 'outputCompression' && mapped.delivery.compression === 50)
  expect([warned, passedOn || byGesso].filter(Boolean)).toHaveLength(1)
})

test('an unsupported picture field is an error by default and a warning under lenient', () => {
  expect(() => map(gpt2, { seed: 1 })).toThrow('seed is not supported by gpt-image-2.')
  const lenient = map(gpt2, { seed: 1 }, 'lenient')
  expect(lenient.provider.seed).toBeUndefined()
  expect(lenient.warnings).toMatchObject([{ param: 'seed', code: 'unsupported_parameter' }])
})

test('an unsupported hint is a warning by default and an error under strict', () => {
  expect(map(gpt2, { style: 'vivid' }).warnings).toMatchObject([{ param: 'style' }])
  expect(() => map(gpt2, { style: 'vivid' }, 'strict')).toThrow('style is not supported by gpt-image-2.')
})

test.each([
  ['standard', 'medium'],
  ['hd', 'high'],
  ['low', 'low'],
  ['auto', 'auto'],
])('quality %s is %s in the words of GPT Image', (asked, sent) => {
  expect(map(gpt2, { quality: asked }).provider.quality).toBe(sent)
})

test('a quality the model lacks is a warning that lists what it has', () => {
  const { warnings, provider } = map(gpt2, { quality: 'max' })
  expect(provider.quality).toBeUndefined()
  expect(warnings[0]?.message).toContain('auto, low, medium, high')
})

test.each([
  [gpt2, 1024, 1024, true],
  [gpt2, 3840, 2160, true],
  [gpt2, 1000, 1000, false],
  [gpt2, 3840, 1024, false],
  [gpt2, 512, 512, false],
  [mini, 1536, 1024, true],
  [mini, 1792, 1024, false],
  [collage, 64, 4096, true],
  [collage, 63, 100, false],
])('$0.id draws %ix%i: $3', (model, width, height, fits) => {
  const attempt = () => map(model, { size: { width, height } })
  if (fits) expect(attempt().provider.size).toEqual({ width, height })
  else expect(attempt).toThrow(/^size \d+x\d+ is not possible with .+; allowed: auto/)
})

test('a format the provider makes is asked of it, another is made by Gesso', () => {
  expect(map(gpt2, { outputFormat: 'webp', outputCompression: 40 })).toMatchObject({
    provider: { outputFormat: 'webp', outputCompression: 40 },
    delivery: { format: 'webp', compression: 40, compressesItself: false },
  })
  const avif = map(gpt2, { outputFormat: 'avif', outputCompression: 40 })
  expect(avif.provider).not.toHaveProperty('outputFormat')
  expect(avif.provider).not.toHaveProperty('outputCompression')
  expect(avif.delivery).toEqual({ format: 'avif', compression: 40, compressesItself: true })
})

test.each([
  [{ outputCompression: 50 }, 'output_compression'],
  [{ outputCompression: 50, outputFormat: 'png' as const }, 'output_compression'],
  [{ background: 'transparent' as const, outputFormat: 'jpeg' as const }, 'background'],
])('fields that are wrong together are refused: %j', (fields, param) => {
  expect(() => map(collage, fields)).toThrow(expect.objectContaining({ param }))
})

test('n beyond the model is refused with its range', () => {
  expect(() => map(catalogue.resolve('plain'), { n: 2 })).toThrow('n is 2, but plain takes 1 to 1.')
})

test('a model of one’s own understands what its configuration says and nothing else', () => {
  const own = createCatalogue([
    configuredModel.parse({ id: 'own', provider: 'openai', supports: ['seed'] }),
  ]).resolve('own')
  expect(map(own, { seed: 5 }).provider.seed).toBe(5)
  expect(() => map(own, { negativePrompt: 'x' })).toThrow('negative_prompt is not supported by own.')
})

test('an unknown model is named, with what there is', () => {
  expect(() => catalogue.resolve('../../v1/files')).toThrow(
    /There is no model "\.\.\/\.\.\/v1\/files".*gesso-collage/,
  )
})

test('the description of a model comes from its table alone', () => {
  expect(describeModel(mini, false)).toMatchObject({
    id: 'gpt-image-1-mini',
    available: false,
    features: { seed: false, negative_prompt: false, transparent: true },
    parameters: {
      size: { enum: ['auto', '1024x1024', '1536x1024', '1024x1536'] },
      seed: { support: 'unsupported' },
      n: { min: 1, max: 10, default: 1 },
    },
  })
})
