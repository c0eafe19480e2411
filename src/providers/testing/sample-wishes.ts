/**
 * A value for every field of the seam, so that no provider can drop one unseen: a field added to the seam does not
 * compile before it stands here.
 */
import type { ProviderRequest } from '../provider.ts'

/** A wish, among what it needs to make sense. */
export interface Wish {
  fields: Partial<ProviderRequest>
  among: Partial<ProviderRequest>
}

/** What every call has, and the pictures, which have tests of their own. */
type NoWish = 'taskId' | 'model' | 'prompt' | 'n' | 'dialect' | 'images' | 'mask' | 'markup' | 'webhookUrl'

const values: Required<Omit<ProviderRequest, NoWish>> = {
  size: { width: 1_536, height: 1_024 },
  aspectRatio: '3:2',
  imageSize: '2K',
  quality: 'high',
  style: 'vivid',
  background: 'opaque',
  moderation: 'low',
  complexity: 'high',
  outputFormat: 'webp',
  outputCompression: 37,
  seed: 4_711,
  negativePrompt: 'boats',
  guidance: 7.5,
  steps: 17,
  strength: 0.25,
  goFast: true,
  disableSafetyChecker: true,
  loraWeights: 'acme/watercolour',
  loraScale: 0.75,
  extraLoraWeights: ['acme/ink', 'acme/paper'],
  extraLoraScale: [0.5, 1.5],
  safetyIdentifier: 'user-1',
  inputFidelity: 'high',
  watermark: true,
  series: { maxImages: 3 },
}

const nothing = {}
const among: Partial<Record<keyof typeof values, Partial<ProviderRequest>>> = {
  outputCompression: { outputFormat: 'webp' },
}

/** Each field's wish under the field's name. Where `false` is a wish of its own, it has an entry too. */
export const sampleWishes: Readonly<Record<string, Wish>> = Object.fromEntries([
  ...Object.entries(values).map(([name, value]) => [
    name,
    { fields: { [name]: value }, among: among[name as keyof typeof values] ?? nothing },
  ]),
  ['seed 0', { fields: { seed: 0 }, among: nothing }],
  ['strength 0', { fields: { strength: 0 }, among: nothing }],
  ['goFast false', { fields: { goFast: false }, among: nothing }],
  ['watermark false', { fields: { watermark: false }, among: { watermark: true } }],
  ['a series of any length', { fields: { series: {} }, among: nothing }],
])
