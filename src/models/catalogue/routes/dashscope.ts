/**
 * What Alibaba DashScope serves: limits of Model Studio's API references of Qwen-Image, Qwen-Image-Edit, Z-Image and
 * Wan, read 2026-11-20. Prices are those of its international sites; Beijing charges in yuan. Prompts that are too long
 * would be cut off there in silence, so the limits are the vendor's own where it counts in characters.
 */
import { fieldTable, native } from '../../field-table.ts'
import type { FieldName } from '../../fields.ts'
import type { FieldRule, ModelRoute } from '../../model.ts'
import type { Price } from '../../price.ts'
import type { SizeRule } from '../../size-rule.ts'
import type { RouteTable } from '../identity.ts'

interface Special {
  dialect: string
  /** Absent: 4,000, where the vendor counts in tokens. */
  promptCharacters?: number
  imagesPerCall: number
  /** Micro-USD for each picture, whatever its size. */
  micros: number
  /** Micro-USD for each input picture; absent where those are free, as they are with nearly all. */
  inputMicros?: number
  fields: Partial<Record<FieldName, FieldRule>>
}

/** A model under its own name; what nearly all of them take is in every table. */
function route(id: string, special: Special): ModelRoute {
  const { dialect, promptCharacters = 4_000, imagesPerCall, fields } = special
  return {
    provider: 'dashscope',
    upstreamModel: id,
    dialect,
    promptCharacters,
    imagesPerCall,
    fields: fieldTable({
      outputFormat: { support: 'emulated', values: ['png', 'jpeg', 'webp', 'avif'], default: 'png' },
      seed: { support: 'native', range: { min: 0, max: 2_147_483_647 } },
      negativePrompt: native,
      watermark: { support: 'native', default: false },
      ...fields,
    }),
    price: priceOf(special),
  }
}

/** Only pictures that were made are charged, and prompts are never rewritten there, which would cost more. */
function priceOf({ micros, inputMicros }: Special): Price {
  return {
    items: [
      { per: 'image', micros },
      ...(inputMicros === undefined ? [] : [{ per: 'input image', micros: inputMicros } as const]),
    ],
    asOf: '2026-09-23',
    source: 'https://www.alibabacloud.com/help/en/model-studio/model-pricing',
  }
}

/** Any size of so many pixels, from a square of one edge to a square of another. */
function pixels(minEdge: number, maxEdge: number, maxRatio = 16): SizeRule {
  const stretch = Math.sqrt(maxRatio)
  return {
    kind: 'range',
    minEdge: Math.ceil(minEdge / stretch),
    maxEdge: Math.floor(maxEdge * stretch),
    minPixels: minEdge ** 2,
    maxPixels: maxEdge ** 2,
    maxRatio,
  }
}

function size(sizes: SizeRule, usual: string): FieldRule {
  return { support: 'converted', sizes, default: usual }
}

const fiveSizes: SizeRule = {
  kind: 'list',
  sizes: [
    { width: 1664, height: 928 },
    { width: 1472, height: 1104 },
    { width: 1328, height: 1328 },
    { width: 1104, height: 1472 },
    { width: 928, height: 1664 },
  ],
}

const unsupported: FieldRule = { support: 'unsupported' }
const upTo = (max: number): FieldRule => ({ support: 'native', range: { min: 1, max } })
const atLeastOne = (max: number): FieldRule => ({ ...upTo(max), required: true })

type Shared = Omit<Special, 'micros'>

const fiveSizesOnly: Omit<Shared, 'dialect'> = {
  promptCharacters: 800,
  imagesPerCall: 1,
  fields: { size: size(fiveSizes, '1664x928') },
}
const qwenTwo: Shared = {
  dialect: 'messages',
  imagesPerCall: 6,
  fields: { size: size(pixels(512, 2048), '2048x2048'), images: upTo(3) },
}
const qwenEdit: Shared = {
  dialect: 'messages',
  promptCharacters: 800,
  imagesPerCall: 6,
  fields: {
    size: size({ kind: 'range', minEdge: 512, maxEdge: 2048 }, 'auto'),
    images: atLeastOne(3),
  },
}

