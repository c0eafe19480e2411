/**
 * Says what a picture is and whether Gesso may work on it, from its header alone.
 *
 * A file of two kilobytes can decode to gigabytes, so every foreign picture passes here before anything
 * decodes it. Nothing here decodes pixels: damage inside them shows only in `encode-image.ts`.
 */
import { open } from 'node:fs/promises'
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
import { runHeaderJob, withWholeFile } from './image-work.ts'

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
  /** The longer edge, in pixels: a line one pixel high would be scaled to many megapixels. */
  maxEdge: number
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
  maxEdge: 32_767,
  maxFrames: 1,
}

export interface InspectOptions {
  limits?: Partial<ImageLimits>
  /** The request field that the picture came in, for the error. */
  param?: string
  /** Ends the wait for other pictures, with the signal's reason. */
  signal?: AbortSignal
}

/** A picture's bytes, or the file they are in. */
export type ImageSource = Buffer | { readonly path: string }

/**
 * What the picture is. Throws `unsupported_image` (client) for other formats, more pixels or frames than the
 * limits, unreadable headers and files that end too early; a caller who asked a provider for the picture
 * must turn that into the provider's error. Of a file the header is read first, all of it only after the limits.
 */
export async function inspectImage(source: ImageSource, options: InspectOptions = {}): Promise<ImageInfo> {
  const { info } = await inspectHeader(source, options)
  const checkEnd = (bytes: Buffer) => {
    if (findImageEnd(bytes, info.format) === null) throw endsTooEarly(info.format, options.param)
  }
  await withWholeFile(source, checkEnd, options.signal)
  return info
}

/**
 * What the picture is by its header alone, with the header as sharp read it. Like `inspectImage`, except that a file
 * may still end too early.
 */
export async function inspectHeader(
  source: ImageSource,
  options: InspectOptions = {},
): Promise<{ info: ImageInfo; header: Metadata }> {
  const limits = { ...defaultImageLimits, ...options.limits }
  const refuse = (what: string, cause?: unknown) => unsupportedImage(what, options.param, cause)

  const beginning = await readBeginning(source)
  const format = sniffFormat(beginning)
  if (!format) throw refuse(`is ${describeNature(beginning)}. Allowed are ${ALLOWED_FORMATS}.`)
  const header = await readHeader(source, options.signal).catch((error) => {
    options.signal?.throwIfAborted()
    throw refuse(`is damaged: its ${format} header cannot be read.`, error)
  })
  const { width, height } = header.autoOrient
  const frames = header.pages ?? 1
  const maxPixels = limits.maxPixels[format]
  if (width * height > maxPixels) {
    const allowed = `Allowed are ${maxPixels / 1e6} megapixels for ${format}`
    throw refuse(`has ${width} × ${height} = ${((width * height) / 1e6).toFixed(1)} megapixels. ${allowed}.`)
  }
  if (Math.max(width, height) > limits.maxEdge) {
    throw refuse(`has ${width} × ${height} pixels. Allowed are ${limits.maxEdge} pixels for the longer edge.`)
  }
  if (frames > limits.maxFrames) throw isAnimated(frames, limits.maxFrames, options.param)
  const info = {
    format,
    mediaType: `image/${format}` as const,
    width,
    height,
    hasAlpha: header.hasAlpha,
    frames,
  }
  return { info, header }
}

/** For a file that stops before its picture does. */
export function endsTooEarly(format: ImageFormat, param?: string): GessoError {
  return unsupportedImage(`is incomplete: the ${format} file ends too early.`, param)
}

/** For a picture with more frames than are allowed. */
export function isAnimated(frames: number, maxFrames: number, param?: string): GessoError {
  return unsupportedImage(`is animated, with ${frames} frames. Allowed: ${maxFrames}.`, param)
}

/** The one error of this folder. `what` continues "The image …". */
export function unsupportedImage(what: string, param?: string, cause?: unknown): GessoError {
  const message = `The image ${what}`
  return new GessoError({ code: 'unsupported_image', attribution: 'client', message, param, cause })
}

/** Enough to know a format, or to describe what is none. */
const BEGINNING_BYTES = 4_096

async function readBeginning(source: ImageSource): Promise<Buffer> {
  if (Buffer.isBuffer(source)) return source
  await using file = await open(source.path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0)
  return buffer.subarray(0, bytesRead)
}

/** libvips reads a header without a limit on pixels: an over-large picture is to be refused with its size. */
function readHeader(source: ImageSource, signal: AbortSignal | undefined): Promise<Metadata> {
  const input = Buffer.isBuffer(source) ? source : source.path
  return runHeaderJob(() => sharp(input, { limitInputPixels: false }).metadata(), signal)
}
