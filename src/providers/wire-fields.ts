/**
 * How a request is said on a vendor's wire, as data: for each field of the seam its wire name, or a function that says
 * it. What a table does not name is refused by the caller's own name for it, so that nothing of a request is dropped.
 */
import type { ProviderRequest } from './provider.ts'
import { ProviderError } from './provider-error.ts'

/** Fields that some vendor or model may be unable to express. The others are every adapter's own business. */
export type OptionalField = Exclude<
  keyof ProviderRequest,
  'taskId' | 'model' | 'prompt' | 'n' | 'dialect' | 'images' | 'mask' | 'markup' | 'webhookUrl'
>

/** Callers' spelling of every field, for messages. */
export const callersNames: Record<OptionalField, string> = {
  size: 'size',
  aspectRatio: 'aspect_ratio',
  imageSize: 'image_size',
  quality: 'quality',
  style: 'style',
  background: 'background',
  moderation: 'moderation',
  complexity: 'complexity',
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

/** A wire name, or what the value becomes on the wire. A function that cannot say its value throws `unsupported`. */
export type Saying<Field extends OptionalField> =
  | string
  | ((value: NonNullable<ProviderRequest[Field]>, request: ProviderRequest) => Record<string, unknown>)

export type WireTable = { readonly [Field in OptionalField]?: Saying<Field> }

/** Says every optional field of the request. Throws `unsupported_parameter`, naming the first that cannot be said. */
export function sayFields(
  request: ProviderRequest,
  table: WireTable,
  title: string,
): Record<string, unknown> {
  const {
    taskId: _,
    model,
    prompt: __,
    n: ___,
    dialect: ____,
    images: _____,
    mask: ______,
    webhookUrl: _______,
    markup: ________,
    ...optional
  } = request
  const said: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(optional)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const saying = table[name as OptionalField] as Saying<OptionalField> | undefined
    if (saying === undefined) throw unsupported(nameOf(name), `${title} cannot do this with ${model}`)
    Object.assign(said, typeof saying === 'string' ? { [saying]: value } : saying(value as never, request))
  }
  return said
}

/** A field that cannot be said. `param` is the caller's word; `reason` goes without a full stop. */
export function unsupported(param: string, reason: string): ProviderError {
  return new ProviderError({
    code: 'unsupported_parameter',
    attribution: 'client',
    message: `${param} is not supported here: ${reason}.`,
    param,
    dispatched: 'no',
  })
}

/**
 * Refuses input pictures or a mask that a model does not take, or lacks. Adapters call it before they send anything.
 */
export function checkPictures(
  { images = [], mask, markup, model }: ProviderRequest,
  rules: {
    maxImages: number
    minImages?: number
    mask?: 'never' | 'optional' | 'required'
    takesMarkup?: boolean
  },
  title: string,
): void {
  const { maxImages, minImages = 0, mask: masks = 'never' } = rules
  if (markup && !rules.takesMarkup) throw unsupported('markup', `${title} takes none with ${model}`)
  if (markup && (mask || images.length === 0)) {
    throw unsupported('markup', `${title} needs an input picture with it, and no mask`)
  }
  if (mask && masks === 'never') throw unsupported('mask', `${title} takes none with ${model}`)
  if (images.length > maxImages) {
    const most = maxImages === 0 ? 'no input pictures' : `at most ${maxImages} of them`
    throw unsupported('image', `${title} takes ${most} with ${model}`)
  }
  if (images.length < minImages)
    throw unsupported('image', `${title} needs at least ${minImages} with ${model}`)
  if (mask && images.length === 0) throw unsupported('mask', `${title} needs an input picture with it`)
  if (!mask && masks === 'required') throw unsupported('mask', `${title} needs one with ${model}`)
}

function nameOf(field: string): string {
  return callersNames[field as OptionalField] ?? field
}
