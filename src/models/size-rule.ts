/** Which pixel sizes a model draws: a short list, or any size within bounds. */
import { sizeForm } from '../lib/field-values.ts'
import type { Size } from './fields.ts'

/** A size of a list, and the size it is drawn in where the model cannot draw it itself: Gesso then scales it down. */
export interface ListedSize extends Size {
  drawnAs?: Size
}

export type SizeRule =
  | { kind: 'list'; sizes: readonly ListedSize[] }
  | {
      kind: 'range'
      minEdge: number
      maxEdge: number
      multipleOf?: number
      minPixels?: number
      maxPixels?: number
      /** The longer edge over the shorter. */
      maxRatio?: number
    }

export type SizeRange = Extract<SizeRule, { kind: 'range' }>

/** Can the rule draw this size exactly? */
export function sizeFits(rule: SizeRule, size: Size): boolean {
  if (rule.kind === 'list') return rule.sizes.some((one) => sameSize(one, size))
  const long = Math.max(size.width, size.height)
  const short = Math.min(size.width, size.height)
  const pixels = long * short
  return (
    short >= rule.minEdge &&
    long <= rule.maxEdge &&
    long % (rule.multipleOf ?? 1) === 0 &&
    short % (rule.multipleOf ?? 1) === 0 &&
    pixels >= (rule.minPixels ?? 0) &&
    pixels <= (rule.maxPixels ?? Number.POSITIVE_INFINITY) &&
    long <= short * (rule.maxRatio ?? Number.POSITIVE_INFINITY)
  )
}

/** The rule in words, to follow "allowed:". */
export function describeSizes(rule: SizeRule): string {
  if (rule.kind === 'list') return `auto, ${rule.sizes.map(sizeText).join(', ')}`
  const parts = [`each edge from ${rule.minEdge} to ${rule.maxEdge} pixels`]
  if (rule.multipleOf) parts.push(`a multiple of ${rule.multipleOf}`)
  if (rule.maxRatio) parts.push(`a ratio of at most ${rule.maxRatio}:1`)
  if (rule.minPixels) parts.push(`at least ${rule.minPixels} pixels in all`)
  if (rule.maxPixels) parts.push(`at most ${rule.maxPixels} pixels in all`)
  return `auto, or WxH with ${parts.join(', ')}`
}

/** `1024x1024`. */
export function sizeText(size: Size): string {
  return `${size.width}x${size.height}`
}

/** The size that a text of the form `WxH` names; undefined where it names none. */
export function readSizeText(text: string): Size | undefined {
  const [, width, height] = sizeForm.exec(text) ?? []
  return width && height ? { width: Number(width), height: Number(height) } : undefined
}

/** Do both name the same pixels? */
export function sameSize(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height
}
