/**
 * What the Images API accepts in a generation or an edit, and the words in which it refuses the rest: OpenAI's own rules,
 * and those of whoever differs from it in a few fields.
 */
import type { RecordedRequest } from './fake-upstream.ts'
import { isFormRequest, pictureNames, readLenientInputs, readStrictInputs } from './openai-inputs.ts'
import { OpenAiRefusal, refuse } from './openai-refusal.ts'
import type { RecordedFile } from './recorded-file.ts'

/** A call that was accepted, with the values that will be used. */
export interface ImageCall {
  prompt: string
  n: number
  width: number
  height: number
  quality: string
  background: string
  format: 'png' | 'jpeg' | 'webp'
  /** The pictures to edit. */
  images: RecordedFile[]
  asUrl: boolean
  seed?: number
  /** Asked for as a stream, with so many unfinished pictures. */
  stream?: { partialImages: number }
}

type FieldRules = Readonly<
  Record<string, readonly string[] | 'text' | 'boolean' | { min: number; max: number }>
>

export interface ImageRules {
  fields: FieldRules
  /** An edit takes these too. */
  editFields: FieldRules
  required: readonly string[]
  /** The models there are. */
  models: RegExp
  /** Of input pictures. */
  inputFormats: readonly string[]
}

export const openAiFields = {
  model: 'text',
  prompt: 'text',
  n: { min: 1, max: 10 },
  size: 'text',
  quality: ['auto', 'low', 'medium', 'high', 'xhigh', 'max'],
  background: ['transparent', 'opaque', 'auto'],
  output_format: ['png', 'jpeg', 'webp'],
  output_compression: { min: 0, max: 100 },
  moderation: ['auto', 'low'],
  complexity: ['low', 'medium', 'high'],
  safety_identifier: 'text',
  user: 'text',
  stream: 'boolean',
  partial_images: { min: 0, max: 3 },
} as const satisfies FieldRules

const openAiRules: ImageRules = {
  fields: openAiFields,
  editFields: { input_fidelity: ['high', 'low'] },
  required: ['model', 'prompt'],
  models: /^(chatgpt|gpt)-image/,
  inputFormats: ['png', 'jpeg', 'webp'],
}

/** Reads a call to GPT Image, or throws `OpenAiRefusal` as OpenAI would. */
export function readImageCall(request: RecordedRequest, rules: ImageRules = openAiRules): ImageCall {
  const isEdit = /\/edits(\?|$)/.test(request.path)
  const known: FieldRules = isEdit ? { ...rules.fields, ...rules.editFields } : rules.fields
  const body = record(request.body)
  const isForm = isFormRequest(request)
  for (const [name, value] of Object.entries(body)) {
    if (isForm && Array.isArray(value) && !name.endsWith('[]')) refuseDuplicate(name)
    if (isEdit && pictureNames(isForm).includes(name)) continue
    const rule = known[name]
    if (!rule) refuse(name, `Unknown parameter: '${name}'.`, 'unknown_parameter')
    if (value !== null) check(name, isForm ? readText(value, rule) : value, rule)
  }
  for (const name of rules.required) {
    if (!body[name]) refuse(name, `Missing required parameter: '${name}'.`, 'missing_required_parameter')
  }
  if (!rules.models.test(String(body.model))) {
    const message = `The model '${body.model}' does not exist.`
    throw new OpenAiRefusal(404, message, { param: 'model', code: 'model_not_found' })
  }
  if (body.input_fidelity) checkInputFidelity(String(body.model), String(body.input_fidelity))
  const call = readCompatibleCall(request)
  if (body.size) checkSize(String(body.size))
  if (body.background === 'transparent' && call.format === 'jpeg') {
    refuse('background', "Transparent background is not supported for 'jpeg' output format.", 'invalid_value')
  }
  checkStream(call, body)
  return { ...call, images: isEdit ? readStrictInputs(request, body, rules.inputFormats).images : [] }
}

function checkStream({ stream, n }: ImageCall, body: Record<string, unknown>): void {
  if (body.partial_images !== undefined && body.partial_images !== null && !stream) {
    refuse('partial_images', "'partial_images' is only supported when 'stream' is true.", 'invalid_value')
  }
  if (stream && n > 1) refuse('n', "Only one image can be streamed: 'n' must be 1.", 'invalid_value')
}

