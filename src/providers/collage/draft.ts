/**
 * Drafts: what a picture looks like on its way, for whoever watches it being drawn.
 *
 * A draft is composed like the picture itself, from the same seed, so everything in it already has its final place.
 * It is thinly painted and it is not finished: no shadows, no light on the subjects, no weather and no grass before
 * them, no colour grade, no hatching, no dark or torn edges.
 */
import { type ColourMap, mix, remembering } from './colours.ts'

/** How far a draft has got. Shares are 0–1. */
export interface Draft {
  /** Share of the subjects that are painted, furthest first; the nearer ones are shapes of one colour. */
  painted: number
  /** Share of what an edit lays over the caller's picture; at 0 the picture is as it came. */
  laid: number
  /** Share of white paper in every colour. */
  paper: number
}

/** The place; then its subjects, the nearer half as mere shapes; then all of them. */
const FIRST: Draft = { painted: 0, laid: 0, paper: 0.4 }
const SECOND: Draft = { painted: 0.5, laid: 1 / 3, paper: 0.24 }
const THIRD: Draft = { painted: 1, laid: 2 / 3, paper: 0.1 }

/** The drafts of a picture of which `count` are wished for, spread evenly over the work; three at most. */
export function draftsFor(count: number): readonly Draft[] {
  if (count < 1) return []
  if (count === 1) return [SECOND]
  return count === 2 ? [FIRST, THIRD] : [FIRST, SECOND, THIRD]
}

/** Thin paint: every colour with the draft's share of paper in it. */
export const thinned = ({ paper }: Draft): ColourMap => remembering((hex) => mix(hex, '#ffffff', paper))
