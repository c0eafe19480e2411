/**
 * What DashScope takes, model by model: Model Studio's API references of Qwen-Image, Qwen-Image-Edit, Z-Image, Wan 2.5,
 * 2.6 and 2.7, read 2026-11-20. Strict: a parameter that a model's page does not name is refused.
 */
import { DashScopeRefusal, refuse } from './dashscope-failures.ts'
import type { RecordedRequest } from './fake-upstream.ts'
import { RecordedFile } from './recorded-file.ts'

/** A call for pictures that is right in every way. */
export interface DashScopeCall {
  isAsync: boolean
  /** How the results are laid out. */
  protocol: 'message' | 'prompt'
  prompt: string
  images: (RecordedFile | string)[]
  n: number
  isSeries: boolean
  extendsPrompt: boolean
  width: number
  height: number
}

const sync = '/services/aigc/multimodal-generation/generation'
const asyncMessages = '/services/aigc/image-generation/generation'
const text2image = '/services/aigc/text2image/image-synthesis'
const image2image = '/services/aigc/image2image/image-synthesis'
export const callPaths = [sync, asyncMessages, text2image, image2image]

type Pixels = { min: number; max: number; maxRatio?: number; edges?: { min: number; max: number } }

interface ModelRules {
  paths: readonly string[]
  n: { max: number; fallback: number }
  images: { min: number; max: number }
  /** Sizes of a list, or pixels in all; absent where the model takes none. */
  sizes?: readonly string[] | Pixels
  words?: readonly string[]
  fallback: string
  parameters: readonly string[]
  /** In the prompt protocol `negative_prompt` belongs to the input. */
  input: readonly string[]
}

const usual = ['n', 'size', 'seed', 'watermark', 'prompt_extend', 'negative_prompt']
const besidesInput = usual.filter((name) => name !== 'negative_prompt')
const fiveSizes = ['1664*928', '1472*1104', '1328*1328', '1104*1472', '928*1664']
const pixels = (minEdge: number, maxEdge: number, maxRatio?: number): Pixels => ({
  min: minEdge ** 2,
  max: maxEdge ** 2,
  maxRatio,
})
const none = { min: 0, max: 0 }

const qwenText: ModelRules = {
  paths: [sync, text2image],
  n: { max: 1, fallback: 1 },
  images: none,
  sizes: fiveSizes,
  fallback: '1664*928',
  parameters: usual,
  input: ['prompt', 'negative_prompt'],
}
const qwenTwo: ModelRules = {
  paths: [sync],
  n: { max: 6, fallback: 1 },
  images: { min: 0, max: 3 },
  sizes: pixels(512, 2048),
  fallback: '2048*2048',
  parameters: usual,
  input: [],
}
const qwenEdit: ModelRules = {
  ...qwenTwo,
  images: { min: 1, max: 3 },
  sizes: { ...pixels(512, 2048), edges: { min: 512, max: 2048 } },
  fallback: '1024*1024',
}
const wan27: ModelRules = {
  paths: [sync, asyncMessages],
  n: { max: 4, fallback: 1 },
  images: { min: 0, max: 9 },
  sizes: pixels(768, 2048, 8),
  words: ['1K', '2K'],
  fallback: '2048*2048',
  parameters: [
    'n',
    'size',
    'seed',
    'watermark',
    'thinking_mode',
    'enable_sequential',
    'bbox_list',
    'color_palette',
  ],
  input: [],
}