/** A text of a form as the value that it stands for. */
function readText(value: unknown, rule: FieldRules[string]): unknown {
  if (rule === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  return typeof rule === 'object' && 'min' in rule ? Number(value) : value
}

/** Reads a call as lenient servers do: what they do not know, they ignore. */
export function readCompatibleCall(request: RecordedRequest): ImageCall {
  const body = record(request.body)
  const { images } = readLenientInputs(body)
  const seed = Number(body.seed)
  const named = (value: unknown, otherwise: string) =>
    !value || value === 'auto' ? otherwise : String(value)
  return {
    prompt: String(body.prompt ?? ''),
    n: readCount(body),
    ...readSize(body.size, images[0]),
    quality: named(body.quality, 'medium'),
    background: named(body.background, 'opaque'),
    format: named(body.output_format, 'png') as ImageCall['format'],
    images,
    asUrl: body.response_format !== 'b64_json',
    ...(String(body.stream) === 'true'
      ? { stream: { partialImages: Number(body.partial_images ?? 0) } }
      : {}),
    ...(body.seed !== undefined && Number.isInteger(seed) ? { seed } : {}),
  }
}

/** A series is as long as it may be, and four pictures where nobody says. */
function readCount(body: Record<string, unknown>): number {
  if (body.sequential_image_generation !== 'auto') return Number(body.n ?? 1)
  const options = body.sequential_image_generation_options
  const { max_images: most = 4 } = record(typeof options === 'string' ? JSON.parse(options) : options)
  return Math.min(Number(most), 15)
}

/** Without a size, an edit is as upright as the picture it begins with. */
function readSize(size: unknown, first: RecordedFile | undefined): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(String(size)) ?? []
  if (width && height) return { width: Number(width), height: Number(height) }
  const ratio = (first?.width ?? 1) / (first?.height ?? 1)
  return { width: ratio > 1.25 ? 1_536 : 1_024, height: ratio < 0.8 ? 1_536 : 1_024 }
}

function refuseDuplicate(name: string): never {
  const message = `Duplicate parameter: '${name}'. You provided multiple values for this parameter, whereas only one is allowed. If you are trying to provide a list of values, use the array syntax instead e.g. '${name}[]=<value>'.`
  return refuse(name, message, 'duplicate_parameter')
}

/** GPT Image 1.5 takes both words, the mini `low` only; GPT Image 2 and later always look closely and take none. */
function checkInputFidelity(model: string, fidelity: string): void {
  const about = {
    param: 'input_fidelity',
    type: 'image_generation_user_error',
    code: 'invalid_input_fidelity_model',
  }
  if (/^gpt-image-1-mini/.test(model) && fidelity === 'high') {
    throw new OpenAiRefusal(400, `input_fidelity 'high' is not supported by the model '${model}'.`, about)
  }
  if (/^gpt-image-1/.test(model)) return
  const message = `The model '${model}' does not support the 'input_fidelity' parameter.`
  throw new OpenAiRefusal(400, message, about)
}

function check(name: string, value: unknown, rule: FieldRules[string]): void {
  if (rule === 'boolean') {
    if (typeof value !== 'boolean')
      refuse(name, `Invalid type for '${name}': expected a boolean.`, 'invalid_type')
  } else if (rule === 'text') {
    if (typeof value !== 'string')
      refuse(name, `Invalid type for '${name}': expected a string.`, 'invalid_type')
    if (name === 'prompt' && (value as string).length > 32_000) {
      refuse(
        name,
        "Invalid 'prompt': string too long. Expected a string with maximum length 32000.",
        'string_above_max_length',
      )
    }
  } else if ('min' in rule) {
    if (!Number.isInteger(value))
      refuse(name, `Invalid type for '${name}': expected an integer.`, 'invalid_type')
    const number = value as number
    if (number < rule.min)
      refuse(name, `Invalid '${name}': integer below minimum value.`, 'integer_below_min_value')
    if (number > rule.max)
      refuse(name, `Invalid '${name}': integer above maximum value.`, 'integer_above_max_value')
  } else if (!rule.includes(String(value))) {
    const supported = rule.map((word) => `'${word}'`).join(', ')
    refuse(name, `Invalid value: '${value}'. Supported values are: ${supported}.`, 'invalid_value')
  }
}

/** GPT Image 2: edges in sixteens, ratio 1:3 to 3:1, at most 3840x2160, 655,360 to 8,294,400 pixels. */
function checkSize(size: string): void {
  if (size === 'auto') return
  const match = /^(\d+)x(\d+)$/.exec(size)
  const [width, height] = [Number(match?.[1]), Number(match?.[2])]
  const pixels = width * height
  const ratio = width / height
  const fits = width % 16 === 0 && height % 16 === 0 && ratio >= 1 / 3 && ratio <= 3
  if (!match || !fits || pixels < 655_360 || pixels > 8_294_400 || Math.max(width, height) > 3_840) {
    refuse('size', `Invalid value: '${size}'. Both edges must be multiples of 16.`, 'invalid_value')
  }
}

function record(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}
