/** Aspect ratios and resolution classes: how the three ways to ask for a size are compared with each other. */
import type { ImageSize, Size } from './fields.ts'
import { type SizeRange, sizeFits } from './size-rule.ts'

/** Two ratios nearer than this are the same to the eye: 1792x1024 is called 16:9. */
export const ratioTolerance = 0.02

/** Width over height of `W:H`. */
export function ratioValue(aspectRatio: string): number {
  const [width = 1, height = 1] = aspectRatio.split(':').map(Number)
  return width / height
}

/** How far the size is from the ratio, as a share of it. */
export function ratioError(size: Size, ratio: number): number {
  return Math.abs(size.width / size.height / ratio - 1)
}

/** `16:9` of 1920x1080. */
export function ratioText(size: Size): string {
  const divisor = greatestCommonDivisor(size.width, size.height)
  return `${size.width / divisor}:${size.height / divisor}`
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

export type ResolutionClass = Extract<ImageSize, '512' | '1K' | '2K' | '4K'>

/** Pixels of a square of the class. */
const classPixels: Record<ResolutionClass, number> = {
  '512': 512 ** 2,
  '1K': 1024 ** 2,
  '2K': 2048 ** 2,
  '4K': 4096 ** 2,
}

/** Where the next class begins: 3840x2160 counts as 4K, 2560x1440 as 2K. */
const classCeilings: readonly [ResolutionClass, number][] = [
  ['512', 600_000],
  ['1K', 2_200_000],
  ['2K', 6_000_000],
  ['4K', Number.POSITIVE_INFINITY],
]

/** Which class a size belongs to. */
export function classOf(size: Size): ResolutionClass {
  const pixels = size.width * size.height
  return classCeilings.find(([, ceiling]) => pixels < ceiling)?.[0] ?? '4K'
}

/** The class of this name; what is only a wish for a good or a quick picture is none. */
export function classNamed(word: unknown): ResolutionClass | undefined {
  return classCeilings.find(([name]) => name === word)?.[0]
}

/** The most pixels that a size of the class has. */
export function mostPixelsOf(wanted: ResolutionClass): number {
  const [, ceiling = 0] = classCeilings.find(([name]) => name === wanted) ?? []
  return ceiling - 1
}

/** The class that a word asks for: quick is small, good is what models do by themselves. */
export function classFor(imageSize: ImageSize): ResolutionClass {
  if (imageSize === 'optimize_for_speed') return '512'
  return imageSize === 'optimize_for_quality' ? '1K' : imageSize
}

/** Pixels to aim at; models draw about a megapixel where nobody says otherwise. */
export function targetPixels(imageSize: ImageSize | undefined): number {
  return classPixels[imageSize ? classFor(imageSize) : '1K']
}

/**
 * The size within the range that comes nearest to ratio and pixels; an exact ratio is worth some pixels. Undefined
 * only where the range allows no size at all.
 */
export function sizeNear(rule: SizeRange, ratio: number, pixels: number): Size | undefined {
  const step = rule.multipleOf ?? 1
  const first = Math.ceil(rule.minEdge / step) * step
  let best: { size: Size; distance: number } | undefined
  for (let height = first; height <= rule.maxEdge; height += step) {
    for (const width of widthsFor(rule, height, ratio, step)) {
      const size = { width, height }
      if (!sizeFits(rule, size)) continue
      const distance = 100 * ratioError(size, ratio) + Math.abs(Math.log((width * height) / pixels))
      if (!best || distance < best.distance) best = { size, distance }
    }
  }
  return best?.size
}

/** The width of the ratio, and the outermost ones that the range allows beside this height. */
function widthsFor(rule: SizeRange, height: number, ratio: number, step: number): number[] {
  const maxRatio = rule.maxRatio ?? Number.POSITIVE_INFINITY
  const narrowest = Math.max(rule.minEdge, height / maxRatio)
  const widest = Math.min(rule.maxEdge, height * maxRatio)
  const wish = Math.min(widest, Math.max(narrowest, height * ratio))
  return [Math.floor(wish / step) * step, Math.ceil(wish / step) * step]
}
