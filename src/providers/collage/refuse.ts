/**
 * What the built-in illustrator cannot do, refused by name before anything is drawn.
 *
 * The capability table and the mapping of fields have refused or translated all of this already; it is a second
 * lock, so that nothing is dropped without a word.
 */
import type { InputImage, InputMediaType, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'

/** What librsvg draws of a data URI; it leaves every other format out without a word. */
export const READABLE: readonly InputMediaType[] = ['image/png', 'image/jpeg']

const MOST_IMAGES = 16

/** Every field of the seam; a new one does not compile until it is known here, drawn in `wishes.ts` or refused. */
const KNOWN: Readonly<Record<keyof ProviderRequest, true>> = {
  taskId: true,
  model: true,
  prompt: true,
  n: true,
  size: true,
  aspectRatio: true,
  imageSize: true,
  quality: true,
  style: true,
  background: true,
  moderation: true,
  complexity: true,
  outputFormat: true,
  outputCompression: true,
  seed: true,
  negativePrompt: true,
  guidance: true,
  steps: true,
  strength: true,
  goFast: true,
  disableSafetyChecker: true,
  loraWeights: true,
  loraScale: true,
  extraLoraWeights: true,
  extraLoraScale: true,
  safetyIdentifier: true,
  images: true,
  mask: true,
  markup: true,
  inputFidelity: true,
  watermark: true,
  series: true,
  dialect: true,
  webhookUrl: true,
}

const VALUES = [
  ['quality', 'quality', ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd']],
  ['style', 'style', ['vivid', 'natural']],
  ['complexity', 'complexity', ['low', 'medium', 'high']],
  ['inputFidelity', 'input_fidelity', ['low', 'high']],
  // Gesso makes every other format of it.
  ['outputFormat', 'output_format', ['png']],
] as const satisfies readonly (readonly [keyof ProviderRequest, string, readonly string[]])[]

/** Throws a `ProviderError` for the first field that cannot be honoured. */
export function refuseUnsupported(request: ProviderRequest, mostOfSeries: number): void {
  const { watermark, aspectRatio, imageSize, outputCompression } = request
  refuseIf(watermark === true, 'watermark', 'gesso-collage draws no label; leave watermark away.')
  refuseIf(
    aspectRatio !== undefined,
    'aspect_ratio',
    `aspect_ratio is ${aspectRatio}, but gesso-collage takes a size.`,
  )
  refuseIf(
    imageSize !== undefined,
    'image_size',
    `image_size is ${imageSize}, but gesso-collage takes a size.`,
  )
  refuseIf(
    outputCompression !== undefined,
    'output_compression',
    `output_compression is ${outputCompression}, but gesso-collage draws png, which has none.`,
  )
  for (const [field, name, allowed] of VALUES) {
    const value: string | undefined = request[field]
    const fits = value === undefined || (allowed as readonly string[]).includes(value)
    refuseIf(!fits, name, `${name} is ${value}, but gesso-collage takes ${allowed.join(', ')}.`)
  }
  refuseInputs(request)
  refuseLoras(request)
  refuseSeries(request, mostOfSeries)
  for (const [name, value] of Object.entries(request)) {
    refuseIf(
      value !== undefined && !Object.hasOwn(KNOWN, name),
      name,
      `${name} is not known to gesso-collage.`,
    )
  }
}

/** Drawing costs nothing, so what is given up half way was never begun. */
export function refuseAborted(signal: AbortSignal): void {
  if (!signal.aborted) return
  throw new ProviderError({
    code: 'upstream_failed',
    attribution: 'client',
    message: 'The request was cancelled before its pictures were drawn.',
    dispatched: 'no',
  })
}

function refuseInputs({ images = [], mask, markup, strength }: ProviderRequest): void {
  const { length } = images
  refuseIf(
    length > MOST_IMAGES,
    'image',
    `image has ${length} pictures, but gesso-collage takes at most ${MOST_IMAGES}.`,
  )
  refuseIf(mask !== undefined && length === 0, 'mask', 'mask is given without an image that it belongs to.')
  refuseIf(
    strength !== undefined && length === 0,
    'strength',
    `strength is ${strength}, but there is no image that it could be about.`,
  )
  const hasPlace = length > 0 && mask === undefined
  refuseIf(
    markup !== undefined && !hasPlace,
    'markup',
    'markup needs an image that it lies over, and no mask.',
  )
  for (const image of images) refuseUnreadable(image, 'image')
  if (markup) refuseUnreadable(markup, 'markup')
  if (mask) refuseUnreadable(mask, 'mask')
}

function refuseLoras({ loraWeights, loraScale, extraLoraWeights, extraLoraScale }: ProviderRequest): void {
  refuseIf(
    loraScale !== undefined && loraWeights === undefined,
    'lora_scale',
    `lora_scale is ${loraScale}, but there are no lora_weights.`,
  )
  const weights = extraLoraWeights?.length ?? 0
  const scales = extraLoraScale?.length ?? 0
  refuseIf(
    scales > weights,
    'extra_lora_scale',
    `extra_lora_scale has ${scales} values for ${weights} extra_lora_weights.`,
  )
}

function refuseSeries({ series, n }: ProviderRequest, most: number): void {
  if (!series) return
  const wanted = series.maxImages ?? 1
  const fits = Number.isInteger(wanted) && wanted >= 1 && wanted <= most
  refuseIf(!fits, 'max_images', `max_images is ${wanted}, but gesso-collage draws series of 1 to ${most}.`)
  refuseIf(n > 1, 'n', `n is ${n}, but a series is one piece of work; say its length in max_images.`)
}

function refuseUnreadable({ mediaType }: InputImage, param: string): void {
  if (READABLE.includes(mediaType)) return
  throw new ProviderError({
    code: 'unsupported_image',
    attribution: 'client',
    message: `gesso-collage edits PNG and JPEG pictures; this one is ${mediaType}.`,
    param,
    dispatched: 'no',
  })
}

function refuseIf(refused: boolean, param: string, message: string): void {
  if (!refused) return
  throw new ProviderError({
    code: 'unsupported_parameter',
    attribution: 'client',
    message,
    param,
    dispatched: 'no',
  })
}
