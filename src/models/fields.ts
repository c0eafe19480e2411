/**
 * The fields of a request that a model may or may not understand, in Gesso's words, and what each one is worth:
 * a `picture` field changes what the picture is, so ignoring it is an error; a `hint` may be ignored if the
 * answer says so. The capability table of every model is written in these names.
 */

export interface Size {
  width: number
  height: number
}

export const outputFormats = ['png', 'jpeg', 'webp', 'avif'] as const
export type OutputFormat = (typeof outputFormats)[number]

/** What a caller asked of the model. Absent means: whatever the model does by itself. */
export interface ImageFields {
  n: number
  size?: Size
  quality?: string
  style?: string
  background?: 'transparent' | 'opaque' | 'auto'
  moderation?: string
  outputFormat?: OutputFormat
  outputCompression?: number
  seed?: number
  negativePrompt?: string
  safetyIdentifier?: string
}

export type FieldName = keyof ImageFields

/** The name a caller writes, and what ignoring the field would mean. */
export const fieldCatalogue: Record<FieldName, { publicName: string; effect: 'picture' | 'hint' }> = {
  n: { publicName: 'n', effect: 'picture' },
  size: { publicName: 'size', effect: 'picture' },
  quality: { publicName: 'quality', effect: 'hint' },
  style: { publicName: 'style', effect: 'hint' },
  background: { publicName: 'background', effect: 'picture' },
  moderation: { publicName: 'moderation', effect: 'hint' },
  outputFormat: { publicName: 'output_format', effect: 'picture' },
  outputCompression: { publicName: 'output_compression', effect: 'picture' },
  seed: { publicName: 'seed', effect: 'picture' },
  negativePrompt: { publicName: 'negative_prompt', effect: 'picture' },
  safetyIdentifier: { publicName: 'safety_identifier', effect: 'hint' },
}

export const fieldNames = Object.keys(fieldCatalogue) as FieldName[]
