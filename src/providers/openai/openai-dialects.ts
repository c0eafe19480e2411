/**
 * What the two dialects of the Images API can say, as data. The official API refuses what it does not know, so
 * its dialect lists what may be said; servers that imitate it are told everything, under the names that callers
 * of Gesso use too. A field of the seam without a name here does not compile.
 */
import type { ProviderRequest } from '../provider.ts'

/** Fields of a request that some dialect may be unable to express. */
export type Field = Exclude<
  keyof ProviderRequest,
  'taskId' | 'model' | 'prompt' | 'n' | 'size' | 'dialect' | 'images' | 'mask'
>

export interface Dialect {
  /** Sent with every call. */
  fixed: Record<string, string>
  /** What stands for "the provider chooses"; absent means that the field stays away. */
  autoSize?: string
  /** The wire name of each field that the dialect can say. */
  fields: Partial<Record<Field, string>>
  /** Those of them that only an edit can say. */
  editFields: readonly Field[]
  /** The formats it makes, where it is known to make no others. */
  outputFormats?: readonly string[]
}

/** Callers' spelling of every field. */
export const callersNames: Record<Field, string> = {
  aspectRatio: 'aspect_ratio',
  imageSize: 'image_size',
  quality: 'quality',
  style: 'style',
  background: 'background',
  moderation: 'moderation',
  outputFormat: 'output_format',
  outputCompression: 'output_compression',
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
  safetyIdentifier: 'safety_identifier',
  inputFidelity: 'input_fidelity',
  watermark: 'watermark',
  series: 'sequential_image_generation',
}

const { quality, background, moderation, outputFormat, outputCompression, safetyIdentifier, inputFidelity } =
  callersNames

const dialects: Record<string, Dialect> = {
  // GPT Image answers `response_format` with a 400 and always returns base64.
  'gpt-image': {
    fixed: {},
    autoSize: 'auto',
    fields: {
      quality,
      background,
      moderation,
      outputFormat,
      outputCompression,
      safetyIdentifier,
      inputFidelity,
    },
    editFields: ['inputFidelity'],
    outputFormats: ['png', 'jpeg', 'webp'],
  },
  // Servers of this kind know `user`, OpenAI's older name of `safety_identifier`.
  'openai-compatible': {
    fixed: { response_format: 'b64_json' },
    fields: { ...callersNames, safetyIdentifier: 'user' },
    editFields: [],
  },
}

export const dialectNames = Object.keys(dialects)

/** The dialect of this name; without a name, the one that the model's name suggests. */
export function findDialect(name: string | undefined, model: string): Dialect | undefined {
  const guess = /^(chatgpt|gpt)-image/.test(model) ? 'gpt-image' : 'openai-compatible'
  return dialects[name ?? guess]
}
