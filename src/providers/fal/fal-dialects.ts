/**
 * The families of fal's image models as data: which endpoint serves a request, what it can say there, and what is said
 * with every call. From the input types of `@fal-ai/client` 1.10.1 and fal's model API reference
 * (https://fal.ai/docs/model-api-reference), read 2026-11-20.
 */
import type { ProviderRequest } from '../provider.ts'
import { unsupported, type WireTable } from '../wire-fields.ts'

export interface Dialect {
  /** Which models speak it, where nobody says. */
  models: RegExp
  /** The endpoint for so many input pictures, below the model's own. */
  suffix?(images: number): string
  fields: WireTable
  /** The same beside input pictures; absent where nothing changes. */
  editFields?: WireTable
  /** Said with every call; a field that says otherwise wins. */
  fixed: Readonly<Record<string, unknown>>
  /** The most pictures of one call. With 1 the endpoint has no word for a number. */
  maxPerCall: number
  minImages?: number
  maxImages: number
  /** Takes its pictures as a list even where there is one. */
  listsImages?: boolean
  mask?: 'required'
}

/** The most LoRAs that one call merges. */
const mostLoras = 3

const size: WireTable['size'] = ({ width, height }) => ({ image_size: { width, height } })

/** What every endpoint has. */
const common: WireTable = { seed: 'seed', outputFormat: formats('jpeg', 'png') }

const fluxFields: WireTable = {
  ...common,
  size,
  guidance: 'guidance_scale',
  steps: 'num_inference_steps',
  goFast: (fast) => ({ acceleration: fast ? 'high' : 'none' }),
  disableSafetyChecker: (disabled) => ({ enable_safety_checker: !disabled }),
}

/** With lettering in the picture, fal advises against `high`. */
const qwenFields: WireTable = {
  ...fluxFields,
  negativePrompt: 'negative_prompt',
  goFast: (fast) => ({ acceleration: fast ? 'regular' : 'none' }),
}

/** Partner models have levels of tolerance and no switch. */
const proFields: WireTable = { ...common, moderation: tolerance('6') }

const noSync = { sync_mode: false }
const checked = { ...noSync, enable_safety_checker: true }
/** Gesso rewrites prompts itself, and only where that is asked for. */
const unrewritten = { ...noSync, enhance_prompt: false }

/** The usual one first. */
const dialects: Readonly<Record<string, Dialect>> = {
  'flux-schnell': {
    models: /^fal-ai\/flux(-1)?\/schnell/,
    fields: fluxFields,
    fixed: checked,
    maxPerCall: 4,
    maxImages: 0,
  },
  'flux-dev': {
    models: /^fal-ai\/flux(-1)?\//,
    suffix: (images) => (images > 0 ? '/image-to-image' : ''),
    fields: fluxFields,
    editFields: { ...fluxFields, size: sizeOfItsInput, strength: 'strength' },
    fixed: checked,
    maxPerCall: 4,
    maxImages: 1,
  },
  'flux-ultra': {
    models: /v1\.1-ultra/,
    fields: { ...proFields, aspectRatio: 'aspect_ratio' },
    editFields: { ...proFields, aspectRatio: 'aspect_ratio', strength: imagePromptStrength },
    fixed: { ...unrewritten, raw: false },
    maxPerCall: 4,
    maxImages: 1,
  },
  'flux-kontext': {
    models: /\/kontext/,
    suffix: (images) => (images === 0 ? '/text-to-image' : images > 1 ? '/multi' : ''),
    fields: { ...proFields, aspectRatio: 'aspect_ratio', guidance: 'guidance_scale' },
    fixed: unrewritten,
    maxPerCall: 4,
    maxImages: 4,
  },
  'flux-fill': {
    models: /\/fill/,
    fields: proFields,
    fixed: unrewritten,
    maxPerCall: 4,
    minImages: 1,
    maxImages: 1,
    mask: 'required',
  },
  'flux-pro': {
    models: /\/flux-pro/,
    fields: { ...proFields, size },
    fixed: unrewritten,
    maxPerCall: 4,
    maxImages: 0,
  },
  'flux-2': {
    models: /\/flux-2-(pro|max)/,
    suffix: (images) => (images > 0 ? '/edit' : ''),
    fields: {
      ...common,
      size,
      moderation: tolerance('5'),
      disableSafetyChecker: fluxFields.disableSafetyChecker,
    },
    fixed: checked,
    maxPerCall: 1,
    maxImages: 8,
    listsImages: true,
  },
  'qwen-image-edit': {
    models: /\/qwen-image-edit/,
    fields: qwenFields,
    fixed: checked,
    maxPerCall: 4,
    minImages: 1,
    maxImages: 1,
  },
  'qwen-image': {
    models: /\/qwen-image/,
    fields: {
      ...qwenFields,
      loraWeights: loras,
      loraScale: loras,
      extraLoraWeights: loras,
      extraLoraScale: loras,
    },
    fixed: { ...checked, use_turbo: false },
    maxPerCall: 4,
    maxImages: 0,
  },
  'z-image': {
    models: /\/z-image/,
    fields: {
      ...common,
      size,
      outputFormat: formats('jpeg', 'png', 'webp'),
      steps: 'num_inference_steps',
      goFast: fluxFields.goFast,
      disableSafetyChecker: fluxFields.disableSafetyChecker,
    },
    // The expansion of prompts has a price of its own.
    fixed: { ...checked, enable_prompt_expansion: false },
    maxPerCall: 4,
    maxImages: 0,
  },
}

