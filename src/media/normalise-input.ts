/**
 * An input picture as a provider may see it: upright, without EXIF, place, XMP, IPTC and comments, in a format the
 * provider takes and no larger than it takes.
 *
 * What needs no change is left alone, and what only has metadata loses it without touching a pixel; everything else
 * is decoded and encoded in a child process, from file to file. The source is never changed.
 */
import { rm, writeFile } from 'node:fs/promises'
import type { Metadata } from 'sharp'
import { findImageEnd } from './cut-after-image-end.ts'
import type { ImageFormat, ImageMediaType } from './image-format.ts'
import { withWholeFile } from './image-work.ts'
import {
  defaultImageLimits,
  endsTooEarly,
  type ImageInfo,
  type ImageLimits,
  type ImageSource,
  inspectHeader,
  isAnimated,
} from './inspect-image.ts'
import { stripMetadata } from './metadata/strip-metadata.ts'
import type { PixelJob } from './perform-pixel-job.ts'
import { decodeInChild } from './pixel-worker.ts'

export interface NormaliseOptions {
  /** What the provider takes; anything else becomes a PNG, or WebP without loss where PNG is not taken. */
  mediaTypes: readonly ImageMediaType[]
  /** The longest edge in pixels that the provider takes: a larger picture is scaled down in proportion. */
  maxEdge?: number
  /** Brings a mask to exactly this size, that of its picture after scaling, whatever its own aspect ratio. */
  fit?: { width: number; height: number }
  /** It is a mask: white where it was transparent, black where it was opaque. */
  maskToWhite?: boolean
  /** Where the rewritten picture goes; nothing may be there yet. */
  targetPath: string
  limits?: Partial<ImageLimits>
  /** The request field that the picture came in, for the error. */
  param?: string
  /** Ends the work, also where it is under way, which then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** What the provider sees. */
export interface NormalisedInput {
  info: ImageInfo
  /** True: it is at `targetPath`. False: the source is right as it is, and nothing was written. */
  rewritten: boolean
}

/**
 * Makes an input picture fit to be sent out. The same source and options give the same bytes. Throws
 * `unsupported_image` as `inspectImage` does, and for what cannot be decoded; leaves no file behind then.
 */
export async function normaliseInput(
  source: ImageSource,
  options: NormaliseOptions,
): Promise<NormalisedInput> {
  const { info, header } = await inspectHeader(source, options)
  const size = sizeFor(info, options)
  // Metadata of GIF and AVIF is not taken out here without decoding them; hardly any provider takes them anyway.
  const mustDecode =
    options.maskToWhite ||
    size ||
    !isUpright(header) ||
    !options.mediaTypes.includes(info.mediaType) ||
    info.format === 'gif' ||
    info.format === 'avif'
  const leaveNothing = async (error: unknown): Promise<never> => {
    await rm(options.targetPath, { force: true })
    throw error
  }
  const strip = async (bytes: Buffer) => {
    const whole = wholePicture(bytes, info.format, options)
    return mustDecode ? 'decode' : await writeStripped(whole, bytes.length, header, options.targetPath)
  }
  const found = await withWholeFile(source, strip, options.signal).catch(leaveNothing)
  if (found !== 'decode') return { info, rewritten: found === 'stripped' }
  return { info: await decode(source, info, size, options).catch(leaveNothing), rewritten: true }
}

/** The picture up to its end: what follows may be an archive, or a second picture with its own place and time. */
function wholePicture(bytes: Buffer, format: ImageFormat, { limits, param }: NormaliseOptions): Buffer {
  const end = findImageEnd(bytes, format)
  if (end === null) throw endsTooEarly(format, param)
  const maxFrames = limits?.maxFrames ?? defaultImageLimits.maxFrames
  const frames = format === 'png' ? framesOfPng(bytes) : 1
  if (frames > maxFrames) throw isAnimated(frames, maxFrames, param)
  return bytes.subarray(0, end)
}

/**
 * An animated PNG names its frames in an `acTL` chunk before the first `IDAT` (W3C PNG, third edition, 11.3.6.1);
 * libvips sees the first frame only.
 */
function framesOfPng(bytes: Buffer): number {
  let at = 8
  while (at + 12 <= bytes.length) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (type === 'acTL') return bytes.readUInt32BE(at + 8)
    if (type === 'IDAT') return 1
    at += 12 + bytes.readUInt32BE(at)
  }
  return 1
}

/** Writes the picture without its metadata, every pixel as it was, where that can be done. */
async function writeStripped(
  whole: Buffer,
  sizeBytes: number,
  header: Metadata,
  targetPath: string,
): Promise<'clean' | 'stripped' | 'decode'> {
  const pieces = stripMetadata(whole)
  // What libvips sees and the walk does not is not to be trusted as clean.
  if (!pieces && hasMetadata(header)) return 'decode'
  if (!pieces && whole.length === sizeBytes) return 'clean'
  await writeFile(targetPath, pieces ?? [whole], { mode: 0o600, flag: 'wx' })
  return 'stripped'
}

function hasMetadata({ exif, xmp, iptc, comments }: Metadata): boolean {
  return [exif, xmp, iptc, comments].some((part) => part !== undefined)
}

function isUpright({ orientation }: Metadata): boolean {
  return orientation === undefined || orientation <= 1
}

function sizeFor({ width, height }: ImageInfo, { fit, maxEdge }: NormaliseOptions): PixelJob['size'] {
  if (fit) return fit.width === width && fit.height === height ? undefined : { ...fit, fit: 'stretch' }
  if (maxEdge === undefined || Math.max(width, height) <= maxEdge) return undefined
  return { width: maxEdge, height: maxEdge, fit: 'inside' }
}

async function decode(
  source: ImageSource,
  info: ImageInfo,
  size: PixelJob['size'],
  { mediaTypes, targetPath, limits, param, signal, maskToWhite }: NormaliseOptions,
): Promise<ImageInfo> {
  const output = outputFor(info.format, mediaTypes)
  const limitInputPixels = { ...defaultImageLimits, ...limits }.maxPixels[info.format]
  const result = await decodeInChild(
    { source, limitInputPixels, size, output, targetPath, maskToWhite },
    { format: info.format, param },
    signal,
  )
  const { width, height, hasAlpha } = result
  return { format: output.format, mediaType: `image/${output.format}`, width, height, hasAlpha, frames: 1 }
}

/** A photograph stays one, at a quality nobody sees the difference of; all else keeps every pixel. */
const jpegQuality = 95

function outputFor(format: ImageFormat, mediaTypes: readonly ImageMediaType[]): PixelJob['output'] {
  if (format === 'jpeg' && mediaTypes.includes('image/jpeg'))
    return { format: 'jpeg', quality: jpegQuality, hasty: true }
  // PNG first: it is written as it is read, WebP without loss holds the whole picture several times over.
  if (mediaTypes.includes('image/png') || !mediaTypes.includes('image/webp'))
    return { format: 'png', hasty: true }
  return { format: 'webp', lossless: true }
}
