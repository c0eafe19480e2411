import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fakeReplicateKey, fakeReplicateVersion } from '../../../test/upstreams/replicate.ts'
import type { ProviderRequest } from '../provider.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { type OpenReplicate, openReplicate } from './testing/open-replicate.ts'

let world: OpenReplicate
beforeAll(async () => {
  world = await openReplicate()
})
beforeEach(() => {
  world.upstream.requests.length = 0
})
afterAll(() => world[Symbol.asyncDispose]())

const inputs = await openSampleInputs()
const png = inputs.picture('image/png')
const jpeg = inputs.picture('image/jpeg')
const prompt = 'a heron at dawn'
const owner = 'black-forest-labs'

describe('the call', () => {
  it('creates a prediction of an official model, and waits for nothing', async () => {
    await world.start()
    expect(world.upstream.requests).toEqual([
      {
        method: 'POST',
        path: '/v1/models/black-forest-labs/flux-2-pro/predictions',
        headers: expect.objectContaining({
          authorization: `Bearer ${fakeReplicateKey}`,
          'content-type': 'application/json',
        }),
        body: { input: { prompt } },
      },
    ])
    expect(world.upstream.requests[0]?.headers).not.toHaveProperty('prefer')
  })

  it.each([`prunaai/z-image-turbo:${fakeReplicateVersion}`, fakeReplicateVersion])(
    'creates a prediction of the version %s',
    async (model) => {
      await world.start({ model, dialect: 'z-image' })
      expect(world.upstream.requests[0]).toMatchObject({ method: 'POST', path: '/v1/predictions' })
      expect(world.lastBody()).toEqual({ version: fakeReplicateVersion, input: { prompt, num_outputs: 1 } })
    },
  )

  it('names a webhook, for the end only', async () => {
    const webhookUrl = 'https://gesso.test/hooks/1'
    await world.start({ webhookUrl })
    expect(world.lastBody()).toEqual({
      input: { prompt },
      webhook: webhookUrl,
      webhook_events_filter: ['completed'],
    })
  })

  it.each([
    [
      'acme/unheard-of',
      undefined,
      /which family acme\/unheard-of belongs to.*dialect under models: in gesso\.yaml, one of flux-schnell/,
    ],
    ['acme/flux', 'flux-9', /and not flux-9\.$/],
    ['acme/flux', 'toString', /and not toString\.$/],
    ['../../v1/account', 'flux-schnell', /as owner\/name/],
    ['acme/../account', 'flux-schnell', /as owner\/name/],
    ['flux-schnell', undefined, /as owner\/name/],
  ])('of %s (%s) is nobody’s to make', async (model, dialect, message) => {
    expect(await world.start({ model, dialect })).toMatchObject({
      code: 'internal_error',
      attribution: 'platform',
      message: expect.stringMatching(message),
      dispatched: 'no',
    })
    expect(world.upstream.requests).toEqual([])
  })
})

