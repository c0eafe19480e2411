/**
 * The fields of a request that a model may or may not understand, in Gesso's words, and what each one is worth:
 * a `picture` field changes what the picture is, so ignoring it is an error; a `hint` may be ignored if the
 * answer says so. The capability table of every model is written in these names.
 */
import { outputFormats } from '../lib/field-values.ts'

export interface Size {
  width: number
  height: number
}

export { outputFormats }
export type OutputFormat = (typeof outputFormats)[number]

export const imageSizes = ['512', '1K', '2K', '4K', 'optimize_for_quality', 'optimize_for_speed'] as const
/** A resolution class, or the wish for a good or a quick one. */
export type ImageSize = (typeof imageSizes)[number]

/** What a caller asked of the model. Absent means: whatever the model does by itself. */
export interface ImageFields {
  n: number
  size?: Size
  /** `W:H`, two whole numbers. */
  aspectRatio?: string
  imageSize?: ImageSize
  quality?: string
  style?: string
  background?: 'transparent' | 'opaque' | 'auto'
  moderation?: string
  complexity?: string
  outputFormat?: OutputFormat
  outputCompression?: number
  seed?: number
  negativePrompt?: string
  guidance?: number
  steps?: number
  strength?: number
  goFast?: boolean
  disableSafetyChecker?: boolean
  loraWeights?: string
  loraScale?: number
  extraLoraWeights?: readonly string[]
  extraLoraScale?: readonly number[]
  /** How many input pictures there are. */
  images?: number
  /** Is there a mask? */
  mask?: true
  /** Are there notes laid over the first input picture? */
  markup?: true
  inputFidelity?: string
  watermark?: boolean
  /** One coherent series instead of single pictures. */
  series?: { maxImages?: number }
  safetyIdentifier?: string
}

export type FieldName = keyof ImageFields

/** The caller's own spelling of fields that have several, for messages. */
export type FieldSpelling = Partial<Record<FieldName, string>>

/** The name a caller writes, and what ignoring the field would mean. */
export const fieldCatalogue: Record<FieldName, { publicName: string; effect: 'picture' | 'hint' }> = {
  n: { publicName: 'n', effect: 'picture' },
  size: { publicName: 'size', effect: 'picture' },
  aspectRatio: { publicName: 'aspect_ratio', effect: 'picture' },
  imageSize: { publicName: 'image_size', effect: 'picture' },
  quality: { publicName: 'quality', effect: 'hint' },
  style: { publicName: 'style', effect: 'hint' },
  background: { publicName: 'background', effect: 'picture' },
  moderation: { publicName: 'moderation', effect: 'hint' },
  complexity: { publicName: 'complexity', effect: 'hint' },
  outputFormat: { publicName: 'output_format', effect: 'picture' },
  outputCompression: { publicName: 'output_compression', effect: 'picture' },
  seed: { publicName: 'seed', effect: 'picture' },
  negativePrompt: { publicName: 'negative_prompt', effect: 'picture' },
  guidance: { publicName: 'guidance', effect: 'hint' },
  steps: { publicName: 'num_inference_steps', effect: 'hint' },
  strength: { publicName: 'strength', effect: 'picture' },
  goFast: { publicName: 'go_fast', effect: 'hint' },
  disableSafetyChecker: { publicName: 'disable_safety_checker', effect: 'hint' },
  loraWeights: { publicName: 'lora_weights', effect: 'picture' },
  loraScale: { publicName: 'lora_scale', effect: 'picture' },
  extraLoraWeights: { publicName: 'extra_lora_weights', effect: 'picture' },
  extraLoraScale: { publicName: 'extra_lora_scale', effect: 'picture' },
  images: { publicName: 'image', effect: 'picture' },
  mask: { publicName: 'mask', effect: 'picture' },
  markup: { publicName: 'markup', effect: 'picture' },
  inputFidelity: { publicName: 'input_fidelity', effect: 'hint' },
  watermark: { publicName: 'watermark', effect: 'picture' },
  series: { publicName: 'sequential_image_generation', effect: 'picture' },
  safetyIdentifier: { publicName: 'safety_identifier', effect: 'hint' },
}

export const fieldNames = Object.keys(fieldCatalogue) as FieldName[]
