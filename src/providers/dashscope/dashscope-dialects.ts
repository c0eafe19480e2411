/**
 * What DashScope's protocols and the models behind them can say, as data (Model Studio's API references of Qwen-Image,
 * Qwen-Image-Edit, Z-Image and Wan, read 2026-11-20). A protocol is a path and a shape; which parameters may stand in it
 * is a matter of the model. What a model has no word for is refused by the caller's own name for it.
 */
import type { ProviderRequest } from '../provider.ts'
import { unsupported, type WireTable } from '../wire-fields.ts'

/** A protocol. */
export interface Dialect {
  /** Below the base URL. */
  path: string
  /** Answers with a task. Only then the vendor wants `X-DashScope-Async`, and only then it takes it. */
  isAsync: boolean
  /** Pictures and prompt as one message, or side by side. */
  input: 'message' | 'prompt'
}

/** Models that take the same parameters. */
export interface Family {
  dialect: DialectName
  /** Who belongs to it, in the vendor's words. */
  models: RegExp
  /** Parameters that say a default out loud, because another one would cost money or change the picture. */
  fixed: Readonly<Record<string, boolean>>
  /** `false` where the vendor always makes one picture and has no word for more. */
  saysCount: boolean
  fields: WireTable
  /** How many input pictures there must be and may be. */
  images: { min: number; max: number }
  /** The largest input picture. */
  maxImageBytes: number
}

export const dialects = {
  messages: {
    path: '/services/aigc/multimodal-generation/generation',
    isAsync: false,
    input: 'message',
  },
  text2image: { path: '/services/aigc/text2image/image-synthesis', isAsync: true, input: 'prompt' },
  'image-generation': {
    path: '/services/aigc/image-generation/generation',
    isAsync: true,
    input: 'message',
  },
  image2image: { path: '/services/aigc/image2image/image-synthesis', isAsync: true, input: 'prompt' },
} as const satisfies Record<string, Dialect>

export type DialectName = keyof typeof dialects

/** The most pictures of a series of Wan 2.7. */
const longestSeries = 12
const longestNegativePrompt = 500
const megabyte = 1024 * 1024
const pixels2K = 2048 ** 2

const sizeText = ({ width, height }: NonNullable<ProviderRequest['size']>) => ({ size: `${width}*${height}` })

/** What nearly all of them can say. */
const common = {
  size: sizeText,
  seed: 'seed',
  watermark: 'watermark',
  // The vendor would cut the rest off in silence.
  negativePrompt: (words) => {
    if (words.length > longestNegativePrompt)
      throw unsupported('negative_prompt', `it may have ${longestNegativePrompt} characters at most`)
    return { negative_prompt: words }
  },
} as const satisfies WireTable

/** Resolution classes as words. Beside a size of the class they say nothing new. */
function sizeWords(wordsFor: (request: ProviderRequest) => readonly string[]): WireTable['imageSize'] {
  return (word, request) => {
    const words = wordsFor(request)
    if (!words.includes(word))
      throw unsupported('image_size', `here ${request.model} takes ${words.join(' and ')}`)
    return request.size ? {} : { size: word }
  }
}

/** More than 2K is for the Pro model, for text alone, and for single pictures. */
function draws4K({ model, images = [], series }: ProviderRequest): boolean {
  return /pro/.test(model) && images.length === 0 && series === undefined
}

const wan27: WireTable = {
  size: (size, request) => {
    if (size.width * size.height > pixels2K && !draws4K(request))
      throw unsupported('size', `here ${request.model} draws 2048x2048 pixels in all at most`)
    return sizeText(size)
  },
  imageSize: sizeWords((request) => (draws4K(request) ? ['1K', '2K', '4K'] : ['1K', '2K'])),
  seed: 'seed',
  watermark: 'watermark',
  // The model makes as many as the story needs, and never more than `n`.
  series: ({ maxImages = longestSeries }) => ({
    enable_sequential: true,
    n: Math.min(maxImages, longestSeries),
  }),
}

