/**
 * Turns what a caller asked of the size (pixels, a ratio, a resolution class, or several of them) into what the model
 * draws. Exact where the model can; else it says what is allowed, and what the nearest would be for callers who
 * have agreed to that.
 */
import type { FieldName, ImageFields, ImageSize, Size } from './fields.ts'
import type { ServedModel } from './model.ts'
import {
  classFor,
  classOf,
  ratioError,
  ratioText,
  ratioTolerance,
  ratioValue,
  sizeNear,
  targetPixels,
} from './ratio.ts'
import {
  describeSizes,
  type ListedSize,
  readSizeText,
  type SizeRule,
  sameSize,
  sizeFits,
  sizeText,
} from './size-rule.ts'

/** What goes to the provider, and what the picture must measure in the end. */
export interface SolvedSize {
  size?: Size
  aspectRatio?: string
  imageSize?: ImageSize
  /** Exactly this size is delivered, whatever the provider drew. */
  exact?: Size
}

export interface SizeProblem {
  field: FieldName
  /** A sentence that ends with what is allowed. */
  message: string
  /** What could be drawn instead; absent where nothing comes near. */
  nearest?: SolvedSize
}

/** Larger pictures are not made by scaling, nor longer ones: no WebP has more in one direction. */
const maxScaledPixels = 50_000_000
const maxScaledEdge = 16_383

export type SizeAsk = Pick<ImageFields, 'size' | 'aspectRatio' | 'imageSize'>

/** Solves the ask against the model's table. A problem without a `nearest` is solved by leaving its field away. */
export function solveSize(model: ServedModel, ask: SizeAsk): SolvedSize | SizeProblem {
  const imageSize = passedHint(model, ask.imageSize)
  if (!imageSize) return solveAsk(model, ask)
  const solved = solveAsk(model, { ...ask, imageSize: undefined })
  // Which size answers such a wish is for the model to say, unless the caller has said it.
  const wished = (one: SolvedSize) => ({ ...one, imageSize, exact: ask.size && one.exact })
  if (!isSizeProblem(solved)) return wished(solved)
  return { ...solved, nearest: solved.nearest && wished(solved.nearest) }
}

/** The wish for a good or a quick picture, where the model has these words: it stands beside any size. */
export function passedHint(model: ServedModel, imageSize: ImageSize | undefined): ImageSize | undefined {
  const { support } = model.fields.imageSize
  const isPassed = support === 'native' || support === 'renamed'
  return isPassed && imageSize?.startsWith('optimize_') ? imageSize : undefined
}

function solveAsk(model: ServedModel, ask: SizeAsk): SolvedSize | SizeProblem {
  const { size, aspectRatio, imageSize } = ask
  if (size) return solvePixels(model, size)
  const classField = model.fields.imageSize
  if (imageSize && classField.support === 'unsupported') return classProblem(model, imageSize)
  if (imageSize && classField.values && !classField.values.includes(imageSize))
    return classProblem(model, imageSize)
  if (aspectRatio) return solveRatio(model, aspectRatio, imageSize)
  if (imageSize) return solveClass(model, imageSize)
  const usual = readSizeText(model.fields.size.fill ?? '')
  return usual ? solvePixels(model, usual) : {}
}

export function isSizeProblem(solved: SolvedSize | SizeProblem): solved is SizeProblem {
  return 'message' in solved
}

function solvePixels(model: ServedModel, size: Size): SolvedSize | SizeProblem {
  const { sizes } = model.fields.size
  if (sizes && sizeFits(sizes, size)) return drawn(sizes, size)
  const nearest = isWithinScaling(size) ? nearestTo(model, size) : undefined
  return {
    field: 'size',
    message: `size ${sizeText(size)} is not possible with ${model.id}; allowed: ${allowedSizes(model)}.`,
    nearest: nearest && { ...nearest, exact: size },
  }
}

function isWithinScaling({ width, height }: Size): boolean {
  return width * height <= maxScaledPixels && Math.max(width, height) <= maxScaledEdge
}

/** The listed size itself, or the one it is scaled down from. */
function drawn(sizes: SizeRule, size: Size): SolvedSize {
  const listed = sizes.kind === 'list' ? sizes.sizes.find((one) => sameSize(one, size)) : undefined
  return {
    size: listed?.drawnAs ?? { width: size.width, height: size.height },
    exact: { width: size.width, height: size.height },
  }
}

function nearestTo(model: ServedModel, size: Size): SolvedSize | undefined {
  const { sizes } = model.fields.size
  const ratio = size.width / size.height
  const pixels = size.width * size.height
  if (!sizes) {
    const aspectRatio = nearestRatio(model, ratio)
    return aspectRatio === undefined ? undefined : { aspectRatio }
  }
  const found =
    sizes.kind === 'range' ? sizeNear(sizes, ratio, pixels) : nearestListed(sizes.sizes, ratio, pixels)
  return found && drawn(sizes, found)
}

