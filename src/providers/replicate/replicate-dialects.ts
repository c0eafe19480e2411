/**
 * The inputs of Replicate's image models, one dialect for each family: schemas of the model pages on replicate.com
 * (`/api` of each) and of the source of the open models, read 2026-11-20. Replicate drops an input that a model does not
 * know without a word, so only what a page names is ever sent.
 */
import type { ProviderRequest } from '../provider.ts'
import { type Saying, unsupported, type WireTable } from '../wire-fields.ts'
import { ofCogFlux, ofQwen } from './replicate-sizes.ts'

export interface Dialect {
  /** The names of the models that speak it, without their owner. */
  models: readonly string[]
  /** Sent with every call: what the vendor would do otherwise costs money or changes the picture. */
  fixed: Readonly<Record<string, unknown>>
  /** Sent beside input pictures. */
  fixedWithPictures?: (request: ProviderRequest) => Readonly<Record<string, unknown>>
  fields: WireTable
  /** How the number of pictures is said; without it a call makes one. */
  count?: { name: string; max: number }
  /** Where input pictures go: the only one, or a list of them. */
  pictures?: { name: string; max: number; min?: number; isList?: boolean }
}

const title = 'Replicate'

/** `low` is the most tolerant word there is; `auto` leaves the model to itself. */
function tolerance(most: number, mostWithPictures = most): Saying<'moderation'> {
  return (word, { images = [], model }) => {
    if (word === 'auto') return {}
    if (word === 'low') return { safety_tolerance: images.length > 0 ? mostWithPictures : most }
    throw unsupported('moderation', `${title} takes auto and low with ${model}, not ${word}`)
  }
}

/** JPEG is `jpg` there. */
function formats(...made: readonly string[]): Saying<'outputFormat'> {
  return (format, { model }) => {
    const word = format === 'jpeg' ? 'jpg' : format
    if (made.includes(word)) return { output_format: word }
    throw unsupported('output_format', `${title} makes ${made.join(', ')} with ${model}, not ${format}`)
  }
}

/** Width and height count only beside the ratio `custom`. */
const customSize: Saying<'size'> = ({ width, height }) => ({ aspect_ratio: 'custom', width, height })

/** A resolution class in the model's own words. */
function resolutions(words: Readonly<Record<string, string>>): Saying<'imageSize'> {
  return (imageSize, { size, model }) => {
    if (size) throw unsupported('image_size', `${title} takes no other resolution beside size`)
    const resolution = words[imageSize]
    if (resolution) return { resolution }
    throw unsupported('image_size', `${title} takes ${Object.keys(words).join(', ')} with ${model}`)
  }
}

/** Of an edit, the picture has the size of its input, and the model ignores every other. */
function withoutPictures<Value>(
  name: string,
  say: (value: Value, request: ProviderRequest) => Record<string, unknown>,
) {
  return (value: Value, request: ProviderRequest) => {
    if (!request.images?.length) return say(value, request)
    throw unsupported(name, `an edit by ${request.model} is as large as its input picture`)
  }
}

const webpJpgPng = formats('webp', 'jpg', 'png')
const jpgPng = formats('jpg', 'png')

/**
 * FLUX.1 [schnell] and [dev] run on Replicate's own machines, and with `go_fast` (the default there) the same seed gives
 * another picture each time. A seed therefore turns it off, unless the caller asks for it.
 */
const cogFlux: WireTable = {
  ...ofCogFlux,
  seed: (seed, { goFast }) => (goFast === undefined ? { seed, go_fast: false } : { seed }),
  steps: 'num_inference_steps',
  goFast: 'go_fast',
  disableSafetyChecker: 'disable_safety_checker',
  outputFormat: webpJpgPng,
  outputCompression: 'output_quality',
}

const fluxPro: WireTable = {
  size: customSize,
  aspectRatio: 'aspect_ratio',
  moderation: tolerance(6),
  seed: 'seed',
  outputFormat: webpJpgPng,
  outputCompression: 'output_quality',
}

const flux2: WireTable = {
  ...fluxPro,
  imageSize: resolutions({ '512': '0.5 MP', '1K': '1 MP', '2K': '4 MP' }),
  moderation: tolerance(5),
}

/** An edit without a wish for another shape keeps the shape of its first picture; the default would be a square. */
const flux2Edit = ({ size, aspectRatio }: ProviderRequest) =>
  size || aspectRatio ? {} : { aspect_ratio: 'match_input_image' }

/** How far the result may depart is there how much of the input picture stays. */
const fluxUltraStrength: Saying<'strength'> = (strength) => ({
  image_prompt_strength: Number((1 - strength).toFixed(6)),
})

