/** What Gemini draws for each ratio: the pixels of the Gemini API guide "Image generation", read 2026-11-20. */

/** Width and height by ratio. */
export type Pixels = Readonly<Record<string, readonly [number, number]>>

/** At 1K. The other classes are this times a half, two and four. */
export const ofGemini3: Pixels = {
  '1:1': [1024, 1024],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
}

export const ofFlash: Pixels = {
  ...ofGemini3,
  '1:4': [512, 2048],
  '4:1': [2048, 512],
  '1:8': [384, 3072],
  '8:1': [3072, 384],
}

export const ofGemini25: Pixels = {
  '1:1': [1024, 1024],
  '2:3': [832, 1248],
  '3:2': [1248, 832],
  '3:4': [864, 1184],
  '4:3': [1184, 864],
  '4:5': [896, 1152],
  '5:4': [1152, 896],
  '9:16': [768, 1344],
  '16:9': [1344, 768],
  '21:9': [1536, 672],
}

/** How much longer the edges are than at 1K. */
export const factors = { '512': 0.5, '1K': 1, '2K': 2, '4K': 4 } as const
export type ResolutionClass = keyof typeof factors
