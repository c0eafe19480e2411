/**
 * The generations of Seedream as data: what each can be told (Volcengine Ark and BytePlus ModelArk, "Image generation API",
 * read 2026-11-20). Ark answers a field that a generation does not know with a 400, so nothing else is ever sent.
 */
import type { ProviderRequest } from '../provider.ts'
import { unsupported, type WireTable } from '../wire-fields.ts'
import { title } from './ark-names.ts'

export interface Dialect {
  table: WireTable
  /** The most input pictures. */
  maxImages: number
  /** Knows series, and wants to be told where there is to be none. */
  makesSeries: boolean
  /** Shows the pictures of a series one by one. */
  streams: boolean
}

interface Abilities {
  pixels: { min: number; max: number }
  /** Resolution classes that are words of the vendor too. */
  imageSizes: readonly string[]
  /** The formats that can be chosen; absent where it is always JPEG, and the field is unknown. */
  formats?: readonly string[]
  maxImages: number
  /** Can work on the prompt for a shorter time. */
  hasFastMode?: boolean
  isSingle?: boolean
}

/** The longer edge over the shorter. */
const maxRatio = 16

/** Input pictures and those of the series together. */
const mostPictures = 15

function dialectOf({ pixels, imageSizes, formats, maxImages, hasFastMode, isSingle }: Abilities): Dialect {
  const table: WireTable = {
    size: ({ width, height }) => {
      const total = width * height
      const ratio = Math.max(width, height) / Math.min(width, height)
      if (total < pixels.min || total > pixels.max || ratio > maxRatio) {
        const allowed = `${pixels.min} to ${pixels.max} pixels in all and a ratio of at most ${maxRatio}:1`
        throw unsupported('size', `${title} takes ${allowed}, not ${width}x${height}`)
      }
      return { size: `${width}x${height}` }
    },
    imageSize: (imageSize, { size, model }) => {
      if (size) throw unsupported('image_size', `${title} takes no resolution class beside a size`)
      if (!imageSizes.includes(imageSize)) {
        throw unsupported('image_size', `${title} takes ${imageSizes.join(', ')} with ${model}`)
      }
      return { size: imageSize }
    },
    watermark: 'watermark',
    ...(formats && {
      outputFormat: (format, { model }) => {
        if (formats.includes(format)) return { output_format: format }
        throw unsupported(
          'output_format',
          `${title} makes ${formats.join(', ')} with ${model}, not ${format}`,
        )
      },
    }),
    ...(hasFastMode && {
      goFast: (goFast) => ({ optimize_prompt_options: { mode: goFast ? 'fast' : 'standard' } }),
    }),
    ...(!isSingle && { series: saySeries }),
  }
  return { table, maxImages, makesSeries: !isSingle, streams: !isSingle }
}

/** Says also how long the series may be where nobody asks: it is paid for by the picture. */
function saySeries({ maxImages }: { maxImages?: number }, { images = [] }: ProviderRequest) {
  const most = mostPictures - images.length
  if (maxImages !== undefined && maxImages > most) {
    const counted = `input pictures and those of the series are at most ${mostPictures} together`
    throw unsupported('sequential_image_generation', `with ${title}, ${counted}`)
  }
  return {
    sequential_image_generation: 'auto',
    sequential_image_generation_options: { max_images: maxImages ?? most },
  }
}

/** How many pictures the request may bring: one, or those of the series. */
export function mostOf({ series, images = [] }: ProviderRequest): number {
  return series ? (series.maxImages ?? mostPictures - images.length) : 1
}

const fourMegapixels = { min: 3_686_400, max: 16_777_216 }

/** The usual one first: an endpoint's id does not tell which model is behind it. */
const dialects: ReadonlyMap<string, Dialect> = new Map([
  [
    'seedream-5.0',
    dialectOf({
      pixels: fourMegapixels,
      imageSizes: ['2K', '4K'],
      formats: ['png', 'jpeg'],
      maxImages: 14,
    }),
  ],
  [
    'seedream-5.0-pro',
    dialectOf({
      pixels: { min: 921_600, max: 4_624_220 },
      imageSizes: ['1K', '2K'],
      formats: ['png', 'jpeg'],
      maxImages: 10,
      hasFastMode: true,
      isSingle: true,
    }),
  ],
  ['seedream-4.5', dialectOf({ pixels: fourMegapixels, imageSizes: ['2K', '4K'], maxImages: 14 })],
  [
    'seedream-4.0',
    dialectOf({
      pixels: { min: 921_600, max: 16_777_216 },
      imageSizes: ['1K', '2K', '4K'],
      maxImages: 10,
      hasFastMode: true,
    }),
  ],
])

export const dialectNames = [...dialects.keys()]

/** The dialect of this name; without a name, the one that the model's name suggests. */
export function findDialect(name: string | undefined, model: string): Dialect | undefined {
  return dialects.get(name ?? guess(model))
}

/** Flash is told what Pro is told. */
function guess(model: string): string {
  const [, major, minor, variant] = /seedream-(\d)[.-](\d)(-pro|-flash)?/.exec(model) ?? []
  const name = `seedream-${major}.${minor}${variant ? '-pro' : ''}`
  return dialects.has(name) ? name : 'seedream-5.0'
}

/**
 * The model's id at this host. BytePlus and Volcengine name the same models differently; what is no plain Seedream id,
 * such as an endpoint's (`ep-…`), is the operator's own word and stays.
 */
export function wireModel(model: string, baseUrl: string): string {
  if (!model.startsWith('seedream-')) return model
  if (!new URL(baseUrl).hostname.endsWith('.bytepluses.com')) return `doubao-${model}`
  return /^seedream-5-0-(pro|flash)/.test(model) ? `dola-${model}` : model
}
