/**
 * A capability table from the fields that are special about a model. What is not named is unsupported, except for
 * what Gesso does itself for every model: file formats, compression, the visible label, and a size from a ratio.
 */
import type { FieldName } from './fields.ts'
import type { FieldRule, FieldTable } from './model.ts'

const unsupported: FieldRule = { support: 'unsupported' }
export const native: FieldRule = { support: 'native' }

/** The most that a request may ask of one model. */
const nRange = { min: 1, max: 10 }

const everyModel: FieldTable = {
  n: { support: 'native', range: nRange, default: 1 },
  size: unsupported,
  aspectRatio: { support: 'converted' },
  imageSize: { support: 'converted', values: ['512', '1K', '2K', '4K'] },
  quality: unsupported,
  style: unsupported,
  background: unsupported,
  moderation: unsupported,
  complexity: unsupported,
  outputFormat: { support: 'emulated', values: ['png', 'jpeg', 'webp', 'avif'] },
  outputCompression: { support: 'emulated', range: { min: 0, max: 100 } },
  seed: unsupported,
  negativePrompt: unsupported,
  guidance: unsupported,
  steps: unsupported,
  strength: unsupported,
  goFast: unsupported,
  disableSafetyChecker: unsupported,
  loraWeights: unsupported,
  loraScale: unsupported,
  extraLoraWeights: unsupported,
  extraLoraScale: unsupported,
  images: unsupported,
  mask: unsupported,
  markup: unsupported,
  inputFidelity: unsupported,
  watermark: { support: 'emulated', default: false },
  series: unsupported,
  safetyIdentifier: unsupported,
}

/** The table of a model that differs from every model in these fields. */
export function fieldTable(special: Partial<Record<FieldName, FieldRule>>): FieldTable {
  return { ...everyModel, ...special }
}
