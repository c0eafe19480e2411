import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { ProviderRequest } from '../provider.ts'
import { documents, draw, inputOf, plain, plainBytes } from './testing/draw.ts'

const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const prompt = 'a red fox and a rabbit in a meadow'

/** Each field with values that must all give different pictures, the absent one among them. */
const generations: [string, Partial<ProviderRequest>[]][] = [
  ['guidance', [{}, { guidance: 0 }, { guidance: 3.5 }, { guidance: 10 }, { guidance: 20 }]],
  ['steps', [{}, { steps: 1 }, { steps: 2 }, { steps: 20 }, { steps: 50 }]],
  ['goFast', [{ goFast: false }, { goFast: true }]],
  ['quality', [{}, { quality: 'low' }, { quality: 'high' }, { quality: 'xhigh' }, { quality: 'max' }]],
  ['style', [{}, { style: 'vivid' }, { style: 'natural' }]],
  [
    'loraWeights',
    [{}, { loraWeights: 'acme/ink' }, { loraWeights: 'https://example.test/clay.safetensors' }],
  ],
  ['loraScale', [1, 0.4, -1, 4].map((loraScale) => ({ loraWeights: 'acme/ink', loraScale }))],
  [
    'extraLoraWeights',
    [
      { loraWeights: 'acme/ink' },
      { loraWeights: 'acme/ink', extraLoraWeights: ['b'] },
      { loraWeights: 'acme/ink', extraLoraWeights: ['c'] },
      { loraWeights: 'acme/ink', extraLoraWeights: ['b'], extraLoraScale: [0.3] },
    ],
  ],
  ['complexity', [{}, { complexity: 'medium' }, { complexity: 'high' }]],
  ['complexity low beside loose guidance', [{ guidance: 0 }, { guidance: 0, complexity: 'low' }]],
]

const edits: [string, Partial<ProviderRequest>[]][] = [
  ['strength', [{}, { strength: 0 }, { strength: 0.4 }, { strength: 0.8 }, { strength: 1 }]],
  ['inputFidelity', [{}, { inputFidelity: 'low' }, { inputFidelity: 'high' }]],
  ['guidance', [{}, { guidance: 0 }, { guidance: 20 }]],
  ['steps', [{}, { steps: 3 }, { steps: 40 }]],
  ['style', [{}, { style: 'vivid' }, { style: 'natural' }]],
  ['loraWeights', [{}, { loraWeights: 'a' }, { loraWeights: 'b' }]],
]

describe('every value of a field gives its own picture, and the same one each time', () => {
  test.each(generations)('%s', async (_name, values) => {
    await expectDistinct(values)
  })

  test.each(generations.slice(0, 6))('%s, on a transparent background', async (_name, values) => {
    await expectDistinct(values.map((value) => ({ ...value, background: 'transparent' as const })))
  })

  test.each(edits)('%s, in an edit', async (_name, values) => {
    const images = [await plain('#6a8fb0')]
    await expectDistinct(values.map((value) => ({ ...value, images })))
  })

  async function expectDistinct(values: readonly Partial<ProviderRequest>[]): Promise<void> {
    const drawn: string[] = []
    for (const value of values) drawn.push(hash(await draw(prompt, value)))
    expect(new Set(drawn).size).toBe(values.length)
    expect(hash(await draw(prompt, values.at(-1)))).toBe(drawn.at(-1))
  }
})

describe('what leaves a picture as it is', () => {
  // Hashes of the SVG, because another machine's rasteriser may round a pixel otherwise.
  test.each([
    ['a red fox in a snowy forest', {}, '3bacb46ab9c3547e'],
    ['asdf qwerty', {}, 'a291c7a6ca355ba2'],
    ['a cup of tea', { seed: 7 }, '0392583180c8de6f'],
    ['watercolor of a castle in the mountains', {}, '5a065c5004d86656'],
    ['cyberpunk city in the rain', {}, '4a1f41ab2e105c27'],
    ['three foxes and a tree', { background: 'transparent' }, '6fdd7ddba2c36ee3'],
    ['a parrot in a jungle', { style: 'vivid' }, '67e78ac237b8c9d9'],
    ['a fox and a balloon in a forest', { negativePrompt: 'balloon, trees' }, '27ac68addec1c538'],
  ] as [string, Partial<ProviderRequest>, string][])(
    '%s %j is drawn as ever',
    async (words, more, expected) => {
      await draw(words, { size: { width: 512, height: 512 }, ...more })
      expect(hash(documents.at(-1) as string).slice(0, 16)).toBe(expected)
    },
  )

  test.each<Partial<ProviderRequest>>([
    { guidance: 7 },
    { quality: 'auto' },
    { quality: 'medium' },
    { goFast: false },
    { loraWeights: 'acme/ink', loraScale: 0 },
    { moderation: 'low' },
    { disableSafetyChecker: true },
    { safetyIdentifier: 'user-1' },
  ])('%j', async (more) => {
    expect(await draw(prompt, more)).toEqual(await draw(prompt))
  })
})

