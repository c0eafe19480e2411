import { describe, expect, test } from 'vitest'
import { createCatalogue } from './catalogue.ts'
import { configuredModel } from './configured-model.ts'
import { describeModel } from './describe-model.ts'
import type { FieldName, ImageFields } from './fields.ts'
import { type Handling, type MappingOptions, mapFields } from './map-fields.ts'
import { served } from './testing/served-models.ts'

const catalogue = createCatalogue(
  [
    { id: 'plain', max_n: 1, sizes: ['512x512'] },
    { id: 'own', supports: ['seed', 'image', 'mask', 'strength'], max_images: 2 },
  ].map((one) => configuredModel.parse({ ...one, provider: 'openai' })),
)
const model = (id: string) => served(catalogue.resolve(id))
const gpt2 = model('gpt-image-2')
const mini = model('gpt-image-1-mini')
const collage = model('gesso-collage')

function map(
  id: string | typeof gpt2,
  fields: Partial<ImageFields>,
  options: Handling | Partial<MappingOptions> = {},
) {
  const more = typeof options === 'string' ? { handling: options } : options
  return mapFields(
    typeof id === 'string' ? model(id) : id,
    { n: 1, ...fields },
    {
      handling: 'default',
      ...more,
    },
  )
}

const size = (width: number, height: number) => ({ size: { width, height } })

describe('what a model cannot do', () => {
  test('an unsupported picture field is an error by default and a warning under lenient', () => {
    for (const handling of ['default', 'strict'] as const) {
      expect(() => map(gpt2, { seed: 1 }, handling)).toThrow('seed is not supported by gpt-image-2.')
    }
    const lenient = map(gpt2, { seed: 1 }, 'lenient')
    expect(lenient.provider.seed).toBeUndefined()
    expect(lenient.warnings).toMatchObject([{ param: 'seed', code: 'unsupported_parameter' }])
  })

  test('an unsupported hint is a warning by default and an error under strict', () => {
    expect(map(gpt2, { style: 'vivid' }).warnings).toMatchObject([{ param: 'style' }])
    expect(() => map(gpt2, { style: 'vivid' }, 'strict')).toThrow('style is not supported by gpt-image-2.')
  })

  test('the caller’s own spelling is what errors and warnings say', () => {
    const spelling = { safetyIdentifier: 'user' }
    expect(map('plain', { safetyIdentifier: 'u' }, { spelling }).warnings).toEqual([
      {
        param: 'user',
        code: 'unsupported_parameter',
        message: 'user is not supported by plain. It was ignored.',
      },
    ])
  })

  test('contradictions are errors under every handling', () => {
    const contradictions: [Partial<ImageFields>, string][] = [
      [{ ...size(1024, 1024), aspectRatio: '16:9' }, 'aspect_ratio'],
      [{ ...size(1024, 1024), imageSize: '4K' }, 'image_size'],
      [{ background: 'transparent', outputFormat: 'jpeg' }, 'background'],
      [{ outputCompression: 50 }, 'output_compression'],
      [{ mask: true }, 'mask'],
    ]
    for (const handling of ['default', 'strict', 'lenient'] as const) {
      for (const [fields, param] of contradictions) {
        expect(() => map(collage, fields, handling)).toThrow(expect.objectContaining({ param }))
      }
    }
  })
})

describe('values outside what a model takes', () => {
  test.each<[string, Partial<ImageFields>, RegExp]>([
    ['plain', { n: 2 }, /^n is 2, but plain takes only 1\.$/],
    ['qwen-image', { seed: 2 ** 31 }, /^seed is 2147483648, but qwen-image takes 0 to 2147483647\.$/],
    ['own', { images: 3 }, /^image has 3 pictures, but own takes at most 2\.$/],
    [
      'qwen-image',
      { loraWeights: 'a/b', extraLoraWeights: ['c/d', 'e/f'], extraLoraScale: [1, -9] },
      /^extra_lora_scale is -9, but qwen-image takes -3 to 3\.$/,
    ],
  ])('%s refuses %j with its range', (id, fields, message) => {
    expect(() => map(id, fields)).toThrow(message)
  })

  test('lenient makes the most there is of n and of input pictures', () => {
    expect(map('dall-e-3', { n: 4 }, 'lenient').provider.n).toBe(1)
    const { sends, warnings } = map('own', { images: 3, mask: true, strength: 0.5 }, 'lenient')
    expect(sends).toEqual({ images: 2, mask: true, markup: false })
    expect(warnings).toMatchObject([{ param: 'image', message: expect.stringContaining('The first 2') }])
  })

  test('a quality the model lacks is a warning that lists what it has', () => {
    const { warnings, provider } = map(gpt2, { quality: 'max' })
    expect(provider.quality).toBeUndefined()
    expect(warnings[0]?.message).toContain('auto, low, medium, high')
  })
})

