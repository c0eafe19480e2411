/**
 * Colour grades: what a LoRA, or the changing hour of a series, does to every colour of a picture.
 *
 * A grade pulls shadows towards one hue and lights towards its neighbour and leaves lightness alone, as film is
 * graded, so that any of them looks intended. Of a LoRA's name only the hash is used.
 */
import { type ColourMap, mix, remembering, toHex, toOklch, wrapHue } from './colours.ts'
import type { Sheet } from './item.ts'
import type { Paints } from './paints.ts'
import { hashText } from './random.ts'

/** One grade. */
export interface Grade {
  /** Hue of the middle tones, 0–360. */
  hue: number
  /** How far the hue turns from black to white, in degrees. */
  spread: number
  /** 0 leaves colours alone, 1 replaces their hue. */
  amount: number
}

/** The grade of a LoRA by its name. Scale 1 is clearly seen and 4 dominates; a negative scale turns to the opposite hue. */
export function gradeOf(name: string, scale: number): Grade {
  const hash = hashText(name)
  return {
    hue: wrapHue((hash % 360) + (scale < 0 ? 180 : 0)),
    spread: 50 + ((hash >>> 9) % 60),
    amount: 1 - Math.exp(-0.5 * Math.abs(scale)),
  }
}

/** The grade as a map over colours. */
export function gradeColours(grade: Grade): ColourMap {
  return remembering((hex) => mix(hex, toned(grade, toOklch(hex).l), grade.amount * 0.8))
}

/** The grade as a glaze over somebody's picture, whose pixels have no colours that a map could reach. */
export function gradeGlaze(grade: Grade, sheet: Sheet, paints: Paints): string {
  const fill = paints.linear(
    [
      [0, toned(grade, 0.75)],
      [1, toned(grade, 0.45)],
    ],
    20,
  )
  const opacity = Math.round(grade.amount * 40) / 100
  return `<rect width="${sheet.width}" height="${sheet.height}" fill="${fill}" fill-opacity="${opacity}"/>`
}

/** Lightness `l` in the grade's own hue. */
function toned({ hue, spread }: Grade, l: number): string {
  return toHex({ l, c: 0.13, h: wrapHue(hue + spread * (l - 0.5)) })
}
