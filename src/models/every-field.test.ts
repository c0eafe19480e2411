/**
 * The promise of the house, over every model and every field: what a caller sends reaches the provider, is done by
 * Gesso, or is named in an error or a warning. A field added to the catalogue does not compile before it stands here.
 */
import { describe, expect, test } from 'vitest'
import { createCatalogue } from './catalogue.ts'
import { configuredModel } from './configured-model.ts'
import { type FieldName, fieldCatalogue, fieldNames, type ImageFields } from './fields.ts'
import { type Handling, type MappedFields, mapFields } from './map-fields.ts'
import type { ServedModel } from './model.ts'
import { translateQuality } from './quality.ts'
import { classFor, classOf, ratioError, ratioValue } from './ratio.ts'
import { sameSize } from './size-rule.ts'
import { everyServed } from './testing/served-models.ts'

const everything = fieldNames
  .filter((name) => !['n', 'size', 'outputFormat', 'outputCompression'].includes(name))
  .map((name) => fieldCatalogue[name].publicName)
const catalogue = createCatalogue([
  configuredModel.parse({ id: 'own-everything', provider: 'openai', supports: everything }),
  configuredModel.parse({ id: 'own-nothing', provider: 'openai', sizes: ['256x256'], max_n: 2 }),
])

type Samples = { [Name in FieldName]: readonly [ImageFields[Name], ...ImageFields[Name][]] }
const samples: Samples = {
  n: [2, 10],
  size: [
    { width: 1024, height: 1024 },
    { width: 256, height: 256 },
    { width: 1001, height: 999 },
  ],
  aspectRatio: ['1:1', '16:9', '2:3', '50:1'],
  imageSize: ['512', '1K', '2K', '4K', 'optimize_for_quality', 'optimize_for_speed'],
  quality: ['low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'],
  style: ['vivid', 'natural'],
  background: ['transparent'],
  moderation: ['low'],
  complexity: ['low', 'high'],
  outputFormat: ['png', 'jpeg', 'webp', 'avif'],
  outputCompression: [0, 37, 100],
  seed: [0, 7, 4_294_967_295],
  negativePrompt: ['dogs'],
  guidance: [0, 4.5, 100],
  steps: [1, 28, 1_000],
  strength: [0.25, 1],
  goFast: [true, false],
  disableSafetyChecker: [true, false],
  loraWeights: ['acme/watercolour'],
  loraScale: [-10, 0.5],
  extraLoraWeights: [['acme/ink']],
  extraLoraScale: [[0.5], [-9]],
  images: [1, 16],
  mask: [true],
  markup: [true],
  inputFidelity: ['low', 'high'],
  watermark: [true],
  series: [{}, { maxImages: 15 }],
  safetyIdentifier: ['user-1'],
}

/** What a field needs beside it to make sense at all. */
const among: { [Name in FieldName]?: Partial<ImageFields> } = {
  outputCompression: { outputFormat: 'webp' },
  strength: { images: 1 },
  mask: { images: 1 },
  markup: { images: 1, mask: undefined },
  loraScale: { loraWeights: 'acme/watercolour' },
  extraLoraWeights: { loraWeights: 'acme/watercolour' },
  extraLoraScale: { loraWeights: 'acme/watercolour', extraLoraWeights: ['acme/ink'] },
}

/** What asks for nothing: the only values that may pass without a trace, whatever the model. */
const neutral: Partial<ImageFields>[] = [
  { n: 1 },
  { quality: 'auto' },
  { background: 'auto' },
  { background: 'opaque' },
  { moderation: 'auto' },
]

/** What the model draws nothing without. */
function needed({ fields: { images, mask } }: ServedModel): Partial<ImageFields> {
  return { ...(images.required ? { images: 1 } : {}), ...(mask.required ? { mask: true } : {}) }
}

function attempt(model: ServedModel, fields: Partial<ImageFields>, handling: Handling) {
  try {
    return { mapped: mapFields(model, { n: 1, ...needed(model), ...fields }, { handling }) }
  } catch (error) {
    return { error: error as Error & { param?: string; code?: string; attribution?: string } }
  }
}

