/** Pixel art: the same picture drawn very small, then enlarged with hard edges. */
import type { ProviderDependencies } from '../provider.ts'
import type { Artwork } from './artwork.ts'
import { compose } from './compose.ts'
import type { Order } from './order.ts'

/** How many pixels the short edge has. */
const SHORT_EDGE = 112

/** Draws the order as pixel art of exactly its size. */
export async function pixelate(
  order: Order,
  artwork: Artwork,
  rasterise: ProviderDependencies['rasterise'],
): Promise<Buffer> {
  const { width, height } = order.size
  const share = Math.min(1, SHORT_EDGE / Math.min(width, height))
  const small = {
    width: Math.max(1, Math.round(width * share)),
    height: Math.max(1, Math.round(height * share)),
  }
  const bytes = await rasterise(compose({ ...order, size: small }, artwork), small)
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<image href="data:image/png;base64,${bytes.toString('base64')}" width="${width}" height="${height}" preserveAspectRatio="none" style="image-rendering:pixelated"/></svg>`
  return await rasterise(svg, order.size)
}