const models: Readonly<Record<string, ModelRules>> = {
  'qwen-image': qwenText,
  'qwen-image-plus': qwenText,
  'qwen-image-max': { ...qwenText, paths: [sync] },
  'qwen-image-2.0': qwenTwo,
  'qwen-image-2.0-pro': qwenTwo,
  'qwen-image-3.0': qwenTwo,
  'qwen-image-edit': {
    ...qwenEdit,
    n: { max: 1, fallback: 1 },
    sizes: undefined,
    parameters: ['n', 'seed', 'watermark', 'negative_prompt'],
  },
  'qwen-image-edit-plus': qwenEdit,
  'qwen-image-edit-max': qwenEdit,
  'z-image-turbo': {
    ...qwenTwo,
    n: { max: 1, fallback: 1 },
    images: none,
    fallback: '1024*1536',
    parameters: ['size', 'seed', 'prompt_extend'],
  },
  'wan2.7-image': wan27,
  'wan2.7-image-pro': wan27,
  'wan2.6-t2i': {
    ...wan27,
    n: { max: 4, fallback: 4 },
    images: none,
    sizes: pixels(1280, 1440, 4),
    words: [],
    fallback: '1280*1280',
    parameters: usual,
  },
  'wan2.6-image': {
    ...wan27,
    n: { max: 4, fallback: 4 },
    images: { min: 1, max: 4 },
    sizes: pixels(768, 2048, 4),
    fallback: '1280*1280',
    parameters: [...usual, 'enable_interleave'],
  },
  'wan2.5-t2i-preview': {
    ...qwenText,
    paths: [text2image],
    n: { max: 4, fallback: 4 },
    sizes: pixels(768, 1440, 4),
    fallback: '1280*1280',
    parameters: besidesInput,
  },
  'wan2.5-i2i-preview': {
    ...qwenText,
    paths: [image2image],
    n: { max: 4, fallback: 4 },
    images: { min: 1, max: 3 },
    sizes: pixels(768, 1280, 4),
    fallback: '1280*1280',
    parameters: besidesInput,
    input: ['prompt', 'negative_prompt', 'images'],
  },
}

type Fields = Record<string, unknown>

/** Reads the call, or refuses it as the vendor would. `path` is below the base URL. */
export function readCall({ headers, body }: RecordedRequest, path: string): DashScopeCall {
  const isAsync = path !== sync
  checkMode(headers['x-dashscope-async'], isAsync)
  const { model, input, parameters = {}, ...others } = fieldsOf(body, 'body')
  for (const name of Object.keys(others)) refuse(`Unknown field ${name}.`)
  const rules = typeof model === 'string' ? models[model] : undefined
  if (!rules) throw new DashScopeRefusal(404, 'ModelNotFound', 'Model can not be found.')
  if (!rules.paths.includes(path)) refuse('url error, please check url！')
  const asked = fieldsOf(parameters, 'parameters')
  const protocol = path === text2image || path === image2image ? 'prompt' : 'message'
  const known = protocol === 'prompt' ? besidesInput : rules.parameters
  for (const name of Object.keys(asked)) if (!known.includes(name)) refuse(`parameters.${name} is not valid.`)
  const { prompt, images } = protocol === 'prompt' ? promptInput(input, rules) : messageInput(input)
  const { min, max } = rules.images
  if (images.length < min || images.length > max)
    refuse(`The number of input images must be between ${min} and ${max}, but got ${images.length}.`)
  const isSeries = flag(asked, 'enable_sequential')
  flag(asked, 'watermark')
  flag(asked, 'enable_interleave')
  whole(asked.seed, 'seed', 0, 2_147_483_647)
  const most = isSeries ? 12 : rules.n.max
  return {
    isAsync,
    protocol,
    prompt,
    images,
    n: whole(asked.n, 'n', 1, most) ?? (isSeries ? 12 : rules.n.fallback),
    isSeries,
    extendsPrompt: flag(asked, 'prompt_extend', rules.parameters.includes('prompt_extend')),
    ...sizeOf(asked.size, rules, String(model) === 'wan2.7-image-pro' && !isSeries && images.length === 0),
  }
}

/** The header belongs to calls that make tasks, and to no others. */
export function checkMode(header: unknown, isAsync: boolean): void {
  if (isAsync && header !== 'enable')
    throw new DashScopeRefusal(403, 'AccessDenied', 'current user api does not support synchronous calls')
  if (!isAsync && header !== undefined)
    throw new DashScopeRefusal(403, 'AccessDenied', 'current user api does not support asynchronous calls')
}