const unmarked = { watermark: false }
/** Gesso rewrites prompts itself, and only when it is asked to. */
const asWritten = { prompt_extend: false }
const dated = String.raw`(-\d{4}-\d{2}-\d{2})?$`

/** The last one of a dialect stands for models of it that nobody here has heard of. */
const families: readonly Family[] = [
  {
    dialect: 'messages',
    models: /^z-image/,
    fixed: asWritten,
    saysCount: false,
    fields: { size: common.size, seed: common.seed },
    images: { min: 0, max: 0 },
    maxImageBytes: 0,
  },
  {
    dialect: 'messages',
    models: new RegExp(`^qwen-image-edit${dated}`),
    // It knows neither sizes nor the rewriting of prompts.
    fixed: unmarked,
    saysCount: true,
    fields: { seed: common.seed, watermark: common.watermark, negativePrompt: common.negativePrompt },
    images: { min: 1, max: 3 },
    maxImageBytes: 10 * megabyte,
  },
  {
    dialect: 'messages',
    models: /^qwen-image-edit/,
    fixed: { ...asWritten, ...unmarked },
    saysCount: true,
    fields: common,
    images: { min: 1, max: 3 },
    maxImageBytes: 10 * megabyte,
  },
  {
    dialect: 'messages',
    models: new RegExp(`^qwen-image(-plus|-max)?${dated}`),
    fixed: { ...asWritten, ...unmarked },
    saysCount: true,
    fields: common,
    images: { min: 0, max: 0 },
    maxImageBytes: 0,
  },
  {
    dialect: 'messages',
    models: /^qwen-image/,
    fixed: { ...asWritten, ...unmarked },
    saysCount: true,
    fields: common,
    images: { min: 0, max: 3 },
    maxImageBytes: 10 * megabyte,
  },
  {
    dialect: 'text2image',
    models: /./,
    fixed: { ...asWritten, ...unmarked },
    saysCount: true,
    fields: common,
    images: { min: 0, max: 0 },
    maxImageBytes: 0,
  },
  {
    dialect: 'image-generation',
    models: /-t2i/,
    fixed: { ...asWritten, ...unmarked },
    saysCount: true,
    fields: common,
    images: { min: 0, max: 0 },
    maxImageBytes: 0,
  },
  {
    dialect: 'image-generation',
    models: /^wan2\.6-image/,
    // Interleaved, it would tell a story of text and pictures.
    fixed: { ...asWritten, ...unmarked, enable_interleave: false },
    saysCount: true,
    fields: { ...common, imageSize: sizeWords(() => ['1K', '2K']) },
    images: { min: 1, max: 4 },
    maxImageBytes: 10 * megabyte,
  },
  {
    dialect: 'image-generation',
    models: /^wan/,
    // `thinking_mode` stays as the vendor has it: it takes time and no money, and leaves the prompt as it is.
    fixed: { ...unmarked, enable_sequential: false },
    saysCount: true,
    fields: wan27,
    images: { min: 0, max: 9 },
    maxImageBytes: 20 * megabyte,
  },
  {
    dialect: 'image2image',
    models: /./,
    fixed: { ...asWritten, ...unmarked },
    saysCount: true,
    fields: common,
    images: { min: 1, max: 3 },
    maxImageBytes: 10 * megabyte,
  },
]

/** Which protocol a model speaks; asynchronous where it has the choice, because a task outlives this process. */
const guesses: readonly [RegExp, DialectName][] = [
  [/^qwen-image(-plus)?$/, 'text2image'],
  [/^wan2\.5-i2i/, 'image2image'],
  [/^(wan2\.[1-5]|wanx)/, 'text2image'],
  [/^wan/, 'image-generation'],
]

export const dialectNames = Object.keys(dialects)

/** The family of the model in the named dialect, or without a name in the usual one; nothing for an unknown name. */
export function findFamily(name: string | undefined, model: string): Family | undefined {
  const dialect = name ?? guesses.find(([models]) => models.test(model))?.[1] ?? 'messages'
  const candidates = families.filter((family) => family.dialect === dialect)
  return candidates.find(({ models }) => models.test(model)) ?? candidates.at(-1)
}