/** What a model's input becomes beside the prompt. */
const sayings: [string, Partial<ProviderRequest>, object][] = [
  ['flux-schnell', {}, { num_outputs: 1 }],
  ['flux-schnell', { seed: 7 }, { num_outputs: 1, seed: 7, go_fast: false }],
  ['flux-schnell', { seed: 7, goFast: true }, { num_outputs: 1, seed: 7, go_fast: true }],
  [
    'flux-schnell',
    { n: 3, size: { width: 672, height: 384 }, steps: 2, disableSafetyChecker: true, outputFormat: 'jpeg' },
    {
      num_outputs: 3,
      aspect_ratio: '16:9',
      megapixels: '0.25',
      num_inference_steps: 2,
      disable_safety_checker: true,
      output_format: 'jpg',
    },
  ],
  [
    'flux-schnell-lora',
    { loraWeights: 'fofr/flux-pixar-cars', loraScale: -0.5, aspectRatio: '9:21', imageSize: '1K' },
    {
      num_outputs: 1,
      aspect_ratio: '9:21',
      megapixels: '1',
      lora_weights: 'fofr/flux-pixar-cars',
      lora_scale: -0.5,
    },
  ],
  [
    'flux-dev',
    { guidance: 4.5, outputCompression: 70, outputFormat: 'webp' },
    { num_outputs: 1, guidance: 4.5, output_format: 'webp', output_quality: 70 },
  ],
  [
    'flux-pro',
    { size: { width: 1440, height: 256 }, steps: 50, guidance: 2, moderation: 'low' },
    {
      prompt_upsampling: false,
      aspect_ratio: 'custom',
      width: 1440,
      height: 256,
      steps: 50,
      guidance: 2,
      safety_tolerance: 6,
    },
  ],
  [
    'flux-1.1-pro',
    { aspectRatio: '4:5', moderation: 'auto' },
    { prompt_upsampling: false, aspect_ratio: '4:5' },
  ],
  ['flux-1.1-pro-ultra', { aspectRatio: '21:9', seed: 0 }, { aspect_ratio: '21:9', seed: 0 }],
  ['flux-kontext-pro', { moderation: 'low' }, { prompt_upsampling: false, safety_tolerance: 6 }],
  [
    'flux-2-pro',
    { aspectRatio: '3:2', imageSize: '2K', moderation: 'low' },
    { aspect_ratio: '3:2', resolution: '4 MP', safety_tolerance: 5 },
  ],
  [
    'flux-2-flex',
    { size: { width: 2048, height: 272 }, steps: 30, guidance: 1.5 },
    { prompt_upsampling: false, aspect_ratio: 'custom', width: 2048, height: 272, steps: 30, guidance: 1.5 },
  ],
  [
    'flux-3-image',
    { aspectRatio: '16:9', imageSize: '4K', moderation: 'low' },
    { grounding: false, aspect_ratio: '16:9', resolution: '4k', safety_tolerance: 4 },
  ],
]

describe('the input of a generation', () => {
  it.each(sayings)('by %s of %j', async (model, overrides, input) => {
    expect(await world.start({ model: `${owner}/${model}`, ...overrides })).toMatchObject({
      status: 'pending',
    })
    expect(world.lastBody()).toEqual({ input: { prompt, ...input } })
  })

  it('by Qwen-Image says all of a full request', async () => {
    await world.start({
      model: 'qwen/qwen-image',
      size: { width: 928, height: 1664 },
      seed: 7,
      negativePrompt: 'boats',
      guidance: 3.5,
      steps: 30,
      goFast: false,
      disableSafetyChecker: true,
      loraWeights: 'acme/ink',
      loraScale: 0.5,
      extraLoraWeights: ['acme/paper', 'https://acme.test/a.safetensors'],
      extraLoraScale: [1, -0.25],
      outputFormat: 'png',
    })
    expect(world.lastBody()).toEqual({
      input: {
        prompt,
        enhance_prompt: false,
        aspect_ratio: '9:16',
        image_size: 'optimize_for_quality',
        seed: 7,
        negative_prompt: 'boats',
        guidance: 3.5,
        num_inference_steps: 30,
        go_fast: false,
        disable_safety_checker: true,
        lora_weights: 'acme/ink',
        lora_scale: 0.5,
        extra_lora_weights: ['acme/paper', 'https://acme.test/a.safetensors'],
        extra_lora_scale: [1, -0.25],
        output_format: 'png',
      },
    })
  })

  it('by Qwen-Image is quick where that is wished for beside a size', async () => {
    const size = { width: 1328, height: 1328 }
    await world.start({ model: 'qwen/qwen-image', size, imageSize: 'optimize_for_speed' })
    expect(world.lastBody()).toMatchObject({
      input: { aspect_ratio: '1:1', image_size: 'optimize_for_speed' },
    })
  })

  it.each<[string, string, Partial<ProviderRequest>]>([
    ['n', 'flux-pro', { n: 2 }],
    ['n', 'flux-schnell', { n: 5 }],
    ['size', 'flux-schnell', { size: { width: 1000, height: 1000 } }],
    ['size', 'flux-kontext-max', { size: { width: 1024, height: 1024 } }],
    ['aspect_ratio', 'flux-pro', { size: { width: 256, height: 256 }, aspectRatio: '1:1' }],
    ['image_size', 'flux-2-pro', { imageSize: '4K' }],
    ['image_size', 'flux-2-pro', { imageSize: '1K', size: { width: 256, height: 256 } }],
    ['image_size', 'flux-dev', { imageSize: '1K', size: { width: 1024, height: 1024 } }],
    ['moderation', 'flux-2-pro', { moderation: 'high' }],
    ['output_format', 'flux-1.1-pro-ultra', { outputFormat: 'webp' }],
    ['output_format', 'flux-schnell', { outputFormat: 'avif' }],
    ['negative_prompt', 'flux-pro', { negativePrompt: 'boats' }],
    ['strength', 'flux-dev', { strength: 0.5 }],
    ['watermark', 'flux-3-image', { watermark: true }],
    ['sequential_image_generation', 'flux-3-image', { series: {} }],
  ])('that cannot say %s is refused: %s', async (param, model, overrides) => {
    expect(await world.start({ model: `${owner}/${model}`, ...overrides })).toMatchObject({
      code: 'unsupported_parameter',
      attribution: 'client',
      param,
      dispatched: 'no',
    })
    expect(world.upstream.requests).toEqual([])
  })
})