function messageInput(input: unknown) {
  const { messages } = onlyFields(input, 'input', ['messages'])
  if (!Array.isArray(messages) || messages.length !== 1) refuse('input.messages must have one message.')
  const { role, content } = onlyFields(messages[0], 'message', ['role', 'content'])
  if (role !== 'user' || !Array.isArray(content)) refuse('The message must be of the user and have content.')
  const parts = content.map((part) => onlyFields(part, 'content', ['text', 'image']))
  const texts = parts.flatMap(({ text }) => (text === undefined ? [] : [text]))
  if (texts.length !== 1) refuse('The content must have one text.')
  const images = parts.flatMap(({ image }) => (image === undefined ? [] : [picture(image)]))
  return { prompt: words(texts[0], 'text'), images }
}

function promptInput(input: unknown, rules: ModelRules) {
  const { prompt, negative_prompt, images = [] } = onlyFields(input, 'input', rules.input)
  if (negative_prompt !== undefined) words(negative_prompt, 'negative_prompt')
  if (!Array.isArray(images)) return refuse('input.images must be a list.')
  return { prompt: words(prompt, 'prompt'), images: images.map(picture) }
}

/** A data URI has arrived as a file; everything else must be an address. */
function picture(value: unknown): RecordedFile | string {
  if (value instanceof RecordedFile) {
    if (!['png', 'jpeg', 'webp'].includes(value.format ?? '')) refuse('The image format is not supported.')
    return value
  }
  if (typeof value === 'string' && /^https?:\/\//.test(value)) return value
  throw new DashScopeRefusal(
    400,
    'InvalidURL',
    'Required URL is missing or invalid, please check the request.',
  )
}

function sizeOf(value: unknown, rules: ModelRules, is4K: boolean): { width: number; height: number } {
  if (value === undefined) return pixelsOf(rules.fallback)
  const sides: Readonly<Record<string, string>> = { '1K': '1024*1024', '2K': '2048*2048', '4K': '4096*4096' }
  const allowed = [...(rules.words ?? []), ...(is4K ? ['4K'] : [])]
  if (typeof value !== 'string' || !rules.sizes) return refuse('size is not valid.')
  if (allowed.includes(value)) return pixelsOf(sides[value] ?? rules.fallback)
  if (!/^\d+\*\d+$/.test(value)) refuse(`size must be in the format of width*height, but got ${value}.`)
  const size = pixelsOf(value)
  if (!fits(value, size, rules.sizes, is4K)) refuse(`size ${value} is not supported.`)
  return size
}

function fits(
  text: string,
  { width, height }: { width: number; height: number },
  sizes: readonly string[] | Pixels,
  is4K: boolean,
): boolean {
  if (!('min' in sizes)) return sizes.includes(text)
  const { min, max, maxRatio = Number.POSITIVE_INFINITY, edges } = sizes
  const [short, long] = [Math.min(width, height), Math.max(width, height)]
  const inAll = width * height
  if (edges && (short < edges.min || long > edges.max)) return false
  return inAll >= min && inAll <= (is4K ? 4096 ** 2 : max) && long <= short * maxRatio
}

function pixelsOf(text: string): { width: number; height: number } {
  const [width = 0, height = 0] = text.split('*').map(Number)
  return { width, height }
}

function onlyFields(value: unknown, name: string, known: readonly string[]): Fields {
  const fields = fieldsOf(value, name)
  for (const one of Object.keys(fields)) if (!known.includes(one)) refuse(`${name}.${one} is not valid.`)
  return fields
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(`${name} is not valid.`)
  return { ...value }
}

function words(value: unknown, name: string): string {
  return typeof value === 'string' && value !== '' ? value : refuse(`${name} must be a string.`)
}

function flag(fields: Fields, name: string, fallback = false): boolean {
  const value = fields[name] ?? fallback
  return typeof value === 'boolean' ? value : refuse(`${name} must be a boolean.`)
}

function whole(value: unknown, name: string, min: number, max: number): number | undefined {
  if (value === undefined) return undefined
  const isRight = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
  return isRight ? value : refuse(`${name} must be an integer between ${min} and ${max}.`)
}
