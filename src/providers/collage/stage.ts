/**
 * What a backdrop has to draw with, and what it answers. One object per picture; it holds no state but the
 * paints it hands out.
 */
import type { Light, Weather } from './light.ts'
import type { Paints } from './paints.ts'
import type { Random } from './random.ts'

/** The sheet: the short edge is always 1000 units, whatever the size in pixels. */
export interface Stage {
  width: number
  height: number
  light: Light
  weather: ReadonlySet<Weather>
  paints: Paints
  /** No fine detail is wanted: blades of grass, a vignette. */
  flat: boolean
  /** True where the prompt asked for none of these, e.g. `trees` or `clouds`. */
  without(element: string): boolean
  /** Things the prompt asked of the scene, e.g. `flowers` or `stars`. */
  features: ReadonlySet<string>
  random(purpose: string): Random
  /** A piece of the artwork `height` units tall whose foot stands at x, y, in this light at this depth. */
  prop(name: string, x: number, y: number, height: number, options?: PropOptions): string
}

export interface PropOptions {
  depth?: number
  flip?: boolean
  opacity?: number
  /** Another main colour. */
  colour?: string
}

/** A painted scene and where things may be in it. All measures in sheet units, y downwards. */
export interface Backdrop {
  behind: string
  /** Drawn over the subjects: grass blades, mist, falling snow. */
  front: string
  /** Where feet stand: the nearest and the furthest line. Absent where nothing stands (space, under water). */
  ground?: { near: number; far: number }
  /** The band in which swimmers float. */
  water?: {
    top: number
    bottom: number /** Things swim in its surface, not all through it. */
    surface?: boolean
  }
  /** The band in which flyers fly. */
  sky: { top: number; bottom: number }
  /** The colour of shadows on the ground. */
  shadow: string
}

/** Paints one kind of place. */
export type PaintBackdrop = (stage: Stage) => Backdrop
