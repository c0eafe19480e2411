/**
 * The promise of the house over HTTP: every field that a caller sends reaches the provider under its wire name, is done
 * by Gesso, or is named; `Prefer: handling` shifts the border and nothing else.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fieldCatalogue } from '../../src/models/fields.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { RecordedFile } from '../upstreams/recorded-file.ts'
import { type Answer, type DrawingWorld, dataUri, type Json, openDrawingWorld } from './drawing-world.ts'

const publicNames = Object.values(fieldCatalogue).map((one) => one.publicName)
const optional = publicNames.filter(
  (name) => !['n', 'size', 'output_format', 'output_compression'].includes(name),
)
const yaml = `
keys: { requests_per_minute: 100000 }
models:
  - { id: own-everything, provider: openai, supports: [${optional.join(', ')}] }
  - { id: own-nothing, provider: openai, sizes: [256x256, 64x64] }
`

let official: FakeUpstream
let compatible: FakeUpstream
let worlds: { official: DrawingWorld; compatible: DrawingWorld }
let samples: Record<string, object>
beforeAll(async () => {
  // Whatever is asked for, the pictures are small: it is the fields that matter here.
  const otherSize = { width: 64, height: 64 }
  official = await startFakeOpenAi({ otherSize })
  compatible = await startFakeOpenAi({ dialect: 'openai-compatible', otherSize })
  const [one, other] = await Promise.all([
    openDrawingWorld(yaml, { OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: official.url }),
    openDrawingWorld(yaml, { OPENAI_BASE_URL: compatible.url }),
  ])
  worlds = { official: one, compatible: other }
  const image = await dataUri(otherSize)
  const mask = await dataUri(otherSize, { r: 0, g: 0, b: 0, alpha: 0 })
  samples = sampleBodies(image, mask)
})
afterAll(async () => {
  await Promise.all(Object.values(worlds).map((world) => world[Symbol.asyncDispose]()))
  await Promise.all([official.close(), compatible.close()])
})

/** One body for every field of the catalogue, under its public name. */
function sampleBodies(image: string, mask: string): Record<string, object> {
  const lora = { lora_weights: 'acme/watercolour' }
  return {
    n: { n: 2 },
    size: { size: '1024x1024' },
    aspect_ratio: { aspect_ratio: '1:1' },
    image_size: { image_size: '1K' },
    quality: { quality: 'high' },
    style: { style: 'vivid' },
    background: { background: 'transparent' },
    moderation: { moderation: 'low' },
    complexity: { complexity: 'high' },
    output_format: { output_format: 'webp' },
    output_compression: { output_format: 'jpeg', output_compression: 37 },
    seed: { seed: 4_711 },
    negative_prompt: { negative_prompt: 'boats' },
    guidance: { guidance: 7.5 },
    num_inference_steps: { num_inference_steps: 17 },
    strength: { image, strength: 0.25 },
    go_fast: { go_fast: false },
    disable_safety_checker: { disable_safety_checker: true },
    lora_weights: lora,
    lora_scale: { ...lora, lora_scale: 0.75 },
    extra_lora_weights: { ...lora, extra_lora_weights: ['acme/ink', 'acme/paper'] },
    extra_lora_scale: {
      ...lora,
      extra_lora_weights: ['acme/ink', 'acme/paper'],
      extra_lora_scale: [0.5, 1.5],
    },
    image: { image },
    mask: { image, mask },
    markup: { image, markup: mask },
    input_fidelity: { image, input_fidelity: 'high' },
    watermark: { watermark: true },
    sequential_image_generation: {
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 2 },
    },
    safety_identifier: { safety_identifier: 'user-1' },
  }
}

/** What becomes of a field: these words on the wire, its own ones, done by Gesso, warned about, or refused (the rest). */
type Fate = Record<string, unknown> | 'same' | 'gesso' | 'hint'

