/** How large a picture becomes. */
import type { ProviderRequest } from '../provider.ts'

const DEFAULT_SIZE = { width: 1024, height: 1024 }
const SHORTEST_EDGE = 64
const LONGEST_EDGE = 4096

/**
 * The size that was asked for; else that of the first input picture, scaled so that its edges are 64 to 4096 pixels;
 * else 1024 x 1024. Only a picture more than 64 times as long as wide loses its ratio.
 */
export function sizeOf({ size, images }: Pick<ProviderRequest, 'size' | 'images'>): {
  width: number
  height: number
} {
  if (size) return size
  const [first] = images ?? []
  if (!first) return DEFAULT_SIZE
  const { width, height } = first
  const scale = Math.max(
    Math.min(1, LONGEST_EDGE / Math.max(width, height)),
    SHORTEST_EDGE / Math.min(width, height),
  )
  const edge = (length: number) => Math.max(SHORTEST_EDGE, Math.min(LONGEST_EDGE, Math.round(length * scale)))
  return { width: edge(width), height: edge(height) }
}
