/**
 * Pieces as they are drawn: coloured, lit, defined once in the document and placed as often as needed.
 */

import { prefixIds } from './artwork.ts'
import { COLOUR_WHEEL } from './colour-words.ts'
import { adjust, type ColourMap, mapColours, mix, remembering, toHex, toOklch } from './colours.ts'
import { flattenBody } from './flatten.ts'
import type { Icon } from './icon.ts'
import { round } from './paints.ts'
import type { Tint } from './read-prompt.ts'
import { mainColour, recolouring } from './recolour.ts'

/** A piece's place on the sheet. `x`, `y` is where its anchor lies; `scale` is sheet units per board unit. */
export interface Placement {
  x: number
  y: number
  scale: number
  flip: boolean
  anchor: 'foot' | 'centre'
}

/** Defines pieces in one document. */
export interface Pieces {
  /** Markup that draws the piece. `key` names the colouring: equal keys share one definition. */
  place(icon: Icon, at: Placement, key?: string, map?: ColourMap): string
  definitions(): string
}

/** A fresh set of pieces; `flat` takes the shading out of them. */
export function createPieces(flat = false): Pieces {
  const known = new Map<string, string>()
  let markup = ''
  return {
    place: (icon, at, key = '', map) => {
      const name = `${icon.name} ${key}`
      let id = known.get(name)
      if (id === undefined) {
        id = `p${known.size}`
        known.set(name, id)
        const body = prefixIds(flat ? flattenBody(icon.body) : icon.body, `${id}-`)
        markup += `<g id="${id}">${map ? mapColours(body, map) : body}</g>`
      }
      return `<use href="#${id}" transform="${transformOf(icon, at)}"/>`
    },
    definitions: () => `<defs>${markup}</defs>`,
  }
}

function transformOf({ bounds }: Icon, { x, y, scale, flip, anchor }: Placement): string {
  const middle = (bounds.left + bounds.right) / 2
  const rest = anchor === 'foot' ? bounds.bottom : (bounds.top + bounds.bottom) / 2
  const across = flip ? -scale : scale
  return `translate(${round(x)} ${round(y)}) scale(${Math.round(across * 1e4) / 1e4} ${Math.round(scale * 1e4) / 1e4}) translate(${round(-middle)} ${round(-rest)})`
}

/** The colour a tint asks for, for the `index`th of its group; undefined leaves the piece as it is. */
export function tintColour(icon: Icon, tint: Tint | undefined, index: number): string | undefined {
  if (!tint) return undefined
  const base = tint.many ? COLOUR_WHEEL[index % COLOUR_WHEEL.length] : tint.hex
  const { l, c, h } = toOklch(base ?? mainColour(icon))
  switch (tint.manner) {
    case 'neon':
      return toHex({ l: Math.max(0.66, Math.min(0.86, l)), c: 0.3, h })
    case 'pastel':
      // A grey rabbit has no hue to make pale, so its pastel is pink.
      return toHex({ l: 0.86, c: Math.min(0.09, Math.max(0.06, c)), h: c < 0.03 ? 5 : h })
    case 'dark':
      return adjust(base ?? mainColour(icon), -0.16)
    case 'pale':
      return mix(base ?? mainColour(icon), '#ffffff', 0.45)
    case 'golden':
      return base ?? '#f5b82e'
    default:
      return base
  }
}

/** A piece's colours in the wanted colour under the scene's light. */
export function pieceColours(
  icon: Icon,
  colour: string | undefined,
  light: ColourMap,
  deep: boolean,
): ColourMap {
  if (!colour) return light
  const tinted = recolouring(icon, colour, deep ? 1.15 : 0.85)
  return remembering((hex) => light(tinted(hex)))
}