const file = expect.any(RecordedFile)
const gptImage: Record<string, Fate> = {
  n: { n: 2 },
  size: { size: '1024x1024' },
  aspect_ratio: { size: '1024x1024' },
  image_size: { size: '1024x1024' },
  quality: { quality: 'high' },
  background: { background: 'transparent' },
  moderation: { moderation: 'low' },
  output_format: { output_format: 'webp' },
  output_compression: { output_format: 'jpeg', output_compression: 37 },
  image: { image: file },
  mask: { image: file, mask: file },
  safety_identifier: { safety_identifier: 'user-1' },
  watermark: 'gesso',
  style: 'hint',
  guidance: 'hint',
  num_inference_steps: 'hint',
  go_fast: 'hint',
  disable_safety_checker: 'hint',
  input_fidelity: 'hint',
  complexity: 'hint',
}

const without = (fates: Record<string, Fate>, ...names: string[]) =>
  Object.fromEntries(Object.entries(fates).filter(([name]) => !names.includes(name)))
const byGesso: Record<string, Fate> = {
  output_format: 'gesso',
  output_compression: 'gesso',
  watermark: 'gesso',
}

/** What the contract says of each model, and nothing taken from its table. */
const fates: [model: string, upstream: 'official' | 'compatible', fates: Record<string, Fate>][] = [
  ['gpt-image-2', 'official', gptImage],
  ['gpt-image-1', 'official', gptImage],
  [
    'dall-e-3',
    'official',
    {
      ...without(gptImage, 'n', 'background', 'image', 'mask'),
      output_format: 'gesso',
      output_compression: 'gesso',
    },
  ],
  [
    'dall-e-2',
    'official',
    {
      ...without(gptImage, 'background'),
      ...byGesso,
      quality: 'hint',
    },
  ],
  [
    'own-everything',
    'compatible',
    {
      ...Object.fromEntries(publicNames.map((name) => [name, 'same' as const])),
      image: { image: file },
      mask: { image: file, mask: file },
      markup: { image: file, markup: file },
      safety_identifier: { user: 'user-1' },
      output_format: 'gesso',
      output_compression: 'gesso',
    },
  ],
  [
    'own-nothing',
    'compatible',
    {
      n: { n: 2 },
      ...byGesso,
      ...Object.fromEntries(
        Object.values(fieldCatalogue)
          .filter((one) => one.effect === 'hint')
          .map((one) => [one.publicName, 'hint' as const]),
      ),
      aspect_ratio: { size: '256x256' },
    },
  ],
]

/** Notes about what the fake drew, which draws small and opaque pictures. */
const aboutTheFake = ['resized', 'not_transparent', 'deprecated_model', 'fewer_images']

async function send(model: string, name: string, handling?: 'strict' | 'lenient') {
  const side = fates.find(([id]) => id === model)?.[1] ?? 'official'
  const upstream = side === 'official' ? official : compatible
  const prompt = `${model} ${name} ${handling}`
  const headers = handling ? { prefer: `handling=${handling}` } : undefined
  const answer = await worlds[side].draw({ model, prompt, ...samples[name] }, { headers })
  const sent = upstream.requests.filter((one) => (one.body as Json)?.prompt === prompt)
  return { ...answer, sent: sent.map((one) => one.body as Json), warnings: warningsOf(answer) }
}

function warningsOf({ json }: Answer): string[] {
  const warnings = (json.warnings ?? []) as { param: string; code: string }[]
  return warnings.filter((one) => !aboutTheFake.includes(one.code)).map((one) => one.param)
}

/** A list in a form is a name with brackets. */
function onTheWire(body: Json, name: string): unknown {
  return body[name] ?? body[`${name}[]`]
}

/** JSON is compared by value, the parts of a form as the texts they are. */
function asSent(value: unknown, isForm: boolean): unknown {
  if (!isForm || typeof value === 'string' || value === file) return value
  return Array.isArray(value) ? value.map(String) : String(value)
}

test('there is a sample of every field', () => {
  expect(Object.keys(samples).sort()).toEqual([...publicNames].sort())
})

