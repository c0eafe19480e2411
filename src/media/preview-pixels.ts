/**
 * A picture small enough to be shown in a terminal, as plain pixels or as a PNG, never larger than it is.
 * For showing only: what comes out of here is never stored or sent to anybody. It decodes in its own process, so it
 * is for the command line, which has one picture at hand and nobody else's work to lose; the server must not use it.
 */
import sharp, { type Sharp } from 'sharp'
import { runPixelJob } from './image-work.ts'

/** A box in pixels that the preview fits into. */
export interface PreviewBox {
  width: number
  height: number
}

export interface PreviewPixels {
  width: number
  height: number
  /** Four bytes a pixel: red, green, blue, opacity. */
  rgba: Buffer
}

/** The picture's pixels, scaled down to fit the box. */
export async function previewPixels(bytes: Buffer, box: PreviewBox): Promise<PreviewPixels> {
  const { data, info } = await runPixelJob(() =>
    small(bytes, box).raw().toBuffer({ resolveWithObject: true }),
  )
  return { width: info.width, height: info.height, rgba: data }
}

/** The picture as a PNG file, scaled down to fit the box. */
export async function previewPng(bytes: Buffer, box: PreviewBox): Promise<Buffer> {
  return runPixelJob(() => small(bytes, box).png({ compressionLevel: 3 }).toBuffer())
}

function small(bytes: Buffer, box: PreviewBox): Sharp {
  return sharp(bytes)
    .autoOrient()
    .resize(box.width, box.height, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .ensureAlpha()
}
