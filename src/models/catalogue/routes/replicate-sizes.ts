/**
 * The sizes of models that take a ratio and draw each in one size: the open FLUX models as in the source that Replicate runs
 * (`replicate/cog-flux`), Qwen-Image as in its own documentation; both read 2026-11-20.
 */
import type { ListedSize } from '../../size-rule.ts'

const cogFluxLarge: Readonly<Record<string, ListedSize>> = {
  '1:1': { width: 1024, height: 1024 },
  '16:9': { width: 1344, height: 768 },
  '21:9': { width: 1536, height: 640 },
  '3:2': { width: 1216, height: 832 },
  '2:3': { width: 832, height: 1216 },
  '4:5': { width: 896, height: 1088 },
  '5:4': { width: 1088, height: 896 },
  '3:4': { width: 896, height: 1152 },
  '4:3': { width: 1152, height: 896 },
  '9:16': { width: 768, height: 1344 },
  '9:21': { width: 640, height: 1536 },
}

export const cogFluxRatios: readonly string[] = Object.keys(cogFluxLarge)

/** Of a megapixel, and of a quarter of it. */
export const cogFluxSizes: readonly ListedSize[] = [1, 2].flatMap((divisor) =>
  Object.values(cogFluxLarge).map(({ width, height }) => ({
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