describe.each(fates)('%s', (model, _upstream, known) => {
  const isRetired = /^(dall-e|gpt-image-1$)/.test(model)
  const cases = publicNames.map((name) => [name, known[name]] as const)

  test.concurrent.each(cases.filter(([, fate]) => typeof fate === 'object' || fate === 'same'))(
    '%s reaches the upstream under its wire name',
    async (name, fate) => {
      const { status, text, sent, warnings } = await send(model, name)
      expect(status, text).toBe(200)
      expect(warnings, text).toEqual([])
      expect(sent.length).toBeGreaterThan(0)
      const { image: _image, ...sample } = samples[name] as Json
      const expected = typeof fate === 'object' ? fate : sample
      const isForm = sent[0].image !== undefined || sent[0]['image[]'] !== undefined
      for (const [wire, value] of Object.entries(expected)) {
        expect(onTheWire(sent[0], wire), wire).toEqual(asSent(value, isForm))
      }
    },
  )

  test.concurrent.each(cases.filter(([, fate]) => fate === 'gesso'))(
    '%s is done by Gesso and kept from the upstream',
    async (name) => {
      const { status, text, json, sent, warnings } = await send(model, name)
      expect(status, text).toBe(200)
      expect(warnings, text).toEqual([])
      const sample = samples[name] as Json
      for (const wire of Object.keys(sample)) expect(sent[0][wire], wire).toBeUndefined()
      if (sample.output_format) expect(json.output_format).toBe(sample.output_format)
    },
  )

  test.concurrent.each(cases.filter(([, fate]) => fate === 'hint'))(
    '%s is a hint: a warning, and under strict a 400',
    async (name) => {
      const isAboutPictures = name === 'input_fidelity' && known.image === undefined
      const byDefault = await send(model, name, isAboutPictures ? 'lenient' : undefined)
      expect(byDefault.status, byDefault.text).toBe(200)
      expect(byDefault.warnings).toContain(name)
      const asked = (samples[name] as Json)[name]
      for (const body of byDefault.sent) expect(body[name]).not.toEqual(asked)
      const strict = await send(model, name, 'strict')
      expect([strict.status, strict.json.error?.code], strict.text).toEqual([400, 'unsupported_parameter'])
      expect(isRetired ? ['model'] : [name, 'image']).toContain(strict.json.error.param)
      expect(strict.sent).toEqual([])
    },
  )

  test.concurrent.each(cases.filter(([, fate]) => fate === undefined))(
    '%s is refused by name, and under lenient warned about',
    async (name) => {
      const refused = await send(model, name)
      expect([refused.status, refused.json.error?.code], refused.text).toEqual([400, 'unsupported_parameter'])
      // Of fields that need each other, the first that is not possible is named.
      expect(Object.keys(samples[name] ?? {})).toContain(refused.json.error.param)
      expect(refused.json.error.message).toContain(model)
      expect(refused.sent).toEqual([])
      const lenient = await send(model, name, 'lenient')
      expect(lenient.status, lenient.text).toBe(200)
      expect(lenient.headers.get('preference-applied')).toBe('handling=lenient')
      expect(lenient.warnings).toContain(name)
      const isNearest = ['size', 'image_size'].includes(name)
      for (const body of lenient.sent) {
        if (!isNearest && name !== 'n') expect(onTheWire(body, name), name).toBeUndefined()
      }
    },
  )
})

describe('gesso-collage', () => {
  test.concurrent.each(publicNames)('does %s without a warning, under every handling', async (name) => {
    const size = ['size', 'aspect_ratio', 'image_size'].includes(name) ? {} : { size: '64x64' }
    const body = { model: 'gesso-collage', prompt: 'a red fox', ...size, ...samples[name] }
    const { status, text, json } = await worlds.official.draw(
      { ...body, ...('size' in body && name === 'size' ? { size: '128x64' } : {}) },
      { headers: { prefer: 'handling=strict' } },
    )
    expect(status, text).toBe(200)
    expect(json.warnings, text).toBeUndefined()
    expect(text).not.toContain('""')
    if (name === 'n' || name === 'sequential_image_generation') expect(json.data).toHaveLength(2)
    if (name === 'seed') expect(json.data[0].seed).toBe(4_711)
    if (name === 'image_size' || name === 'aspect_ratio') expect(json.size).toBe('1024x1024')
  })
})