/** Replicate's names of fields; a mask goes to none of these models. */
const dialects: Readonly<Record<string, Dialect>> = {
  'flux-schnell': {
    models: ['flux-schnell'],
    fixed: {},
    fields: cogFlux,
    count: { name: 'num_outputs', max: 4 },
  },
  'flux-schnell-lora': {
    models: ['flux-schnell-lora'],
    fixed: {},
    fields: { ...cogFlux, loraWeights: 'lora_weights', loraScale: 'lora_scale' },
    count: { name: 'num_outputs', max: 4 },
  },
  'flux-dev': {
    models: ['flux-dev'],
    fixed: {},
    fields: {
      ...cogFlux,
      size: withoutPictures('size', ofCogFlux.size),
      aspectRatio: withoutPictures('aspect_ratio', ofCogFlux.aspectRatio),
      imageSize: withoutPictures('image_size', ofCogFlux.imageSize),
      guidance: 'guidance',
      strength: 'prompt_strength',
    },
    count: { name: 'num_outputs', max: 4 },
    pictures: { name: 'image', max: 1 },
  },
  'flux-pro': {
    models: ['flux-pro'],
    fixed: { prompt_upsampling: false },
    fields: { ...fluxPro, steps: 'steps', guidance: 'guidance' },
    pictures: { name: 'image_prompt', max: 1 },
  },
  'flux-1.1-pro': {
    models: ['flux-1.1-pro'],
    fixed: { prompt_upsampling: false },
    fields: fluxPro,
    pictures: { name: 'image_prompt', max: 1 },
  },
  'flux-1.1-pro-ultra': {
    models: ['flux-1.1-pro-ultra'],
    fixed: {},
    fields: {
      aspectRatio: 'aspect_ratio',
      moderation: tolerance(6),
      seed: 'seed',
      strength: fluxUltraStrength,
      outputFormat: jpgPng,
    },
    pictures: { name: 'image_prompt', max: 1 },
  },
  'flux-kontext': {
    models: ['flux-kontext-pro', 'flux-kontext-max'],
    fixed: { prompt_upsampling: false },
    fields: {
      aspectRatio: 'aspect_ratio',
      moderation: tolerance(6, 2),
      seed: 'seed',
      outputFormat: jpgPng,
    },
    pictures: { name: 'input_image', max: 1 },
  },
  'flux-control': {
    models: ['flux-depth-pro', 'flux-canny-pro'],
    fixed: { prompt_upsampling: false },
    fields: {
      moderation: tolerance(6),
      seed: 'seed',
      steps: 'steps',
      guidance: 'guidance',
      outputFormat: jpgPng,
    },
    pictures: { name: 'control_image', max: 1, min: 1 },
  },
  'flux-2-pro': {
    models: ['flux-2-pro'],
    fixed: {},
    fixedWithPictures: flux2Edit,
    fields: flux2,
    pictures: { name: 'input_images', max: 8, isList: true },
  },
  'flux-2-flex': {
    models: ['flux-2-flex'],
    fixed: { prompt_upsampling: false },
    fixedWithPictures: flux2Edit,
    fields: { ...flux2, steps: 'steps', guidance: 'guidance' },
    pictures: { name: 'input_images', max: 10, isList: true },
  },
  'flux-3': {
    models: ['flux-3-image'],
    fixed: { grounding: false },
    fields: {
      aspectRatio: 'aspect_ratio',
      imageSize: resolutions({ '1K': '1k', '2K': '2k', '4K': '4k' }),
      moderation: tolerance(4),
      outputFormat: webpJpgPng,
      outputCompression: 'output_quality',
    },
    pictures: { name: 'images', max: 10, isList: true },
  },
  'qwen-image': {
    models: ['qwen-image'],
    fixed: { enhance_prompt: false },
    fields: {
      ...ofQwen,
      seed: 'seed',
      negativePrompt: 'negative_prompt',
      guidance: 'guidance',
      steps: 'num_inference_steps',
      strength: 'strength',
      goFast: 'go_fast',
      disableSafetyChecker: 'disable_safety_checker',
      loraWeights: 'lora_weights',
      loraScale: 'lora_scale',
      extraLoraWeights: 'extra_lora_weights',
      extraLoraScale: 'extra_lora_scale',
      outputFormat: webpJpgPng,
      outputCompression: 'output_quality',
    },
    pictures: { name: 'image', max: 1 },
  },
  'qwen-image-lora': {
    models: ['qwen-image-2.1-lora'],
    fixed: {},
    fields: {
      size: ({ width, height }) => ({ width, height }),
      guidance: 'guidance_scale',
      loraWeights: 'lora',
      loraScale: 'lora_scale',
    },
    count: { name: 'num_outputs', max: 4 },
    pictures: { name: 'reference_images', max: 10, isList: true },
  },
  // It takes negative_prompt, go_fast and safety_tolerance too, and does nothing with them.
  'z-image': {
    models: ['z-image-turbo'],
    fixed: {},
    fields: {
      size: ({ width, height }) => ({ width, height }),
      seed: 'seed',
      guidance: 'guidance_scale',
      steps: 'num_inference_steps',
      outputFormat: webpJpgPng,
      outputCompression: 'output_quality',
    },
    count: { name: 'num_outputs', max: 1 },
  },
}

export const dialectNames: readonly string[] = Object.keys(dialects)

/** The dialect of this name; without a name, the one of the model that `owner/name` or `owner/name:version` names. */
export function findDialect(name: string | undefined, model: string): Dialect | undefined {
  if (name !== undefined) return Object.hasOwn(dialects, name) ? dialects[name] : undefined
  const own = model.replace(/:.*$/, '').replace(/^.*\//, '')
  return Object.values(dialects).find(({ models }) => models.includes(own))
}