/** `largest` is the edge of its largest square. */
function wan27(largest: number, words: readonly string[]): Shared {
  return {
    dialect: 'image-generation',
    promptCharacters: 5_000,
    imagesPerCall: 4,
    fields: {
      size: size(pixels(768, largest, 8), '2048x2048'),
      imageSize: { support: 'native', values: words, default: '2K' },
      negativePrompt: unsupported,
      images: upTo(9),
      series: { support: 'converted', values: ['disabled', 'auto'], default: 'disabled' },
    },
  }
}

export const dashscopeRoutes: RouteTable = {
  'qwen-image': route('qwen-image', { ...fiveSizesOnly, dialect: 'text2image', micros: 35_000 }),
  'qwen-image-plus': route('qwen-image-plus', { ...fiveSizesOnly, dialect: 'text2image', micros: 30_000 }),
  'qwen-image-max': route('qwen-image-max', { ...fiveSizesOnly, dialect: 'messages', micros: 75_000 }),
  'qwen-image-2.0': route('qwen-image-2.0', { ...qwenTwo, micros: 35_000 }),
  'qwen-image-2.0-pro': route('qwen-image-2.0-pro', { ...qwenTwo, micros: 75_000 }),
  'qwen-image-3.0': route('qwen-image-3.0', {
    ...qwenTwo,
    micros: 30_000,
    inputMicros: 3_000,
    fields: { ...qwenTwo.fields, size: size(pixels(512, 2048), 'auto') },
  }),
  // Its pictures have the shape of the last input picture, and about a million pixels.
  'qwen-image-edit': route('qwen-image-edit', {
    ...qwenEdit,
    imagesPerCall: 1,
    micros: 45_000,
    fields: {
      ...qwenEdit.fields,
      size: unsupported,
      aspectRatio: unsupported,
      imageSize: unsupported,
    },
  }),
  'qwen-image-edit-plus': route('qwen-image-edit-plus', { ...qwenEdit, micros: 30_000 }),
  'qwen-image-edit-max': route('qwen-image-edit-max', { ...qwenEdit, micros: 75_000 }),
  'z-image-turbo': route('z-image-turbo', {
    dialect: 'messages',
    promptCharacters: 800,
    imagesPerCall: 1,
    micros: 15_000,
    fields: {
      size: size(pixels(512, 2048), '1024x1536'),
      negativePrompt: unsupported,
      watermark: { support: 'emulated', default: false },
    },
  }),
  'wan2.7-image-pro': route('wan2.7-image-pro', { ...wan27(4096, ['1K', '2K', '4K']), micros: 75_000 }),
  'wan2.7-image': route('wan2.7-image', { ...wan27(2048, ['1K', '2K']), micros: 30_000 }),
  'wan2.6-t2i': route('wan2.6-t2i', {
    dialect: 'image-generation',
    promptCharacters: 2_000,
    imagesPerCall: 4,
    micros: 30_000,
    fields: { size: size(pixels(1280, 1440, 4), '1280x1280') },
  }),
  'wan2.6-image': route('wan2.6-image', {
    dialect: 'image-generation',
    promptCharacters: 2_000,
    imagesPerCall: 4,
    micros: 30_000,
    fields: {
      size: size(pixels(768, 2048, 4), 'auto'),
      imageSize: { support: 'native', values: ['1K', '2K'], default: '1K' },
      images: atLeastOne(4),
    },
  }),
  'wan2.5-t2i-preview': route('wan2.5-t2i-preview', {
    dialect: 'text2image',
    promptCharacters: 2_000,
    imagesPerCall: 4,
    micros: 30_000,
    fields: { size: size(pixels(768, 1440, 4), '1280x1280') },
  }),
  'wan2.5-i2i-preview': route('wan2.5-i2i-preview', {
    dialect: 'image2image',
    promptCharacters: 2_000,
    imagesPerCall: 4,
    micros: 30_000,
    fields: { size: size(pixels(768, 1280, 4), 'auto'), images: atLeastOne(3) },
  }),
}
