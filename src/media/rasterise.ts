/**
 * Draws an SVG that Gesso made itself into a PNG: here where it holds nothing but our own shapes, in the pixel worker
 * where a caller's picture is embedded in it, because to draw that is to decode it.
 */
import { drawSvg } from './draw-svg.ts'
import { runPixelJob } from './image-work.ts'
import { decodeInChild } from './pixel-worker.ts'

/**
 * PNG bytes of exactly this size in pixels, transparency kept, the same bytes for the same SVG.
 * The drawing is scaled as vectors before it becomes pixels, so a small `viewBox` stays sharp; a different
 * aspect ratio is stretched. Throws `unsupported_image` where an embedded picture is too much.
 */
export async function rasterise(svg: string, size: { width: number; height: number }): Promise<Buffer> {
  const source = Buffer.from(svg)
  if (!svg.includes('data:image/')) return runPixelJob(() => drawSvg(source, size))
  const { bytes } = await decodeInChild(
    {
      source,
      isDrawing: true,
      size: { ...size, fit: 'stretch' },
      limitInputPixels: 0,
      output: { format: 'png' },
    },
    { format: 'svg', param: 'image' },
  )
  if (!bytes) throw new Error('a drawing came back without bytes')
  return bytes
}
