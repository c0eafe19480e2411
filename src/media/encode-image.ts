/**
 * Writes a picture anew in the format and size that were asked for, with the visible label where that was asked for.
 *
 * What comes out is upright, in sRGB, and carries nothing of what came in but its pixels: no EXIF, no place,
 * no thumbnail, no trailing bytes. The pixels are decoded in a child process, never here.
 */
import { ALLOWED_FORMATS, describeNature, sniffFormat } from './image-format.ts'
import { defaultImageLimits, unsupportedImage } from './inspect-image.ts'
import { decodeInChild } from './pixel-worker.ts'

export interface EncodeOptions {
  format: 'png' | 'jpeg' | 'webp' | 'avif'
  /** 0–100, higher is better; ignored by png. Absent means sharp's default: 80, for avif 50. */
  quality?: number
  /** Exactly this size in pixels. Another aspect ratio is cropped around the centre. */
  size?: { width: number; height: number }
  /** Lays the label "AI generated" over the lower right corner. */
  watermark?: boolean
  /** Ends the work, also where it is under way, which then rejects with the signal's reason. */
  signal?: AbortSignal
}

/**
 * The picture in another form; the same bytes for the same input. A transparent picture becomes a jpeg on
 * white. Throws `unsupported_image` (client) for what is no picture, is damaged, or is over the default limits
 * of `inspect-image.ts`, which it checks again so that no caller can decode a bomb by forgetting to inspect, and for
 * what needs more memory or time than one picture may have.
 */
export async function encodeImage(bytes: Buffer, options: EncodeOptions): Promise<Buffer> {
  const { format, quality, size, watermark, signal } = options
  const source = sniffFormat(bytes)
  if (!source) throw unsupportedImage(`is ${describeNature(bytes)}. Allowed are ${ALLOWED_FORMATS}.`)
  const { bytes: encoded } = await decodeInChild(
    {
      source: bytes,
      limitInputPixels: defaultImageLimits.maxPixels[source],
      size: size && { ...size, fit: 'cover' },
      watermark,
      output: { format, quality },
    },
    { format: source },
    signal,
  )
  if (!encoded) throw new Error('a job without a path answers bytes')
  return encoded
}