function nearestListed(sizes: readonly ListedSize[], ratio: number, pixels: number): Size | undefined {
  const distance = (size: Size) =>
    100 * ratioError(size, ratio) + Math.abs(Math.log((size.width * size.height) / pixels))
  return sizes.toSorted((a, b) => distance(a) - distance(b))[0]
}

function nearestRatio(model: ServedModel, ratio: number): string | undefined {
  const values = model.fields.aspectRatio.values ?? []
  return values.toSorted((a, b) => Math.abs(ratioValue(a) - ratio) - Math.abs(ratioValue(b) - ratio))[0]
}

function solveRatio(
  model: ServedModel,
  aspectRatio: string,
  imageSize: ImageSize | undefined,
): SolvedSize | SizeProblem {
  const rule = model.fields.aspectRatio
  const ratio = ratioValue(aspectRatio)
  if (rule.support === 'native' || rule.support === 'renamed') {
    const known = (rule.values ?? [aspectRatio]).find(
      (value) => Math.abs(ratioValue(value) / ratio - 1) < 1e-6,
    )
    if (known) return { aspectRatio: known, imageSize }
    const near = nearestRatio(model, ratio)
    return {
      ...ratioProblem(model, aspectRatio),
      nearest: near === undefined ? undefined : { aspectRatio: near, imageSize },
    }
  }
  const { sizes } = model.fields.size
  if (rule.support === 'unsupported' || !sizes) return ratioProblem(model, aspectRatio)
  const candidates = ofClass(sizes, imageSize)
  const pixels = targetPixels(imageSize)
  const size =
    candidates.kind === 'range'
      ? sizeNear(candidates, ratio, pixels)
      : nearestListed(candidates.sizes, ratio, pixels)
  if (!size) return imageSize ? classProblem(model, imageSize) : ratioProblem(model, aspectRatio)
  const fitsClass = !imageSize || classOf(size) === classFor(imageSize)
  const solved = drawn(sizes, size)
  if (ratioError(size, ratio) <= ratioTolerance && fitsClass) return solved
  if (!fitsClass && imageSize) return { ...classProblem(model, imageSize), nearest: solved }
  return { ...ratioProblem(model, aspectRatio), nearest: { ...solved, exact: croppedTo(size, ratio) } }
}

/** The largest part of the size that has the ratio. */
function croppedTo(size: Size, ratio: number): Size {
  const width = Math.min(size.width, Math.round(size.height * ratio))
  return { width: Math.max(1, width), height: Math.max(1, Math.min(size.height, Math.round(width / ratio))) }
}

function ofClass(sizes: SizeRule, imageSize: ImageSize | undefined): SizeRule {
  if (sizes.kind === 'range' || !imageSize) return sizes
  return { kind: 'list', sizes: sizes.sizes.filter((size) => classOf(size) === classFor(imageSize)) }
}

function solveClass(model: ServedModel, imageSize: ImageSize): SolvedSize | SizeProblem {
  const rule = model.fields.imageSize
  if (rule.support === 'native' || rule.support === 'renamed') return { imageSize }
  const { sizes } = model.fields.size
  if (!sizes) return classProblem(model, imageSize)
  const candidates = ofClass(sizes, imageSize)
  const pixels = targetPixels(imageSize)
  const size =
    candidates.kind === 'range' ? sizeNear(candidates, 1, pixels) : nearestListed(candidates.sizes, 1, pixels)
  if (size && classOf(size) === classFor(imageSize)) return drawn(sizes, size)
  const nearest = sizes.kind === 'range' ? size : nearestListed(sizes.sizes, 1, pixels)
  return { ...classProblem(model, imageSize), nearest: nearest && drawn(sizes, nearest) }
}

function classProblem(model: ServedModel, imageSize: ImageSize): SizeProblem {
  const { support, values } = model.fields.imageSize
  const isWord = support === 'unsupported' || (values !== undefined && !values.includes(imageSize))
  const allowed = isWord && support !== 'unsupported' ? values?.join(', ') : allowedSizes(model)
  return {
    field: 'imageSize',
    message: `image_size ${imageSize} is not possible with ${model.id}; allowed: ${allowed}.`,
  }
}

function ratioProblem(model: ServedModel, aspectRatio: string): SizeProblem {
  return {
    field: 'aspectRatio',
    message: `aspect_ratio ${aspectRatio} is not possible with ${model.id}; allowed: ${allowedRatios(model)}.`,
  }
}

function allowedSizes(model: ServedModel): string {
  const { sizes } = model.fields.size
  if (sizes) return describeSizes(sizes)
  const { values } = model.fields.aspectRatio
  return values ? `auto, or an aspect_ratio of ${values.join(', ')}` : 'auto'
}

function allowedRatios(model: ServedModel): string {
  const { values } = model.fields.aspectRatio
  if (values) return values.join(', ')
  const { sizes } = model.fields.size
  if (!sizes) return 'none'
  if (sizes.kind === 'list')
    return sizes.sizes.map((size) => `${ratioText(size)} (${sizeText(size)})`).join(', ')
  return `up to ${sizes.maxRatio ?? Math.floor(sizes.maxEdge / sizes.minEdge)}:1, either way`
}
