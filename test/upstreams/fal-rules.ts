/**
 * What fal's image endpoints accept, and the words in which they refuse the rest: the input types of `@fal-ai/client`,
 * with the limits of fal's model API reference. fal ignores a field that it does not know; here it is refused, so that
 * a wrong name costs a test.
 */
import { RecordedFile } from './recorded-file.ts'

/** One entry of `detail` in a 422. */
export interface FalDetail {
  loc: (string | number)[]
  msg: string
  type: string
  input?: unknown
}

/** An input that an endpoint refuses. */
export class FalRefusal extends Error {
  readonly detail: FalDetail

  constructor(field: string, type: string, msg: string, input?: unknown) {
    super(msg)
    this.detail = { loc: ['body', field], msg, type, ...(input === undefined ? {} : { input }) }
  }
}

/** An input that was accepted, with the values that will be used. */
export interface FalInput {
  prompt: string
  n: number
  width: number
  height: number
  format: 'png' | 'jpeg' | 'webp'
  seed: number
  /** The pictures to edit. */
  images: RecordedFile[]
  /** The result holds data URIs. */
  asDataUri: boolean
}

type Rule =
  | 'text'
  | 'boolean'
  | 'seed'
  | 'size'
  | 'size or auto'
  | 'loras'
  | 'picture'
  | 'pictures'
  | readonly string[]
  | { min: number; max: number; whole?: boolean }

interface Endpoint {
  fields: Readonly<Record<string, Rule>>
  required: readonly string[]
  format: FalInput['format']
}

const enumSizes: Readonly<Record<string, readonly [number, number]>> = {
  square_hd: [1024, 1024],
  square: [512, 512],
  portrait_4_3: [768, 1024],
  portrait_16_9: [576, 1024],
  landscape_4_3: [1024, 768],
  landscape_16_9: [1024, 576],
}
const ratios = ['21:9', '16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16', '9:21']
const upTo = (most: number) => Array.from({ length: most }, (_, index) => String(index + 1))
const range = (min: number, max: number) => ({ min, max })
const whole = (min: number, max: number) => ({ min, max, whole: true })

const every = { prompt: 'text', seed: 'seed', sync_mode: 'boolean' } as const
const several = { ...every, num_images: whole(1, 4), output_format: ['jpeg', 'png'] } as const
const checked = {
  ...several,
  enable_safety_checker: 'boolean',
  acceleration: ['none', 'regular', 'high'],
} as const
const flux = { ...checked, guidance_scale: range(1, 20) } as const
const pro = { ...several, safety_tolerance: upTo(6), enhance_prompt: 'boolean' } as const
const kontext = { ...pro, aspect_ratio: ratios, guidance_scale: range(1, 20) } as const
const qwen = {
  ...flux,
  image_size: 'size',
  num_inference_steps: whole(2, 50),
  negative_prompt: 'text',
} as const
const flux2 = {
  ...every,
  output_format: ['jpeg', 'png'],
  safety_tolerance: upTo(5),
  enable_safety_checker: 'boolean',
} as const

const prompt = ['prompt']
const onPicture = ['prompt', 'image_url']
const endpoint = (
  fields: Endpoint['fields'],
  required: readonly string[] = prompt,
  format: Endpoint['format'] = 'jpeg',
): Endpoint => ({ fields, required, format })

const kontextEndpoints = (base: string): Record<string, Endpoint> => ({
  [base]: endpoint({ ...kontext, image_url: 'picture' }, onPicture),
  [`${base}/text-to-image`]: endpoint(kontext),
  [`${base}/multi`]: endpoint({ ...kontext, image_urls: 'pictures' }, ['prompt', 'image_urls']),
})

const endpoints: Readonly<Record<string, Endpoint>> = {
  'fal-ai/flux/schnell': endpoint({ ...flux, image_size: 'size', num_inference_steps: whole(1, 12) }),
  'fal-ai/flux/dev': endpoint({ ...flux, image_size: 'size', num_inference_steps: whole(1, 50) }),
  'fal-ai/flux/dev/image-to-image': endpoint(
    { ...flux, image_url: 'picture', strength: range(0.01, 1), num_inference_steps: whole(10, 50) },
    onPicture,
  ),
  'fal-ai/flux-pro/v1.1': endpoint({ ...pro, image_size: 'size' }),
  'fal-ai/flux-pro/v1.1-ultra': endpoint({
    ...pro,
    aspect_ratio: ratios,
    raw: 'boolean',
    image_url: 'picture',
    image_prompt_strength: range(0, 1),
  }),
  ...kontextEndpoints('fal-ai/flux-pro/kontext'),
  ...kontextEndpoints('fal-ai/flux-pro/kontext/max'),
  'fal-ai/flux-pro/v1/fill': endpoint({ ...pro, image_url: 'picture', mask_url: 'picture' }, [
    ...onPicture,
    'mask_url',
  ]),
  'fal-ai/flux-2-pro': endpoint({ ...flux2, image_size: 'size' }),
  'fal-ai/flux-2-pro/edit': endpoint({ ...flux2, image_size: 'size or auto', image_urls: 'pictures' }, [
    'prompt',
    'image_urls',
  ]),
  'fal-ai/qwen-image': endpoint({ ...qwen, loras: 'loras', use_turbo: 'boolean' }, prompt, 'png'),
  'fal-ai/qwen-image-edit': endpoint({ ...qwen, image_url: 'picture' }, onPicture, 'png'),
  'fal-ai/z-image/turbo': endpoint(
    {
      ...checked,
      image_size: 'size',
      num_inference_steps: whole(1, 8),
      output_format: ['jpeg', 'png', 'webp'],
      enable_prompt_expansion: 'boolean',
    },
    prompt,
    'png',
  ),
}

