/** Terminals count in cells; pictures in pixels. Nobody tells the size of a cell without being asked. */
import type { PreviewInput } from './preview-input.ts'

/** A usual cell. Where the real one is smaller, a picture in pixels takes more rows; so it is assumed small. */
export const cellPixels = { width: 8, height: 16 }

/** The box in pixels that a preview may fill. */
export function pixelBox(input: PreviewInput): { width: number; height: number } {
  return { width: input.columns * cellPixels.width, height: input.rows * cellPixels.height }
}
