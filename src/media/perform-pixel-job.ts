/**
 * Decodes one picture and writes it anew: the one thing that the pixel worker's child process does.
 *
 * What comes out is upright, in sRGB, and carries nothing of what came in but its pixels. It must run in the child
 * only: decoding a stranger's picture may take any amount of memory or bring the process down.
 */
import sharp, { type Sharp } from 'sharp'
import { drawSvg } from './draw-svg.ts'
import { watermark } from './watermark.ts'

/** How a picture is written. */
export interface PixelOutput {
  format: 'png' | 'jpeg' | 'webp' | 'avif'
  /** 0–100, higher is better; ignored by png. Absent means sharp's default: 80, for avif 50. */
  quality?: number
  /** WebP only: every pixel as it was. */
  lossless?: boolean
  /**
   * In half the memory and time, for a tenth more bytes: for pictures that may be very large, are sent out once and
   * are not kept.
   */
  hasty?: boolean
}

/** One picture in, one out. */
export interface PixelJob {
  source: Uint8Array | { readonly path: string }
  /** The source is an SVG of our own with pictures in it; it is drawn in `size`, and as PNG. */
  isDrawing?: boolean
  /** More pixels than this are refused before they are decoded. */
  limitInputPixels: number
  /**
   * The size in pixels. `cover` crops around the centre, `stretch` keeps every pixel's place, both give exactly this
   * size; `inside` keeps the aspect ratio and never enlarges.
   */
  size?: { width: number; height: number; fit: 'cover' | 'stretch' | 'inside' }
  /** What is transparent becomes white and what is opaque black: how some providers want a mask. */
  maskToWhite?: boolean
  /** Lays the visible label over the lower right corner. */
  watermark?: boolean
  output: PixelOutput
  /** Where the picture is written; absent means that its bytes are answered. */
  targetPath?: string
}

/** What came of a job. */
export interface PixelResult {
  /** Absent where the job named a path. */
  bytes?: Buffer
  width: number
  height: number
  hasAlpha: boolean
}

/** Does the job. The same job gives the same bytes. Throws sharp's errors. */
export async function performPixelJob(job: PixelJob): Promise<PixelResult> {
  if (job.isDrawing && job.size && !('path' in job.source)) {
    const bytes = await drawSvg(job.source, job.size)
    return { bytes, width: job.size.width, height: job.size.height, hasAlpha: true }
  }
  const source = 'path' in job.source ? job.source.path : job.source
  const picture = sharp(source, { limitInputPixels: job.limitInputPixels, sequentialRead: true }).autoOrient()
  resize(picture, job.size)
  if (job.watermark) {
    const { autoOrient, hasAlpha } = await picture.metadata()
    const { svg, left, top } = watermark(job.size ?? autoOrient)
    picture.composite([{ input: Buffer.from(svg), left, top }])
    // Laying one picture over another makes both transparent, and AVIF a fifth larger in memory.
    if (!hasAlpha) picture.removeAlpha()
  }
  if (job.maskToWhite) picture.negate({ alpha: true }).extractChannel('alpha').toColourspace('b-w')
  writeAs(picture, job.output)
  if (job.targetPath !== undefined) return sizeOf(await picture.toFile(job.targetPath))
  const { data, info } = await picture.toBuffer({ resolveWithObject: true })
  return { bytes: data, ...sizeOf(info) }
}

function resize(picture: Sharp, size: PixelJob['size']): void {
  if (!size) return
  const { width, height } = size
  if (size.fit === 'inside') picture.resize({ width, height, fit: 'inside', withoutEnlargement: true })
  else if (size.fit === 'cover') picture.resize({ width, height, fit: 'cover' })
  // The nearest pixel, because what is stretched is a mask: a soft edge would be half inside and half outside.
  else picture.resize({ width, height, fit: 'fill', kernel: 'nearest' })
}

function sizeOf(info: { width: number; height: number; channels: number }) {
  const { width, height, channels } = info
  return { width, height, hasAlpha: channels === 2 || channels === 4 }
}

/** Above this, jpeg keeps full colour resolution: whoever asks for it wants sharp red text, not small files. */
const FULL_CHROMA_QUALITY = 90

function writeAs(picture: Sharp, { format, quality, lossless, hasty = false }: PixelOutput): Sharp {
  // sharp counts from 1.
  const atLeastOne = quality === undefined ? undefined : Math.max(1, Math.round(quality))
  switch (format) {
    case 'png':
      // On photographs adaptive filtering saves two fifths of the bytes for a fifth more time, and level 3
      // takes a third of the time of level 6 for six per cent more bytes.
      return picture.png({ compressionLevel: hasty ? 1 : 3, adaptiveFiltering: !hasty })
    case 'jpeg':
      return picture.flatten({ background: '#ffffff' }).jpeg({
        quality: atLeastOne,
        chromaSubsampling: (atLeastOne ?? 0) >= FULL_CHROMA_QUALITY ? '4:4:4' : '4:2:0',
        // The best tables are known only once all coefficients are, which are six bytes for each pixel.
        optimiseCoding: !hasty,
      })
    case 'webp':
      // Any more effort takes minutes for a large photograph; "exact" keeps colours under transparent pixels.
      return lossless
        ? picture.webp({ lossless: true, exact: true, effort: 0 })
        : picture.webp({ quality: atLeastOne })
    case 'avif':
      // The default effort 4 takes 2.3 s for a megapixel, effort 1 less than 0.1 s and three per cent more bytes.
      return picture.avif({ quality: atLeastOne, effort: 1 })
  }
}
