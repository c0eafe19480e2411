/** What OpenAI accepts in a generation or an edit, and the words in which it refuses the rest. */
import type { RecordedRequest } from './fake-upstream.ts'

/** A call that was accepted, with the values that will be used. */
export interface ImageCall {
  prompt: string
  n: number
  width: number
  height: number
  quality: string
  background: string
  format: 'png' | 'jpeg' | 'webp'
  inputImages: number
  asUrl: boolean
  seed?: number
}

/** A refusal in OpenAI's format. */
export class OpenAiRefusal extends Error {
  readonly status: number
  readonly #param: string | null
  readonly #code: string | null

  constructor(status: number, message: string, about: { param?: string; code?: string } = {}) {
    super(message)
    this.status = status
    this.#param = about.param ?? null
    this.#code = about.code ?? null
  }

  body() {
    const { message } = this
    return { error: { message, type: 'invalid_request_error', param: this.#param, code: this.#code } }
  }
}

const fields: Record<string, readonly string[] | 'text' | { min: number; max: number }> = {
  model: 'text',
  prompt: 'text',
  n: { min: 1, max: 10 },
  size: 'text',
  quality: ['auto', 'low', 'medium', 'high', 'xhigh', 'max'],
  background: ['transparent', 'opaque', 'auto'],
  output_format: ['png', 'jpeg', 'webp'],
  output_compression: { min: 0, max: 100 },
  moderation: ['auto', 'low'],
  safety_identifier: 'text',
  user: 'text',
}
/** An edit takes these too. */
const editFields: typeof fields = { ...fields, input_fidelity: ['high', 'low'] }
const pictureFields = ['image', 'image[]', 'images', 'mask']

/** Reads a call to GPT Image, or throws `OpenAiRefusal` as OpenAI would. */
export function readImageCall(request: RecordedRequest): ImageCall {
  const isEdit = request.path.endsWith('/edits')
  const body = record(request.body)
  const isForm = request.headers['content-type']?.startsWith('multipart/form-data') ?? false
  for (const [name, value] of Object.entries(body)) {
    if (isEdit && pictureFields.includes(name)) continue
    const rule = (isEdit ? editFields : fields)[name]
    if (!rule) refuse(name, `Unknown parameter: '${name}'.`, 'unknown_parameter')
    if (value !== null)
      check(name, isForm && typeof rule !== 'string' && !Array.isArray(rule) ? Number(value) : value, rule)
  }
  for (const name of ['model', 'prompt']) {
    if (!body[name]) refuse(name, `Missing required parameter: '${name}'.`, 'missing_required_parameter')
  }
  if (!/^(chatgpt|gpt)-image/.test(String(body.model))) {
    const message = `The model '${body.model}' does not exist.`
    throw new OpenAiRefusal(404, message, { param: 'model', code: 'model_not_found' })
  }
  const inputImages = [body.image, body['image[]'], body.images].flat().filter(Boolean).length
  if (isEdit && inputImages === 0)
    refuse('image', "Missing required parameter: 'image'.", 'missing_required_parameter')
  const call = readCompatibleCall(request)
  if (body.size) checkSize(String(body.size))
  if (body.background === 'transparent' && call.format === 'jpeg') {
    refuse('background', "Transparent background is not supported for 'jpeg' output format.", 'invalid_value')
  }
  return { ...call, inputImages }
}

/** Reads a call as lenient servers do: what they do not know, they ignore. */
export function readCompatibleCall(request: RecordedRequest): ImageCall {
  const body = record(request.body)
  const [width = 1024, height = 1024] = /^\d+x\d+$/.test(String(body.size))
    ? String(body.size).split('x').map(Number)
    : []
  const named = (value: unknown, otherwise: string) =>
    !value || value === 'auto' ? otherwise : String(value)
  return {
    prompt: String(body.prompt ?? ''),
    n: Number(body.n ?? 1),
    width,
    height,
    quality: named(body.quality, 'medium'),
    background: named(body.background, 'opaque'),
    format: named(body.output_format, 'png') as ImageCall['format'],
    inputImages: 0,
    asUrl: body.response_format !== 'b64_json',
    ...(typeof body.seed === 'number' ? { seed: body.seed } : {}),
  }
}

function check(name: string, value: unknown, rule: (typeof fields)[string]): void {
  if (rule === 'text') {
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

function refuse(param: string, message: string, code: string): never {
  throw new OpenAiRefusal(400, message, { param, code })
}

function record(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}
