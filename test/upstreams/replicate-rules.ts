/**
 * What the models on the fake Replicate take, from the input schemas of their pages on replicate.com, read 2026-11-20.
 * Replicate itself drops an input that a model does not know in silence; the fake refuses it as some versions of its
 * engine Cog have done, because a field that is lost without a word is what no test would notice.
 */
import { RecordedFile } from './recorded-file.ts'

type Rule =
  | 'text'
  | 'boolean'
  | 'picture'
  | { pictures: number }
  | 'numbers'
  | 'texts'
  | { whole: [number, number] }
  | { number: [number, number] }
  | readonly string[]

export interface ModelRules {
  input: Record<string, Rule>
  required?: readonly string[]
  /** One address, or a list. */
  output: 'one' | 'list'
  format: 'jpg' | 'png' | 'webp'
  aspectRatio?: string
}

export class ReplicateRefusal extends Error {
  readonly status: number
  readonly body: Record<string, unknown>

  constructor(status: number, title: string, detail: string, more: Record<string, unknown> = {}) {
    super(detail)
    this.status = status
    this.body = { title, detail, status, ...more }
  }
}

const anySeed: Rule = { whole: [0, 4_294_967_295] }
const webpJpgPng = ['webp', 'jpg', 'png']
const quality: Rule = { whole: [0, 100] }
const elevenRatios = ['1:1', '16:9', '21:9', '3:2', '2:3', '4:5', '5:4', '3:4', '4:3', '9:16', '9:21']
const customRatios = ['custom', '1:1', '16:9', '3:2', '2:3', '4:5', '5:4', '9:16', '3:4', '4:3']

const schnell = {
  prompt: 'text',
  aspect_ratio: elevenRatios,
  num_outputs: { whole: [1, 4] },
  num_inference_steps: { whole: [1, 4] },
  seed: anySeed,
  output_format: webpJpgPng,
  output_quality: quality,
  disable_safety_checker: 'boolean',
  go_fast: 'boolean',
  megapixels: ['1', '0.25'],
} satisfies Record<string, Rule>

const pro11 = {
  prompt: 'text',
  image_prompt: 'picture',
  aspect_ratio: customRatios,
  width: { whole: [256, 1440] },
  height: { whole: [256, 1440] },
  safety_tolerance: { whole: [1, 6] },
  seed: anySeed,
  prompt_upsampling: 'boolean',
  output_format: webpJpgPng,
  output_quality: quality,
} satisfies Record<string, Rule>

const kontext: ModelRules = {
  input: {
    prompt: 'text',
    input_image: 'picture',
    aspect_ratio: ['match_input_image', ...elevenRatios, '2:1', '1:2'],
    output_format: ['jpg', 'png'],
    safety_tolerance: { whole: [0, 6] },
    prompt_upsampling: 'boolean',
    seed: anySeed,
  },
  output: 'one',
  format: 'png',
}

const control: ModelRules = {
  input: {
    prompt: 'text',
    control_image: 'picture',
    steps: { whole: [15, 50] },
    guidance: { number: [1, 100] },
    prompt_upsampling: 'boolean',
    safety_tolerance: { whole: [1, 6] },
    seed: anySeed,
    output_format: ['jpg', 'png'],
  },
  required: ['control_image'],
  output: 'one',
  format: 'jpg',
}

const flux2 = {
  prompt: 'text',
  input_images: { pictures: 8 },
  aspect_ratio: ['match_input_image', ...customRatios],
  resolution: ['match_input_image', '0.5 MP', '1 MP', '2 MP', '4 MP'],
  width: { whole: [256, 2048] },
  height: { whole: [256, 2048] },
  safety_tolerance: { whole: [1, 5] },
  seed: anySeed,
  output_format: webpJpgPng,
  output_quality: quality,
} satisfies Record<string, Rule>