describe('how strong', () => {
  test('an edit departs further from its picture the greater its strength is', async () => {
    const bytes = await plainBytes('#6a8fb0')
    const distances: number[] = []
    for (const strength of [0, 0.3, 0.6, 1]) {
      const drawn = await draw('a fox in a forest at night', { images: [await inputOf(bytes)], strength })
      distances.push(await distance(drawn, bytes))
    }
    expect(distances).toEqual([...distances].sort((a, b) => a - b))
    expect(distances[0]).toBeLessThan(12)
    expect(distances[3]).toBeGreaterThan(40)
  })

  test('strong guidance leaves the place away that nobody named, weak guidance brings things along', async () => {
    await draw('a fox', { guidance: 20 })
    const strict = documents.at(-1) as string
    await draw('a fox', { guidance: 0 })
    const loose = documents.at(-1) as string
    await draw('a fox', {})
    const plainly = documents.at(-1) as string
    expect(strict.length).toBeLessThan(plainly.length)
    expect(count(loose, '<use')).toBeGreaterThan(count(plainly, '<use'))
  })

  test('what the prompt does not want does not come along either', async () => {
    const uses = async (more: Partial<ProviderRequest>) => {
      await draw('a fox in a meadow', more)
      return count(documents.at(-1) as string, '<use')
    }
    const negativePrompt = 'butterfly, bee, balloon, tulip, flower, mushroom'
    const without = await uses({ negativePrompt })
    expect(await uses({ negativePrompt, guidance: 0 })).toBe(without)
    expect(await uses({ guidance: 0 })).toBeGreaterThan(without)
  })

  test('the name of a LoRA never becomes markup', async () => {
    const name = 'https://example.test/"><image href="x"/>'
    await draw(prompt, { loraWeights: name, extraLoraWeights: [name] })
    expect(documents.at(-1)).not.toMatch(/example\.test|<image/)
  })
})

describe('what cannot be honoured is refused by name, before any picture is read', () => {
  test.each<[string, Partial<ProviderRequest>]>([
    ['watermark', { watermark: true }],
    ['aspect_ratio', { aspectRatio: '16:9' }],
    ['image_size', { imageSize: '2K' }],
    ['quality', { quality: 'ultra' }],
    ['style', { style: 'baroque' }],
    ['input_fidelity', { inputFidelity: 'middling' }],
    ['output_format', { outputFormat: 'webp' }],
    ['output_compression', { outputCompression: 80 }],
    ['strength', { strength: 0.5, images: undefined }],
    ['lora_scale', { loraScale: 2 }],
    ['extra_lora_scale', { loraWeights: 'a', extraLoraWeights: ['b'], extraLoraScale: [1, 1] }],
    ['max_images', { series: { maxImages: 16 } }],
    ['max_images', { series: { maxImages: 0 } }],
    ['n', { series: {}, n: 2 }],
    ['neverHeardOf', { neverHeardOf: 7 } as Partial<ProviderRequest>],
  ])('%s: %j', async (param, more) => {
    const image = await plain('#6a8fb0')
    await expect(draw(prompt, { images: [image], ...more })).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param,
      dispatched: 'no',
    })
    expect(image.reads).toBe(0)
  })

  test('a mask without a picture', async () => {
    const mask = await plain('#00000000')
    await expect(draw(prompt, { mask })).rejects.toMatchObject({ param: 'mask', dispatched: 'no' })
  })
})

/** Mean difference of two pictures' channels. */
async function distance(first: Buffer, second: Buffer): Promise<number> {
  const [a, b] = await Promise.all([first, second].map((png) => sharp(png).removeAlpha().raw().toBuffer()))
  if (!a || !b) throw new Error('both pictures have pixels')
  return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] as number)), 0) / a.length
}

const count = (text: string, part: string) => text.split(part).length - 1
