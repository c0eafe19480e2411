/**
 * What Ark accepts in a call for pictures, model by model, and the words in which it refuses the rest ("Image generation
 * API" of Volcengine Ark and BytePlus ModelArk, read 2026-11-20).
 */
import type { RecordedRequest } from './fake-upstream.ts'
import { RecordedFile } from './recorded-file.ts'

/** A call that was accepted, with the values that will be used. */
export interface ArkCall {
  model: string
  /** How many pictures, as far as the prompt has so many in it. */
  count: number
  width: number
  height: number
  format: 'png' | 'jpeg'
  /** Does the answer say the format? */
  saysFormat: boolean
  images: (RecordedFile | string)[]
  asUrl: boolean
  isStreamed: boolean
}

/** A refusal in Ark's format. */
export class ArkRefusal extends Error {
  readonly status: number
  readonly #about: { code: string; type: string; param?: string }

  constructor(status: number, message: string, about: { code: string; type: string; param?: string }) {
    super(message)
    this.status = status
    this.#about = about
  }

  body() {
    const { code, type, param = '' } = this.#about
    return { error: { code, message: `${this.message} Request id: ${requestId}`, param, type } }
  }
}

export const requestId = '021756000000000abcdef0123456789abcdef0123456789abcdef0'

interface Generation {
  pixels: { min: number; max: number }
  words: readonly string[]
  formats: readonly string[]
  maxImages: number
  isSingle: boolean
  modes: readonly string[]
  searches: boolean
}

const usual = { pixels: { min: 3_686_400, max: 16_777_216 }, maxImages: 14, isSingle: false }

const generations = {
  '5.0': {
    ...usual,
    words: ['2K', '3K', '4K'],
    formats: ['png', 'jpeg'],
    modes: ['standard'],
    searches: true,
  },
  '5.0 pro': {
    pixels: { min: 921_600, max: 4_624_220 },
    words: ['1K', '2K'],
    formats: ['png', 'jpeg'],
    maxImages: 10,
    isSingle: true,
    modes: ['standard', 'fast'],
    searches: false,
  },
  '4.5': { ...usual, words: ['2K', '4K'], formats: [], modes: ['standard'], searches: false },
  '4.0': {
    pixels: { min: 921_600, max: 16_777_216 },
    words: ['1K', '2K', '4K'],
    formats: [],
    maxImages: 10,
    isSingle: false,
    modes: ['standard', 'fast'],
    searches: false,
  },
} satisfies Record<string, Generation>

/** The models of each site; an endpoint stands for a model that only its owner knows. */
const sites: Record<'volcengine' | 'byteplus', Record<string, Generation>> = {
  volcengine: {
    'doubao-seedream-5-0-260128': generations['5.0'],
    'doubao-seedream-5-0-pro-260628': generations['5.0 pro'],
    'doubao-seedream-4-5-251128': generations['4.5'],
    'doubao-seedream-4-0-250828': generations['4.0'],
    'ep-20261120120000-fake1': generations['4.0'],
  },
  byteplus: {
    'seedream-5-0-260128': generations['5.0'],
    'dola-seedream-5-0-pro-260628': generations['5.0 pro'],
    'seedream-4-5-251128': generations['4.5'],
    'seedream-4-0-250828': generations['4.0'],
  },
}

export type ArkSite = keyof typeof sites

/** Reads a call, or throws `ArkRefusal` as Ark would. */
export function readArkCall(request: RecordedRequest, site: ArkSite): ArkCall {
  const body = record(request.body)
  for (const name of ['model', 'prompt']) {
    if (typeof body[name] !== 'string' || body[name] === '') missing(name)
  }
  const model = String(body.model)
  const generation = sites[site][model]
  if (!generation) {
    const message = `The model or endpoint ${model} does not exist or you do not have access to it.`
    throw new ArkRefusal(404, message, { code: 'InvalidEndpointOrModel.NotFound', type: 'NotFound' })
  }
  checkFields(body, generation)
  const images = readImages(body.image, generation)
  return {
    model,
    count: readCount(body, images.length),
    ...readSize(body.size, generation, model),
    format: body.output_format === 'png' ? 'png' : 'jpeg',
    saysFormat: generation.formats.length > 0,
    images,
    asUrl: body.response_format !== 'b64_json',
    isStreamed: body.stream === true,
  }
}