describe('the input of an edit', () => {
  const seen = expect.objectContaining({ mediaType: 'image/png', width: 96, height: 64 })
  const other = expect.objectContaining({ mediaType: 'image/jpeg' })

  it.each<[string, Partial<ProviderRequest>, object]>([
    ['flux-dev', { strength: 0.25 }, { num_outputs: 1, image: seen, prompt_strength: 0.25 }],
    ['flux-pro', {}, { prompt_upsampling: false, image_prompt: seen }],
    // There it is how much of the input stays, here how far the result may depart from it.
    ['flux-1.1-pro-ultra', { strength: 0.9 }, { image_prompt: seen, image_prompt_strength: 0.1 }],
    ['flux-1.1-pro-ultra', { strength: 0 }, { image_prompt: seen, image_prompt_strength: 1 }],
    [
      'flux-kontext-max',
      { moderation: 'low' },
      { prompt_upsampling: false, input_image: seen, safety_tolerance: 2 },
    ],
    [
      'flux-depth-pro',
      { steps: 15, guidance: 100 },
      { prompt_upsampling: false, control_image: seen, steps: 15, guidance: 100 },
    ],
    [
      'flux-2-pro',
      { images: [png, jpeg] },
      { aspect_ratio: 'match_input_image', input_images: [seen, other] },
    ],
    ['flux-2-pro', { aspectRatio: '1:1' }, { aspect_ratio: '1:1', input_images: [seen] }],
    ['flux-3-image', { images: [png, jpeg] }, { grounding: false, images: [seen, other] }],
  ])('by %s of %j', async (model, overrides, input) => {
    const outcome = await world.start({ model: `${owner}/${model}`, images: [png], ...overrides })
    expect(outcome).toMatchObject({ status: 'pending' })
    expect(world.lastBody()).toEqual({ input: { prompt, ...input } })
  })

  it.each<[string, string, Partial<ProviderRequest>]>([
    ['image', 'flux-schnell', { images: [png] }],
    ['image', 'flux-kontext-pro', { images: [png, jpeg] }],
    ['image', 'flux-canny-pro', {}],
    ['mask', 'flux-dev', { images: [png], mask: inputs.mask() }],
    ['aspect_ratio', 'flux-dev', { images: [png], aspectRatio: '1:1' }],
  ])('without a place for %s is refused: %s', async (param, model, overrides) => {
    expect(await world.start({ model: `${owner}/${model}`, ...overrides })).toMatchObject({
      code: 'unsupported_parameter',
      param,
      dispatched: 'no',
    })
    expect(world.upstream.requests).toEqual([])
  })
})