describe('what is about input pictures', () => {
  test('is named where the pictures were let go', () => {
    const { sends, provider, warnings } = map(
      'gpt-image-2',
      { images: 2, mask: true, inputFidelity: 'high', strength: 0.5 },
      'lenient',
    )
    expect(sends).toEqual({ images: 2, mask: true, markup: false })
    expect(provider.strength).toBeUndefined()
    expect(warnings.map((one) => one.param)).toEqual(['strength', 'input_fidelity'])
    const gone = map('flux-1-schnell', { images: 1, mask: true }, 'lenient')
    expect(gone.sends).toEqual({ images: 0, mask: false, markup: false })
    expect(gone.warnings.map((one) => one.param)).toEqual(['image', 'mask'])
  })

  test('input_fidelity without a picture is a hint without effect, and no error of the provider', () => {
    const { provider, warnings } = map('gpt-image-1.5', { inputFidelity: 'high' })
    expect(provider.inputFidelity).toBeUndefined()
    expect(warnings).toMatchObject([{ param: 'input_fidelity' }])
    expect(() => map('gpt-image-1.5', { inputFidelity: 'high' }, 'strict')).toThrow('there is none')
    expect(map('gpt-image-1.5', { inputFidelity: 'high', images: 1 }).provider.inputFidelity).toBe('high')
  })
})

describe('the size', () => {
  test.each([
    [gpt2, 1024, 1024, true],
    [gpt2, 3840, 2160, true],
    [gpt2, 1000, 1000, false],
    [gpt2, 512, 512, false],
    [mini, 1536, 1024, true],
    [mini, 1792, 1024, false],
    [collage, 64, 4096, true],
    [collage, 63, 100, false],
  ])('$0.id draws %ix%i: $3', (of, width, height, fits) => {
    const attempt = () => map(of, size(width, height))
    if (fits) expect(attempt().provider.size).toEqual({ width, height })
    else expect(attempt).toThrow(/^size \d+x\d+ is not possible with .+; allowed: auto/)
  })

  test('under lenient the nearest is drawn and scaled to what was asked, with a warning and no surprise', () => {
    const { provider, delivery, warnings } = map(gpt2, size(500, 500), 'lenient')
    expect(provider.size).toEqual({ width: 816, height: 816 })
    expect(delivery).toMatchObject({ size: { width: 500, height: 500 }, scales: true })
    expect(warnings).toMatchObject([{ param: 'size', message: expect.stringContaining('nearest') }])
  })

  test('an absurd size under lenient is ignored, and nothing is scaled', () => {
    for (const id of ['gpt-image-2', 'gesso-collage', 'flux-1.1-pro-ultra']) {
      const { provider, delivery, warnings } = map(id, size(99_999, 99_999), 'lenient')
      expect([provider.size, provider.aspectRatio, delivery.size]).toEqual([undefined, undefined, undefined])
      expect(warnings).toMatchObject([{ param: 'size', message: expect.stringContaining('It was ignored') }])
    }
  })

  test('of several wishes the possible ones count where lenient lets go of one', () => {
    const ultra = map('flux-1.1-pro-ultra', { aspectRatio: '16:9', imageSize: '2K' }, 'lenient')
    expect(ultra.provider.aspectRatio).toBe('16:9')
    expect(ultra.warnings.map((one) => one.param)).toEqual(['image_size'])
    const absurd = map('gpt-image-2', { ...size(99_999, 99_999), imageSize: '4K' }, 'lenient')
    expect(absurd.provider.size).toEqual({ width: 2880, height: 2880 })
    expect(absurd.warnings.map((one) => one.param)).toEqual(['size'])
    const old = map('dall-e-3', size(99_999, 99_999), 'lenient')
    expect(old.provider.size).toEqual({ width: 1024, height: 1024 })
  })

  test('a wish for quick or good beside pixels is told to have no effect, once', () => {
    const asked = { ...size(256, 256), imageSize: 'optimize_for_speed' as const }
    const { provider, warnings } = map(collage, asked)
    expect(provider.size).toEqual({ width: 256, height: 256 })
    expect(warnings).toMatchObject([{ param: 'image_size', message: expect.stringContaining('no effect') }])
    expect(map(gpt2, { ...asked, ...size(1024, 1024) }).warnings).toHaveLength(1)
    expect(map('qwen-image', { ...asked, ...size(1328, 1328) }).provider.imageSize).toBe('optimize_for_speed')
  })
})