export const dialectNames = Object.keys(dialects)

/** The dialect of this name; without a name, the one that the model's name suggests, or the usual one. */
export function findDialect(name: string | undefined, model: string): Dialect | undefined {
  if (name !== undefined) return Object.hasOwn(dialects, name) ? dialects[name] : undefined
  return Object.values(dialects).find(({ models }) => models.test(model)) ?? dialects['flux-schnell']
}

function formats(...made: readonly string[]): WireTable['outputFormat'] {
  return (format, { model }) => {
    if (made.includes(format)) return { output_format: format }
    throw unsupported('output_format', `fal makes ${made.join(' and ')} with ${model}, not ${format}`)
  }
}

/** `low` is the most tolerant level; `auto` the one that fal begins with. */
function tolerance(most: string): WireTable['moderation'] {
  return (moderation) => {
    if (moderation !== 'low' && moderation !== 'auto') {
      throw unsupported('moderation', `it is ${moderation}, and fal's levels answer to low and auto`)
    }
    return { safety_tolerance: moderation === 'low' ? most : '2' }
  }
}

/** How much of the image prompt shall be seen is the opposite of how far the result may depart from it. */
function imagePromptStrength(strength: number): Record<string, unknown> {
  return { image_prompt_strength: Number((1 - strength).toFixed(6)) }
}

function sizeOfItsInput(_: unknown, { model }: ProviderRequest): never {
  throw unsupported('size', `with ${model} fal draws an edit in the size of its input picture`)
}

/** All LoRAs in one list, whichever field asks for it. */
function loras(_: unknown, request: ProviderRequest): Record<string, unknown> {
  const { loraWeights, loraScale = 1, extraLoraWeights = [], extraLoraScale = [] } = request
  if (loraWeights === undefined) {
    const param = request.loraScale === undefined ? 'extra_lora_weights' : 'lora_scale'
    throw unsupported(param, 'there are no lora_weights that it could be about')
  }
  if (extraLoraScale.length > extraLoraWeights.length) {
    throw unsupported('extra_lora_scale', 'it has more values than there are extra_lora_weights')
  }
  if (extraLoraWeights.length >= mostLoras) {
    throw unsupported('extra_lora_weights', `fal merges at most ${mostLoras} LoRAs with ${request.model}`)
  }
  const extra = extraLoraWeights.map((path, index) => ({ path, scale: extraLoraScale[index] ?? 1 }))
  return { loras: [{ path: loraWeights, scale: loraScale }, ...extra] }
}
