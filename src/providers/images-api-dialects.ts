/**
 * The dialects of OpenAI's Images API, as data: what each can say, and in which words. The official API refuses what it
 * does not know, so its dialect lists what may be said; servers that imitate it are told everything, under the names
 * that callers of Gesso use too.
 */
import type { InputMediaType, ProviderRequest } from './provider.ts'
import { callersNames, type Saying, unsupported, type WireTable } from './wire-fields.ts'

export interface Dialect {
  /** Sent with every call, unless the request says otherwise. */
  fixed: Readonly<Record<string, unknown>>
  fields: WireTable
  /** Media types of input pictures that go out as they are. */
  inputs: readonly InputMediaType[]
  /** The most input pictures of one call. */
  maxImages: number
  takesMarkup: boolean
  /** The name of a picture that is the only one; several are always `image[]`. */
  onlyImage: 'image' | 'image[]'
}

const saySize: Saying<'size'> = ({ width, height }) => ({ size: `${width}x${height}` })

/** Says the format where the server makes it, and refuses it by name where not. */
export function sayFormat(made: readonly string[]): Saying<'outputFormat'> {
  return (format, { model }) => {
    if (made.includes(format)) return { output_format: format }
    throw unsupported('output_format', `${model} makes ${made.join(', ')}, not ${format}`)
  }
}

const sayFidelity: Saying<'inputFidelity'> = (fidelity, { images = [] }) => {
  if (images.length > 0) return { input_fidelity: fidelity }
  throw unsupported('input_fidelity', 'it is about an input picture, and there is none')
}

/** One word of the seam is two on the wire: that it is a series, and how long it may be. */
const saySeries: Saying<'series'> = ({ maxImages }) => ({
  sequential_image_generation: 'auto',
  ...(maxImages === undefined ? {} : { sequential_image_generation_options: { max_images: maxImages } }),
})

/** GPT Image answers `response_format` with a 400 and always returns base64. */
export const gptImage: Dialect = {
  fixed: { size: 'auto' },
  fields: {
    size: saySize,
    quality: 'quality',
    background: 'background',
    moderation: 'moderation',
    complexity: 'complexity',
    outputFormat: sayFormat(['png', 'jpeg', 'webp']),
    outputCompression: 'output_compression',
    safetyIdentifier: 'safety_identifier',
    inputFidelity: sayFidelity,
  },
  inputs: ['image/png', 'image/jpeg', 'image/webp'],
  maxImages: 16,
  takesMarkup: true,
  onlyImage: 'image',
}

/** Servers of this kind know `user`, OpenAI's older name of `safety_identifier`. */
const openaiCompatible: Dialect = {
  fixed: { response_format: 'b64_json' },
  fields: { ...callersNames, size: saySize, series: saySeries, safetyIdentifier: 'user' },
  inputs: ['image/png', 'image/jpeg', 'image/webp'],
  maxImages: Number.POSITIVE_INFINITY,
  takesMarkup: true,
  onlyImage: 'image',
}

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['openai-compatible', openaiCompatible],
  ['gpt-image', gptImage],
])

/** The words for them, the usual one first. */
export const dialectNames: readonly string[] = [...dialects.keys()]

/** The dialect of this name; without a name, the one that the model's name suggests. */
export function findDialect({ dialect, model }: ProviderRequest): Dialect | undefined {
  const guess = /^(chatgpt|gpt)-image/.test(model) ? 'gpt-image' : 'openai-compatible'
  return dialects.get(dialect ?? guess)
}
