/** From the canonical body to the one internal request: names become Gesso's, texts become values. */
import type { GenerationRequest, InputSource } from '../../generation/request.ts'
import { normaliseBucketName } from '../../lib/bucket-name.ts'
import { badRequest } from '../../lib/errors.ts'
import type { FieldName, FieldSpelling, Size } from '../../models/fields.ts'
import type { Handling, Warning } from '../../models/map-fields.ts'
import { readSizeText } from '../../models/size-rule.ts'
import { showValue } from '../show-value.ts'
import type { DrawingBody } from './drawing-body.ts'

export interface RequestParts {
  body: DrawingBody
  prompt: string
  images: readonly InputSource[]
  mask?: InputSource
  markup?: InputSource
  handling: Handling
  warnings: readonly Warning[]
  defaulted: ReadonlySet<FieldName>
  permanentLinks?: boolean
}

/** The request. Throws a 400 that names the field. */
export function toGenerationRequest(parts: RequestParts): GenerationRequest {
  const { body } = parts
  if (body.model === undefined) {
    throw badRequest(
      'model',
      'model is required: a model id, of which GET /v1/models lists those of this server.',
    )
  }
  const compression = compressionOf(body)
  return {
    model: body.model,
    prompt: parts.prompt,
    images: parts.images,
    mask: parts.mask,
    markup: parts.markup,
    enhancedBy: enhancedBy(body),
    bucket: bucketOf(body.bucket),
    permanentLinks: parts.permanentLinks ?? false,
    handling: parts.handling,
    spelling: spellingOf(body),
    defaulted: parts.defaulted,
    warnings: [...parts.warnings, ...pointless(parts)],
    metadata: body.metadata,
    ...(body.stream ? { partialImages: body.partial_images ?? 0 } : {}),
    fields: {
      n: body.n ?? 1,
      size: parseSize(body.size),
      aspectRatio: parseRatio(body.aspect_ratio),
      imageSize: body.image_size,
      quality: body.quality,
      style: body.style,
      background: body.background,
      moderation: body.moderation,
      complexity: body.complexity,
      outputFormat: body.output_format,
      outputCompression: compression,
      seed: body.seed,
      negativePrompt: body.negative_prompt?.trim() ? body.negative_prompt : undefined,
      ...diffusionFields(body),
      inputFidelity: parts.images.length > 0 ? body.input_fidelity : undefined,
      watermark: body.watermark,
      series:
        body.sequential_image_generation === 'auto'
          ? { maxImages: body.sequential_image_generation_options?.max_images }
          : undefined,
      safetyIdentifier: body.safety_identifier || body.user || undefined,
    },
  }
}

/**
 * The fields of diffusion models. A value that clients of these services send as their documented default counts as
 * absent: it asks for nothing.
 */
function diffusionFields(body: DrawingBody) {
  const unless = <Value>(value: Value | undefined, silent: Value) => (value === silent ? undefined : value)
  return {
    guidance: unless(body.guidance, 3),
    steps: unless(body.num_inference_steps, 30),
    strength: unless(body.strength, 0),
    goFast: unless(body.go_fast, true),
    disableSafetyChecker: unless(body.disable_safety_checker, false),
    loraWeights: body.lora_weights || undefined,
    loraScale: unless(body.lora_scale, 1),
    extraLoraWeights: body.extra_lora_weights?.length ? body.extra_lora_weights : undefined,
    extraLoraScale: body.extra_lora_scale?.length ? body.extra_lora_scale : undefined,
  }
}

/** One value under two names; 80 under the second one, without a format that it could be about, asks for nothing. */
function compressionOf({
  output_compression: compression,
  output_quality: quality,
  output_format: format,
}: DrawingBody) {
  if (compression !== undefined && quality !== undefined && compression !== quality) {
    throw badRequest(
      'output_quality',
      `output_quality is ${quality} and output_compression is ${compression}, but they are two names of one value; send one.`,
    )
  }
  const isLossless = format === undefined || format === 'png'
  if (compression === undefined && quality === 80 && isLossless) return undefined
  return compression ?? quality
}

function enhancedBy({ enhance_prompt: enhance, optimize_prompt: optimize }: DrawingBody): string | undefined {
  if (enhance !== undefined && optimize !== undefined && enhance !== optimize) {
    throw badRequest(
      'optimize_prompt',
      `optimize_prompt is ${optimize} and enhance_prompt is ${enhance}, but they are two names of one wish; send one.`,
    )
  }
  if (enhance) return 'enhance_prompt'
  return optimize ? 'optimize_prompt' : undefined
}

function spellingOf(body: DrawingBody): FieldSpelling {
  return {
    ...(body.output_compression === undefined && body.output_quality !== undefined
      ? { outputCompression: 'output_quality' }
      : {}),
    ...(body.safety_identifier ? {} : { safetyIdentifier: 'user' }),
  }
}

/** What was said and can have no effect. */
function pointless({ body, images }: RequestParts): Warning[] {
  const isSeries = body.sequential_image_generation === 'auto'
  return [
    body.sequential_image_generation_options && !isSeries
      ? noEffect('sequential_image_generation_options', 'applies to sequential_image_generation auto only')
      : [],
    body.partial_images && !body.stream ? noEffect('partial_images', 'applies to stream true only') : [],
    body.input_fidelity && images.length === 0
      ? noEffect('input_fidelity', 'applies to edits of an image only')
      : [],
  ].flat()
}

function noEffect(param: string, why: string): Warning {
  return { param, code: 'no_effect', message: `${param} ${why}. It was ignored.` }
}

/** The label in lower-case kebab; undefined where there is none. */
export function bucketOf(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  const name = normaliseBucketName(label)
  if (name !== undefined) return name
  throw badRequest('bucket', `bucket is ${showValue(label)}, but must have at least one letter a–z or digit.`)
}

/** `WxH` in pixels; `auto` leaves the choice to the model. */
function parseSize(size: string | undefined): Size | undefined {
  if (size === undefined || size === 'auto') return undefined
  const found = readSizeText(size)
  if (found) return found
  const hint = /^\d+\s*[×*X]\s*\d+$/.test(size.slice(0, 40))
    ? ' Use the lower-case letter x between the numbers.'
    : ''
  throw badRequest('size', `size is ${showValue(size)}, but must be auto or WxH, such as 1024x1024.${hint}`)
}

function parseRatio(ratio: string | undefined): string | undefined {
  if (ratio === undefined || ratio === 'auto') return undefined
  if (/^[1-9]\d{0,3}:[1-9]\d{0,3}$/.test(ratio)) return ratio
  throw badRequest(
    'aspect_ratio',
    `aspect_ratio is ${showValue(ratio)}, but must be auto or W:H, such as 16:9.`,
  )
}
