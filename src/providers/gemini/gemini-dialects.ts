/**
 * What each family of Gemini's image models can be told, as data: ratios, resolution classes and the pixels that a pair
 * of them makes (Gemini API guide "Image generation", section "Aspect ratios and image size", read 2026-11-20).
 */

import type { WireTable } from '../wire-fields.ts'
import { unsupported } from '../wire-fields.ts'
import {
  factors,
  ofFlash,
  ofGemini3,
  ofGemini25,
  type Pixels,
  type ResolutionClass,
} from './gemini-pixels.ts'

export interface Dialect {
  /** The most input pictures. */
  maxImages: number
  /** The classes that `imageSize` can name; absent where there is one only, and no field for it. */
  imageSizes?: readonly string[]
  /** Ratio and class of every size that is drawn, by `WxH`. */
  sizes: ReadonlyMap<string, SizeWords>
  ratios: readonly string[]
}

interface SizeWords {
  aspectRatio: string
  imageSize: string
}

function dialect(pixels: Pixels, imageSizes: readonly ResolutionClass[], maxImages: number): Dialect {
  const sizes = Object.entries(pixels).flatMap(([aspectRatio, [width, height]]) =>
    imageSizes.map((imageSize): [string, SizeWords] => {
      const factor = factors[imageSize]
      return [`${width * factor}x${height * factor}`, { aspectRatio, imageSize }]
    }),
  )
  // Google prints 792x168 for 21:9 at 512, which is no 21:9: nobody knows what is drawn.
  const known = new Map(
    sizes.filter(([, words]) => words.aspectRatio !== '21:9' || words.imageSize !== '512'),
  )
  return {
    maxImages,
    sizes: known,
    ratios: Object.keys(pixels),
    ...(imageSizes.length > 1 ? { imageSizes } : {}),
  }
}

const dialects: Readonly<Record<string, Dialect>> = {
  'gemini-3.1-flash': dialect(ofFlash, ['512', '1K', '2K', '4K'], 14),
  'gemini-3.1-flash-lite': dialect(ofFlash, ['1K'], 14),
  'gemini-3-pro': dialect(ofGemini3, ['1K', '2K', '4K'], 14),
  'gemini-2.5-flash': dialect(ofGemini25, ['1K'], 3),
}

export const dialectNames = Object.keys(dialects)

/** The dialect of this name; without a name, the one that the model's name suggests. */
export function findDialect(name: string | undefined, model: string): Dialect | undefined {
  return dialects[name ?? guess(model)]
}

function guess(model: string): string {
  if (model.includes('2.5')) return 'gemini-2.5-flash'
  if (model.includes('lite')) return 'gemini-3.1-flash-lite'
  return model.includes('pro') ? 'gemini-3-pro' : 'gemini-3.1-flash'
}

/** The four kinds of harm whose filter can be moved (Gemini API guide "Safety settings"). */
const harms = ['HARASSMENT', 'HATE_SPEECH', 'SEXUALLY_EXPLICIT', 'DANGEROUS_CONTENT'] as const

/** What is said beside prompt and pictures, still flat: `requestBody` puts it in its places. */
export function tableOf({ sizes, ratios, imageSizes = ['1K'] }: Dialect, title: string): WireTable {
  return {
    size({ width, height }, { aspectRatio, imageSize }) {
      const words = sizes.get(`${width}x${height}`)
      if (!words) {
        throw unsupported(
          'size',
          `${title} draws sizes of its own list, and ${width}x${height} is none of them`,
        )
      }
      if (aspectRatio !== undefined || imageSize !== undefined) {
        throw unsupported('size', `${title} takes it or aspect_ratio and image_size, not both`)
      }
      return { ...words }
    },
    aspectRatio(aspectRatio) {
      if (ratios.includes(aspectRatio)) return { aspectRatio }
      throw unsupported('aspect_ratio', `${title} knows ${ratios.join(', ')}`)
    },
    imageSize(imageSize) {
      if (imageSizes.includes(imageSize)) return { imageSize }
      throw unsupported('image_size', `${title} knows ${imageSizes.join(', ')}`)
    },
    seed(seed) {
      // It is an int32 there.
      if (seed <= 0x7fffffff) return { seed }
      throw unsupported('seed', `${title} takes 0 to ${0x7fffffff}`)
    },
    moderation(moderation, { disableSafetyChecker }) {
      if (moderation !== 'auto' && moderation !== 'low') {
        throw unsupported('moderation', `${title} knows auto and low`)
      }
      return moderation === 'low' && !disableSafetyChecker ? safetySettings('BLOCK_ONLY_HIGH') : {}
    },
    disableSafetyChecker: (isDisabled) => (isDisabled ? safetySettings('BLOCK_NONE') : {}),
  }
}

function safetySettings(threshold: string) {
  return { safetySettings: harms.map((harm) => ({ category: `HARM_CATEGORY_${harm}`, threshold })) }
}