export const modelRules: Readonly<Record<string, ModelRules>> = {
  'prunaai/z-image-turbo': {
    input: {
      prompt: 'text',
      width: { whole: [64, 2048] },
      height: { whole: [64, 2048] },
      num_inference_steps: { whole: [1, 50] },
      guidance_scale: { number: [0, 20] },
      seed: anySeed,
      go_fast: 'boolean',
      output_format: ['jpg', 'png', 'webp'],
      output_quality: quality,
      num_outputs: { whole: [1, 4] },
      safety_tolerance: { whole: [1, 6] },
      negative_prompt: 'text',
    },
    output: 'one',
    format: 'jpg',
  },
  'qwen/qwen-image': {
    input: {
      prompt: 'text',
      enhance_prompt: 'boolean',
      lora_weights: 'text',
      replicate_weights: 'text',
      lora_scale: { number: [-3, 3] },
      extra_lora_weights: 'texts',
      extra_lora_scale: 'numbers',
      image: 'picture',
      strength: { number: [0, 1] },
      negative_prompt: 'text',
      aspect_ratio: ['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3'],
      image_size: ['optimize_for_quality', 'optimize_for_speed'],
      go_fast: 'boolean',
      num_inference_steps: { whole: [1, 50] },
      guidance: { number: [0, 10] },
      seed: anySeed,
      output_format: webpJpgPng,
      output_quality: quality,
      disable_safety_checker: 'boolean',
    },
    output: 'list',
    format: 'webp',
    aspectRatio: '16:9',
  },
  'replicate/qwen-image-2.1-lora': {
    input: {
      prompt: 'text',
      guidance_scale: { number: [1, 10] },
      num_outputs: { whole: [1, 4] },
      width: { whole: [256, 2048] },
      height: { whole: [256, 2048] },
      reference_images: { pictures: 10 },
      lora: 'text',
      lora_scale: { number: [-3, 3] },
    },
    output: 'list',
    format: 'webp',
  },
  'black-forest-labs/flux-schnell': { input: schnell, output: 'list', format: 'webp' },
  'black-forest-labs/flux-schnell-lora': {
    input: { ...schnell, lora_weights: 'text', lora_scale: { number: [-1, 3] } },
    output: 'list',
    format: 'webp',
  },
  'black-forest-labs/flux-dev': {
    input: {
      ...schnell,
      num_inference_steps: { whole: [1, 50] },
      guidance: { number: [0, 10] },
      image: 'picture',
      prompt_strength: { number: [0, 1] },
    },
    output: 'list',
    format: 'webp',
  },
  'black-forest-labs/flux-pro': {
    input: {
      ...pro11,
      steps: { whole: [1, 50] },
      guidance: { number: [2, 5] },
      interval: { number: [1, 4] },
    },
    output: 'one',
    format: 'webp',
  },
  'black-forest-labs/flux-1.1-pro': { input: pro11, output: 'one', format: 'webp' },
  'black-forest-labs/flux-1.1-pro-ultra': {
    input: {
      prompt: 'text',
      raw: 'boolean',
      image_prompt: 'picture',
      image_prompt_strength: { number: [0, 1] },
      aspect_ratio: elevenRatios,
      safety_tolerance: { whole: [1, 6] },
      seed: anySeed,
      output_format: ['jpg', 'png'],
    },
    output: 'one',
    format: 'jpg',
  },
  'black-forest-labs/flux-kontext-pro': kontext,
  'black-forest-labs/flux-kontext-max': kontext,
  'black-forest-labs/flux-depth-pro': control,
  'black-forest-labs/flux-canny-pro': control,
  'black-forest-labs/flux-2-pro': { input: flux2, output: 'one', format: 'webp' },
  'black-forest-labs/flux-2-flex': {
    input: {
      ...flux2,
      input_images: { pictures: 10 },
      steps: { whole: [1, 50] },
      guidance: { number: [1.5, 10] },
      prompt_upsampling: 'boolean',
    },
    output: 'one',
    format: 'webp',
  },
  'black-forest-labs/flux-3-image': {
    input: {
      prompt: 'text',
      images: { pictures: 10 },
      aspect_ratio: ['auto', ...elevenRatios],
      resolution: ['1k', '2k', '4k'],
      grounding: 'boolean',
      safety_tolerance: { whole: [0, 4] },
      output_format: webpJpgPng,
      output_quality: quality,
    },
    output: 'one',
    format: 'webp',
  },
}

/** Throws `ReplicateRefusal` (422) for the first thing that is wrong with the input, in Replicate's form. */
export function checkInput(rules: ModelRules, input: Record<string, unknown>): void {
  for (const name of ['prompt', ...(rules.required ?? [])]) {
    if (input[name] === undefined) refuseField(name, 'this field is required')
  }
  for (const [name, value] of Object.entries(input)) {
    const rule = rules.input[name]
    if (rule === undefined) refuseField(name, 'Unexpected field')
    const problem = rule && problemOf(rule, value)
    if (problem) refuseField(name, problem)
  }
  const { aspect_ratio, width, height, safety_tolerance, input_image } = input
  if (customSized(rules) && aspect_ratio === 'custom' && (width === undefined || height === undefined)) {
    refuseField('width', 'width and height are required with aspect_ratio custom')
  }
  // The page says that these would be ignored; here they are missed.
  if (customSized(rules) && aspect_ratio !== 'custom' && width !== undefined) {
    refuseField('width', 'Only used when aspect_ratio=custom')
  }
  if (input_image !== undefined && Number(safety_tolerance ?? 0) > 2) {
    refuseField('safety_tolerance', '2 is currently the maximum allowed when input images are used')
  }
}

function customSized({ input: { aspect_ratio } }: ModelRules): boolean {
  return Array.isArray(aspect_ratio) && aspect_ratio.includes('custom')
}

function problemOf(rule: Rule, value: unknown): string | undefined {
  if (rule === 'text') return typeof value === 'string' ? undefined : 'Expected a string'
  if (rule === 'boolean') return typeof value === 'boolean' ? undefined : 'Expected a boolean'
  if (rule === 'picture') return isPicture(value) ? undefined : 'Does not match format uri'
  if (rule === 'texts' || rule === 'numbers') {
    const type = rule === 'texts' ? 'string' : 'number'
    const isList = Array.isArray(value) && value.every((one) => typeof one === type)
    return isList ? undefined : `Expected a list of ${rule}`
  }
  if ('pictures' in rule) {
    const isList = Array.isArray(value) && value.every(isPicture)
    return isList && value.length <= rule.pictures
      ? undefined
      : `Expected up to ${rule.pictures} of format uri`
  }
  if ('whole' in rule) return Number.isInteger(value) ? outside(rule.whole, value) : 'Expected an integer'
  if ('number' in rule) return typeof value === 'number' ? outside(rule.number, value) : 'Expected a number'
  return rule.includes(String(value)) ? undefined : `must be one of the following: ${rule.join(', ')}`
}

function outside([min, max]: [number, number], value: unknown): string | undefined {
  if (Number(value) < min) return `Must be greater than or equal to ${min}`
  return Number(value) > max ? `Must be less than or equal to ${max}` : undefined
}

function isPicture(value: unknown): boolean {
  return value instanceof RecordedFile || (typeof value === 'string' && /^https?:\/\//.test(value))
}

function refuseField(name: string, description: string): never {
  throw new ReplicateRefusal(422, 'Input validation failed', `- input.${name}: ${description}\n`, {
    invalid_fields: [{ type: 'invalid', field: `input.${name}`, description }],
  })
}