/** Every field is one that the model knows, with one of its values. */
function checkFields(body: Record<string, unknown>, generation: Generation): void {
  const { isSingle, formats, modes, searches } = generation
  const known: Record<string, (value: unknown) => boolean> = {
    model: () => true,
    prompt: () => true,
    image: () => true,
    size: (value) => typeof value === 'string',
    response_format: oneOf(['url', 'b64_json']),
    watermark: isBoolean,
    optimize_prompt_options: (value) => modes.includes(String(record(value).mode)),
    ...(formats.length > 0 && { output_format: oneOf(formats) }),
    ...(searches && { tools: Array.isArray }),
    ...(!isSingle && {
      sequential_image_generation: oneOf(['auto', 'disabled']),
      sequential_image_generation_options: (value) => isCount(record(value).max_images),
      stream: isBoolean,
    }),
  }
  for (const [name, value] of Object.entries(body)) {
    const fits = Object.hasOwn(known, name) ? known[name] : undefined
    if (!fits) invalid(name, `the parameter \`${name}\` is not supported by the current model.`)
    if (!fits(value)) invalid(name, `\`${name}\` has a value that is not supported.`)
  }
}

function readImages(image: unknown, { maxImages }: Generation): (RecordedFile | string)[] {
  const given = [image ?? []].flat()
  if (given.length > maxImages) invalid('image', `the number of images cannot exceed ${maxImages}.`)
  return given.map((one) => {
    if (typeof one === 'string' && /^https?:\/\//.test(one)) return one
    if (!(one instanceof RecordedFile)) return invalid('image', 'invalid url specified.')
    const isKnown = ['png', 'jpeg'].includes(one.format ?? '')
    if (!isKnown) invalid('image', 'the image format is not supported by the API.')
    if (one.sizeBytes > 30 * 1024 * 1024) invalid('image', 'size of image exceeds the limit of 30 MiB.')
    return one
  })
}

function readCount(body: Record<string, unknown>, references: number): number {
  if (body.sequential_image_generation !== 'auto') return 1
  const most = Number(record(body.sequential_image_generation_options).max_images ?? 15)
  if (most + references > 15) {
    invalid('sequential_image_generation_options.max_images', 'input and output images cannot exceed 15.')
  }
  return most
}

const edges: Record<string, number> = { '1K': 1_024, '2K': 2_048, '3K': 3_072, '4K': 4_096 }

function readSize(size: unknown, { pixels, words }: Generation, model: string) {
  const usualEdge = pixels.max < 5_000_000 ? 1_024 : 2_048
  if (size === undefined) return { width: usualEdge, height: usualEdge }
  const edge = words.includes(String(size)) ? edges[String(size)] : undefined
  if (edge) return { width: edge, height: edge }
  const [, width, height] = /^(\d+)x(\d+)$/.exec(String(size))?.map(Number) ?? []
  if (!width || !height) return invalid('size', `the specified size is not supported for model ${model}.`)
  const total = width * height
  if (total < pixels.min) invalid('size', `image size must be at least ${pixels.min} pixels.`)
  if (total > pixels.max) invalid('size', `image size must be at most ${pixels.max} pixels.`)
  if (Math.max(width, height) > 16 * Math.min(width, height)) {
    invalid('size', 'the aspect ratio must be between 1/16 and 16.')
  }
  return { width, height }
}

function missing(param: string): never {
  const message = `The request failed because it is missing \`${param}\` parameter.`
  throw new ArkRefusal(400, message, { code: 'MissingParameter', type: 'BadRequest', param })
}

function invalid(param: string, why: string): never {
  const message = `The parameter \`${param}\` specified in the request is not valid: ${why}`
  throw new ArkRefusal(400, message, { code: 'InvalidParameter', type: 'BadRequest', param })
}

function oneOf(words: readonly string[]): (value: unknown) => boolean {
  return (value) => words.includes(String(value))
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 15
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