describe('quality', () => {
  test.each([
    ['gpt-image-2', 'standard', 'medium'],
    ['gpt-image-2', 'hd', 'high'],
    ['gpt-image-2', 'auto', 'auto'],
    ['gpt-image-2.5-flare', 'max', 'max'],
    ['dall-e-3', 'hd', 'high'],
    ['dall-e-3', 'high', 'high'],
    ['dall-e-3', undefined, 'medium'],
    ['dall-e-3', 'auto', 'medium'],
    ['dall-e-2', undefined, 'medium'],
    ['gpt-image-1', undefined, undefined],
  ])('%s is told %s as %s', (id, asked, sent) => {
    expect(map(id, { quality: asked }).provider.quality).toBe(sent)
  })
})

describe('formats', () => {
  test('a format the provider makes is asked of it, another is made by Gesso', () => {
    expect(map(gpt2, { outputFormat: 'webp', outputCompression: 40 })).toMatchObject({
      provider: { outputFormat: 'webp', outputCompression: 40 },
      delivery: { format: 'webp', compression: 40, compressesItself: false },
    })
    const avif = map(gpt2, { outputFormat: 'avif', outputCompression: 40 })
    expect(avif.provider).not.toHaveProperty('outputFormat')
    expect(avif.provider).not.toHaveProperty('outputCompression')
    expect(avif.delivery).toMatchObject({ format: 'avif', compression: 40, compressesItself: true })
  })

  test('compression that the model cannot do is done by Gesso, also where the format is the model’s', () => {
    const { provider, delivery } = map('flux-1.1-pro-ultra', { outputFormat: 'jpeg', outputCompression: 40 })
    expect([provider.outputFormat, provider.outputCompression]).toEqual(['jpeg', undefined])
    expect(delivery).toMatchObject({ format: 'jpeg', compression: 40, compressesItself: true })
  })

  test('a label is the provider’s where it has one, else Gesso’s, and never both', () => {
    const native = map('qwen-image-2.0', { watermark: true })
    expect([native.provider.watermark, native.delivery.watermark]).toEqual([true, false])
    const drawn = map(gpt2, { watermark: true })
    expect([drawn.provider.watermark, drawn.delivery.watermark]).toEqual([undefined, true])
  })
})

describe('what the key filled in and the caller did not ask for', () => {
  const defaulted = (...names: FieldName[]) => ({ defaulted: new Set(names) })

  test('is never an error: a picture field is a warning, a hint is nothing', () => {
    for (const handling of ['default', 'strict', 'lenient'] as const) {
      const options = { handling, ...defaulted('negativePrompt', 'style') }
      const { warnings } = map(gpt2, { negativePrompt: 'dogs', style: 'vivid' }, options)
      expect(warnings.map((one) => one.param)).toEqual(['negative_prompt'])
    }
    const { provider } = map(gpt2, size(500, 500), defaulted('size'))
    expect(provider.size).toEqual({ width: 816, height: 816 })
  })

  test('does not excuse what the caller asked beside it', () => {
    expect(() => map(gpt2, { negativePrompt: 'dogs', seed: 1 }, defaulted('negativePrompt'))).toThrow(
      'seed is not supported',
    )
  })
})

describe('retired ids', () => {
  test.each(['dall-e-2', 'dall-e-3', 'gpt-image-1'])(
    '%s is said to be closed, and strict refuses it',
    (id) => {
      expect(map(id, {}).warnings).toMatchObject([
        { param: 'model', code: 'deprecated_model', message: expect.stringContaining('gpt-image-2') },
      ])
      expect(() => map(id, {}, 'strict')).toThrow(expect.objectContaining({ param: 'model' }))
    },
  )
})

test('a model of one’s own understands what its configuration says and nothing else', () => {
  expect(map('own', { seed: 5 }).provider.seed).toBe(5)
  expect(() => map('own', { negativePrompt: 'x' })).toThrow('negative_prompt is not supported by own.')
})

describe('what means nothing beside input pictures', () => {
  const dev = (provider: string) => served(catalogue.resolve('flux-1-dev'), provider)

  test('is refused there and taken elsewhere', () => {
    for (const provider of ['replicate', 'fal']) {
      for (const wish of [size(1024, 768), { aspectRatio: '16:9' }, { imageSize: '1K' }] as const) {
        expect(() => map(dev(provider), { ...wish, images: 1 })).toThrow(/not possible with flux-1-dev/)
        expect(map(dev(provider), { ...wish, images: 1 }, 'lenient').provider.size).toBeUndefined()
        expect(map(dev(provider), { ...wish, images: 1 }, 'lenient').warnings).toHaveLength(1)
      }
      expect(map(dev(provider), { aspectRatio: '4:3' }).warnings).toEqual([])
    }
  })

  test('of a list as long as a model takes there is no more', () => {
    const loras = { loraWeights: 'a/b', extraLoraWeights: ['c/d', 'e/f', 'g/h'] }
    const qwen = served(catalogue.resolve('qwen-image'), 'fal')
    expect(() => map(qwen, loras)).toThrow(
      'extra_lora_weights has 3 entries, but qwen-image takes at most 2.',
    )
  })
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