/** Does the value arrive, at the provider or at what Gesso owes? */
function arrives(
  model: ServedModel,
  name: FieldName,
  asked: Partial<ImageFields>,
  mapped: MappedFields,
): boolean {
  const { provider, delivery, sends } = mapped
  const drawn = delivery.size ?? provider.size
  switch (name) {
    case 'size':
      return Boolean(asked.size && delivery.size && sameSize(delivery.size, asked.size))
    case 'aspectRatio':
      if (provider.aspectRatio) return provider.aspectRatio === asked.aspectRatio
      return Boolean(drawn && ratioError(drawn, ratioValue(asked.aspectRatio ?? '')) <= 0.02)
    case 'imageSize':
      if (provider.imageSize) return provider.imageSize === asked.imageSize
      return Boolean(drawn && asked.imageSize && classOf(drawn) === classFor(asked.imageSize))
    case 'quality': {
      const { values, wire } = model.fields.quality
      const word = translateQuality(asked.quality ?? '', values)
      return provider.quality === (wire?.[word] ?? word)
    }
    case 'outputFormat':
      return delivery.format === asked.outputFormat
    case 'outputCompression':
      return (provider.outputCompression === asked.outputCompression) !== delivery.compressesItself
    case 'images':
      return sends.images === asked.images
    case 'mask':
      return sends.mask && sends.images > 0
    case 'markup':
      return sends.markup && sends.images > 0
    case 'watermark':
      return (provider.watermark === true) !== delivery.watermark
    default:
      return JSON.stringify(provider[name]) === JSON.stringify(asked[name])
  }
}

function isHint(name: string | null): boolean {
  if (name === 'model') return true
  return Object.values(fieldCatalogue).some((one) => one.publicName === name && one.effect === 'hint')
}

describe.each(everyServed(catalogue.all()))('$id', (model) => {
  test.each(fieldNames)('%s never silently does nothing', (name) => {
    // It stands in a mask's place, and is checked where fields exclude one another.
    if (name === 'markup' && model.fields.mask.required) return
    const { publicName } = fieldCatalogue[name]
    for (const value of samples[name]) {
      const asked: Partial<ImageFields> = { ...among[name], [name]: value }
      const why = `${model.id} ${JSON.stringify(asked)}`

      const { mapped, error } = attempt(model, asked, 'lenient')
      if (!mapped) throw new Error(`${why} is refused under lenient: ${error.message}`)
      const warned = mapped.warnings.filter((one) => one.param !== 'model')
      const isWarned = warned.some((one) => one.param === publicName)
      const isThere = arrives(model, name, asked, mapped)
      expect(isThere || isWarned, `${why} is lost`).toBe(true)
      // The nearest size can be scaled to the very size that was asked, the nearest picture can be of its class.
      if (!['size', 'aspectRatio', 'imageSize'].includes(name)) {
        expect(isThere && isWarned, `${why} is done and warned about`).toBe(false)
      }
      for (const { message, code } of warned) {
        expect(message, why).toMatch(
          / (It was ignored|The nearest .+ was used|\d+ are made|The first \d+ are used)\.$/,
        )
        expect(code).toBe('unsupported_parameter')
      }

      const isWish = name === 'imageSize' && String(value).startsWith('optimize_')
      const firstError = warned.find((one) => !isHint(one.param) && !isWish)
      const byDefault = attempt(model, asked, 'default')
      expect(byDefault.error?.param, why).toBe(firstError?.param)
      if (byDefault.error) {
        expect(byDefault.error).toMatchObject({ code: 'unsupported_parameter', attribution: 'client' })
        expect(byDefault.error.message, why).toContain(String(firstError?.param))
        expect(byDefault.error.message, why).toContain(model.id)
      }
      expect(attempt(model, asked, 'strict').error?.param, why).toBe(mapped.warnings[0]?.param ?? undefined)
    }
  })

  test('values that ask for nothing are neither errors nor warnings', () => {
    for (const fields of neutral) {
      for (const handling of ['default', 'lenient', 'strict'] as const) {
        const { mapped, error } = attempt(model, fields, handling)
        const why = `${JSON.stringify(fields)} ${handling}`
        if (model.retired && handling === 'strict') expect(error?.param, why).toBe('model')
        else
          expect(
            mapped?.warnings.filter((one) => one.param !== 'model'),
            why,
          ).toEqual([])
      }
    }
  })

  test('a request without wishes tells the provider nothing but what an old id did by itself', () => {
    const { mapped } = attempt(model, {}, 'default')
    const told = Object.entries(mapped?.provider ?? {}).filter(([, value]) => value !== undefined)
    const filled = model.retired ? ['n', 'quality', 'size'] : ['n', 'watermark']
    expect(filled).toEqual(expect.arrayContaining(told.map(([name]) => name)))
    const { images = 0, mask = false } = needed(model)
    expect(mapped?.sends).toEqual({ images, mask, markup: false })
  })

  test('what it draws nothing without is missed by name, whatever the handling', () => {
    for (const name of fieldNames) {
      if (!(name in needed(model))) continue
      for (const handling of ['default', 'lenient', 'strict'] as const) {
        const { error } = attempt(model, { ...needed(model), [name]: undefined }, handling)
        const strictRetired = model.retired && handling === 'strict'
        expect(error).toMatchObject(strictRetired ? { param: 'model' } : { code: 'invalid_image_request' })
        if (!strictRetired) expect(['image', 'mask']).toContain(error?.param)
      }
    }
  })
})
