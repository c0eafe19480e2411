/** The sizes that GPT Image draws. */
import type { SizeRule } from '../../size-rule.ts'

export const threeSizes: SizeRule = {
  kind: 'list',
  sizes: [
    { width: 1024, height: 1024 },
    { width: 1536, height: 1024 },
    { width: 1024, height: 1536 },
  ],
}

/** Both edges multiples of 16, at most 3:1, 655,360 to 8,294,400 pixels. */
export const anySize: SizeRule = {
  kind: 'range',
  minEdge: 16,
  maxEdge: 3840,
  multipleOf: 16,
  minPixels: 655_360,
  maxPixels: 8_294_400,
  maxRatio: 3,
}
