/** What is to be drawn, and what it is being drawn with: the words that all parts of composing share. */
import type { ColourMap } from './colours.ts'
import type { Draft } from './draft.ts'
import type { Sheet } from './item.ts'
import type { Area } from './mask-area.ts'
import type { Moment } from './moment.ts'
import type { Brush } from './paint-subjects.ts'
import type { Paints } from './paints.ts'
import type { Picture } from './read-pictures.ts'
import type { SceneDescription } from './read-prompt.ts'
import type { Manner } from './styles.ts'
import type { Wishes } from './wishes.ts'

/** One picture to be drawn. `words` seeds abstract pictures. */
export interface Order {
  scene: SceneDescription
  words: string
  seed: number
  size: { width: number; height: number }
  transparent: boolean
  wishes: Wishes
  /** Any makes it an edit of the first. */
  images: readonly Picture[]
  mask?: Picture
  /** Where the mask lets the picture change. */
  area?: Area
  /** Which moment of a series this is. */
  moment?: Moment
  /** Which earlier stage of the picture is wanted; absent is the finished picture. */
  draft?: Draft
}

/** A picture in work. */
export interface Work extends Brush {
  order: Order
  /** The scene with its gaps filled, at its moment. */
  scene: SceneDescription
  sheet: Sheet
  paints: Paints
  /** What the prompt's styles do. */
  manner: Manner
  /** What the request's own fields do to every colour; undefined leaves them. */
  wished: ColourMap | undefined
}

/** Does a scene name anything that could be drawn? Otherwise its picture is abstract. */
export function namesSomething({ subjects, place, time, weather }: SceneDescription): boolean {
  return subjects.length > 0 || place !== undefined || time !== undefined || weather.size > 0
}
