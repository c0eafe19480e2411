/**
 * Says what a picture is and whether Gesso may work on it, from its header alone.
 *
 * A file of two kilobytes can decode to gigabytes, so every foreign picture passes here before anything
 * decodes it. Nothing here decodes pixels: damage inside them shows only in `encode-image.ts`.
 */
import sharp, { type Metadata } from 'sharp'
import { GessoError } from '../lib/errors.ts'
import { findImageEnd } from './cut-after-image-end.ts'
import {
  ALLOWED_FORMATS,
  describeNature,
  type ImageFormat,
  type ImageMediaType,
  sniffFormat,
} from './image-format.ts'
import { runHeaderJob } from './image-work.ts'

export interface ImageInfo {
  format: ImageFormat
  mediaType: ImageMediaType
  /** Pixels, as the picture is shown: after the rotation that its EXIF data asks for. */
  width: number
  height: number
  hasAlpha: boolean
  frames: number
}

/** How large a picture may be before its pixels are touched. */
export interface ImageLimits {
  /** Width × height of one frame. */
  maxPixels: Record<ImageFormat, number>
  maxFrames: number
}

const FIFTY_MEGAPIXELS = 50_000_000

/** 50 megapixels and one frame; AVIF half of that, as its decoder needs some 18 bytes for each pixel. */
export const defaultImageLimits: ImageLimits = {
  maxPixels: {
    png: FIFTY_MEGAPIXELS,
    jpeg: FIFTY_MEGAPIXELS,
    webp: FIFTY_MEGAPIXELS,
    gif: FIFTY_MEGAPIXELS,
    avif: FIFTY_MEGAPIXELS / 2,
  },
  maxFrames: 1,
}

export interface InspectOptions {
  limits?: Partial<ImageLimits>
  /** The request field that the picture came in, for the error. */
  param?: string
}

/**
 * What the picture is. Throws `unsupported_image` (client) for other formats, more pixels or frames than the
 * limits, unreadable headers and files that end too early; a caller who asked a provider for the picture
 * must turn that into the provider's error.
 */
export async function inspectImage(bytes: Buffer, options: InspectOptions = {}): Promise<ImageInfo> {
  const limits = { ...defaultImageLimits, ...options.limits }
  const refuse = (what: string, cause?: unknown) => unsupportedImage(what, options.param, cause)

  const format = sniffFormat(bytes)
  if (!format) throw refuse(`is ${describeNature(bytes)}. Allowed are ${ALLOWED_FORMATS}.`)
  const header = await readHeader(bytes).catch((error) => {
    throw refuse(`is damaged: its ${format} header cannot be read.`, error)
  })
  const { width, height } = header.autoOrient
  const frames = header.pages ?? 1
  const maxPixels = limits.maxPixels[format]
  if (width * height > maxPixels) {
    const allowed = `Allowed are ${maxPixels / 1e6} megapixels for ${format}`
    throw refuse(`has ${width} × ${height} = ${((width * height) / 1e6).toFixed(1)} megapixels. ${allowed}.`)
  }
  if (frames > limits.maxFrames) {
    throw refuse(`is animated, with ${frames} frames. Allowed: ${limits.maxFrames}.`)
  }
  if (findImageEnd(bytes, format) === null) throw refuse(`is incomplete: the ${format} file ends too early.`)
  return { format, mediaType: `image/${format}`, width, height, hasAlpha: header.hasAlpha, frames }
}

/** The one error of this folder. `what` continues "The image …". */
export function unsupportedImage(what: string, param?: string, cause?: unknown): GessoError {
  const message = `The image ${what}`
  return new GessoError({ code: 'unsupported_image', attribution: 'client', message, param, cause })
}

/** libvips reads a header without a limit on pixels: an over-large picture is to be refused with its size. */
function readHeader(bytes: Buffer): Promise<Metadata> {
  return runHeaderJob(() => sharp(bytes, { limitInputPixels: false }).metadata())
}
