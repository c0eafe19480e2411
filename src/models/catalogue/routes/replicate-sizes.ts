/**
 * The sizes of models that take a ratio and draw each in one size: the open FLUX models as in the source that Replicate runs
 * (`replicate/cog-flux`), Qwen-Image as in its own documentation; both read 2026-11-20.
 */
import { cogFluxPixels } from '../../../providers/replicate/replicate-pixels.ts'
import type { ListedSize } from '../../size-rule.ts'

export const cogFluxRatios: readonly string[] = Object.keys(cogFluxPixels)

/** Of a megapixel, and of a quarter of it. */
export const cogFluxSizes: readonly ListedSize[] = [1, 2].flatMap((divisor) =>
  Object.values(cogFluxPixels).map(({ width, height }) => ({
    width: width / divisor,
    height: height / divisor,
  })),
)

/** Its ratios beside those of the sizes are 3:2 and 2:3. */
export const qwenRatios: readonly string[] = ['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3']

export const qwenSizes: readonly ListedSize[] = [
  { width: 1664, height: 928 },
  { width: 1472, height: 1104 },
  { width: 1328, height: 1328 },
  { width: 1104, height: 1472 },
  { width: 928, height: 1664 },
]