export function knowsEndpoint(path: string): boolean {
  return Object.hasOwn(endpoints, path)
}

/** Reads the input of an endpoint that is known, or throws `FalRefusal`. */
export function readFalInput(path: string, input: unknown): FalInput {
  const { fields, required, format } = endpoints[path] ?? endpoint({})
  const body = record(input)
  for (const [name, value] of Object.entries(body)) {
    const rule = fields[name]
    if (!rule) throw new FalRefusal(name, 'extra_forbidden', 'Extra inputs are not permitted', value)
    check(name, value, rule)
  }
  for (const name of required) {
    if (body[name] === undefined) throw new FalRefusal(name, 'missing', 'Field required', body)
  }
  const images = [body.image_url, body.image_urls].flat().filter((one) => one instanceof RecordedFile)
  const mask = body.mask_url
  if (
    mask instanceof RecordedFile &&
    (mask.width !== images[0]?.width || mask.height !== images[0]?.height)
  ) {
    throw new FalRefusal('mask_url', 'feature_not_supported', 'The mask must have the size of the image')
  }
  return {
    prompt: String(body.prompt),
    n: Number(body.num_images ?? 1),
    ...sizeOf(body, images[0]),
    format: body.output_format === undefined ? format : (String(body.output_format) as FalInput['format']),
    seed: Number(body.seed ?? Math.floor(Math.random() * 2 ** 31)),
    images,
    asDataUri: body.sync_mode === true,
  }
}

function check(name: string, value: unknown, rule: Rule): void {
  if (rule === 'picture') checkPicture(name, value)
  else if (rule === 'pictures') {
    if (!Array.isArray(value) || value.length === 0)
      refuse(name, 'list_type', 'Input should be a valid list', value)
    for (const one of value) checkPicture(name, one)
  } else if (rule === 'size' || rule === 'size or auto') {
    if (rule === 'size or auto' && value === 'auto') return
    checkSize(name, value)
  } else if (rule === 'loras') checkLoras(name, value)
  else if (rule === 'text') {
    if (typeof value !== 'string') refuse(name, 'string_type', 'Input should be a valid string', value)
  } else if (rule === 'boolean') {
    if (typeof value !== 'boolean') refuse(name, 'bool_type', 'Input should be a valid boolean', value)
  } else if (rule === 'seed') {
    if (!Number.isInteger(value)) refuse(name, 'int_type', 'Input should be a valid integer', value)
  } else if ('min' in rule) checkNumber(name, value, rule)
  else if (!rule.includes(String(value)) || typeof value !== 'string') {
    refuse(name, 'one_of', `Input should be ${rule.map((word) => `'${word}'`).join(' or ')}`, value)
  }
}

function checkNumber(
  name: string,
  value: unknown,
  { min, max, whole }: Exclude<Rule, string | readonly string[]>,
): void {
  if (typeof value !== 'number' || (whole && !Number.isInteger(value))) {
    refuse(name, 'int_type', 'Input should be a valid number', value)
  }
  if (value < min)
    refuse(name, 'greater_than_equal', `Input should be greater than or equal to ${min}`, value)
  if (value > max) refuse(name, 'less_than_equal', `Input should be less than or equal to ${max}`, value)
}

function checkPicture(name: string, value: unknown): void {
  if (value instanceof RecordedFile) {
    if (value.format === undefined) refuse(name, 'image_load_error', 'Image load error')
  } else if (!/^https?:/.test(String(value))) {
    refuse(name, 'file_download_error', 'File download error', value)
  }
}

function checkSize(name: string, value: unknown): void {
  if (typeof value === 'string' && Object.hasOwn(enumSizes, value)) return
  const { width, height, ...others } = record(value)
  const fits = [width, height].every(
    (edge) => Number.isInteger(edge) && Number(edge) > 0 && Number(edge) <= 14_142,
  )
  if (!fits || Object.keys(others).length > 0)
    refuse(name, 'one_of', 'Input should be a valid image size', value)
}

function checkLoras(name: string, value: unknown): void {
  if (!Array.isArray(value)) refuse(name, 'list_type', 'Input should be a valid list', value)
  if (value.length > 3) refuse(name, 'sequence_too_long', 'Sequence should have at most 3 items')
  for (const lora of value) {
    const { path, scale = 1, force: _, ...others } = record(lora)
    if (typeof path !== 'string' || Object.keys(others).length > 0) {
      refuse(name, 'missing', 'Field required: path', lora)
    }
    checkNumber(name, scale, range(0, 4))
  }
}

function refuse(field: string, type: string, msg: string, input?: unknown): never {
  throw new FalRefusal(field, type, msg, input)
}

function sizeOf(
  body: Record<string, unknown>,
  first: RecordedFile | undefined,
): { width: number; height: number } {
  const { image_size: size, aspect_ratio: ratio } = body
  const named = typeof size === 'string' ? enumSizes[size] : undefined
  if (named) return { width: named[0], height: named[1] }
  const { width, height } = record(size)
  if (width && height) return { width: Number(width), height: Number(height) }
  if (ratio) {
    const [wide = 1, high = 1] = String(ratio).split(':').map(Number)
    const edge = (share: number) => Math.round((1024 * Math.sqrt(share)) / 16) * 16
    return { width: edge(wide / high), height: edge(high / wide) }
  }
  return { width: first?.width ?? 1024, height: first?.height ?? 768 }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
