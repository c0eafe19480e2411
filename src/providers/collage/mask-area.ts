/**
 * Where a mask lets the picture change, so that what is asked for is drawn there and not beside it.
 *
 * Masks come in every PNG flavour and size; the rasteriser turns any of them into 48 × 48 plain RGBA pixels,
 * which is the only kind of PNG this file can read.
 */
import { inflateSync } from 'node:zlib'
import type { ProviderDependencies } from '../provider.ts'
import { coverImage } from './edit.ts'
import type { Picture } from './read-pictures.ts'

/** A part of the picture, as shares of its width and height. */
export interface Area {
  left: number
  top: number
  right: number
  bottom: number
}

const SIDE = 48
const BYTES_PER_PIXEL = 4

/**
 * The box around the mask's transparent pixels, where the mask lies over a picture of `size` as its own picture does;
 * undefined where it has none or cannot be read.
 */
export async function changeableArea(
  mask: Picture,
  size: { width: number; height: number },
  rasterise: ProviderDependencies['rasterise'],
): Promise<Area | undefined> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}" viewBox="0 0 ${size.width} ${size.height}" preserveAspectRatio="none">${coverImage(mask, size)}</svg>`
  const alpha = alphaOf(await rasterise(svg, { width: SIDE, height: SIDE }))
  if (!alpha) return undefined
  const columns = new Set<number>()
  const lines = new Set<number>()
  for (const [at, value] of alpha.entries()) {
    if (value >= 128) continue
    columns.add(at % SIDE)
    lines.add(Math.floor(at / SIDE))
  }
  if (columns.size === 0) return undefined
  return {
    left: Math.min(...columns) / SIDE,
    top: Math.min(...lines) / SIDE,
    right: (Math.max(...columns) + 1) / SIDE,
    bottom: (Math.max(...lines) + 1) / SIDE,
  }
}

/** The alpha channel of an 8-bit RGBA PNG without interlacing (W3C PNG, sections 5, 9 and 11). */
function alphaOf(png: Buffer): number[] | undefined {
  const header = png.subarray(16, 29)
  const plain = header[8] === 8 && header[9] === 6 && header[12] === 0
  if (!plain || header.readUInt32BE(0) !== SIDE || header.readUInt32BE(4) !== SIDE) return undefined
  const parts: Buffer[] = []
  for (let at = 8; at + 12 <= png.length; ) {
    const length = png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length))
    at += length + 12
  }
  return unfilter(inflateSync(Buffer.concat(parts)))
}

function unfilter(data: Buffer): number[] {
  const stride = SIDE * BYTES_PER_PIXEL
  const pixels = Buffer.alloc(stride * SIDE)
  const alpha: number[] = []
  for (let line = 0; line < SIDE; line++) {
    const filter = data[line * (stride + 1)]
    for (let at = 0; at < stride; at++) {
      const here = line * stride + at
      const left = at >= BYTES_PER_PIXEL ? (pixels[here - BYTES_PER_PIXEL] as number) : 0
      const up = line > 0 ? (pixels[here - stride] as number) : 0
      const corner =
        line > 0 && at >= BYTES_PER_PIXEL ? (pixels[here - stride - BYTES_PER_PIXEL] as number) : 0
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0
      pixels[here] = ((data[line * (stride + 1) + 1 + at] as number) + guess) & 255
      if (at % BYTES_PER_PIXEL === 3) alpha.push(pixels[here] as number)
    }
  }
  return alpha
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner
  const distances = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)] as const
  if (distances[0] <= distances[1] && distances[0] <= distances[2]) return left
  return distances[1] <= distances[2] ? up : corner
}
