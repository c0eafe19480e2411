/**
 * A piece in another colour: its main colour becomes the wanted one and its shading comes along, while eyes,
 * teeth and white bellies stay what they are.
 */

import { type ColourMap, hueDistance, type Oklch, toHex, toOklch, wrapHue } from './colours.ts'
import type { Icon } from './icon.ts'
import { shapesOf } from './measure.ts'

/** Below this chroma a colour counts as grey. */
const GREY = 0.045

/** The colour that covers most of a piece. */
export function mainColour(icon: Icon): string {
  const gradients = gradientStops(icon.body)
  const area = new Map<string, number>()
  for (const { paint, bounds } of shapesOf(icon.body)) {
    const size = (bounds.right - bounds.left) * (bounds.bottom - bounds.top)
    const stops = paint.startsWith('url(#') ? (gradients.get(paint.slice(5, -1)) ?? []) : [paint]
    for (const stop of stops) {
      // Vivid paint catches the eye, so it weighs more than its area; near-black is outline and eyes.
      const { l, c } = toOklch(stop)
      const weight = l < 0.22 ? 0.1 : 0.6 + Math.min(c, 0.2) * 3
      area.set(stop, (area.get(stop) ?? 0) + (size * weight) / stops.length)
    }
  }
  let best = '#808080'
  let most = 0
  for (const colour of area.keys()) {
    const family = memberTest(toOklch(colour))
    let covered = 0
    for (const [other, size] of area) if (family(toOklch(other))) covered += size
    covered += area.get(colour) as number
    if (covered > most) [best, most] = [colour, covered]
  }
  return best
}

function gradientStops(body: string): Map<string, string[]> {
  const gradients = new Map<string, string[]>()
  for (const [, id = '', inner = ''] of body.matchAll(
    /<(?:linear|radial)Gradient id="([^"]*)"[^>]*>((?:<stop[^>]*>)*)/g,
  )) {
    const stops = Array.from(inner.matchAll(/<stop([^>]*)>/g), ([, attributes = '']) => attributes)
      .filter((attributes) => !attributes.includes('stop-opacity="0"'))
      .map((attributes) => /stop-color="(#[0-9a-fA-F]{3,6})"/.exec(attributes)?.[1] ?? '#000000')
    gradients.set(id, stops)
  }
  return gradients
}

/** Does a colour belong to the main one: a near hue, or grey where the main one is grey? */
function memberTest(main: Oklch): (colour: Oklch) => boolean {
  if (main.c < GREY) return ({ l, c }) => c < GREY * 1.3 && l > 0.3
  // Cream and blush are the white parts of a warm animal, not pale tones of its fur.
  return ({ l, c, h }) =>
    c >= (l > 0.86 ? Math.max(0.03, main.c * 0.4) : 0.03) && l > 0.22 && Math.abs(hueDistance(main.h, h)) < 48
}

/** A map that paints one piece in `target`. `depth` multiplies the contrast of its shading. */
export function recolouring(icon: Icon, target: string, depth = 0.85): ColourMap {
  const main = toOklch(mainColour(icon))
  const wanted = toOklch(target)
  const belongs = memberTest(main)
  return (hex) => {
    const colour = toOklch(hex)
    if (!belongs(colour)) return hex
    return toHex(shade(colour, main, wanted, depth))
  }
}

function shade(colour: Oklch, main: Oklch, wanted: Oklch, depth: number): Oklch {
  const difference = (colour.l - main.l) * depth
  // Near black and white there is little room on one side, so the shading is squeezed into what is left.
  const room = difference > 0 ? 1 - wanted.l : wanted.l - 0.08
  const l =
    wanted.l + Math.sign(difference) * room * (1 - Math.exp(-Math.abs(difference) / Math.max(room, 0.04)))
  const ratio = main.c < GREY ? 1 : Math.min(1.15, Math.max(0.35, colour.c / main.c))
  const fade = l > 0.9 && wanted.l < 0.9 ? 0.5 : 1
  return {
    l,
    c: wanted.c * ratio * fade,
    h: wrapHue(wanted.h + hueDistance(main.h, colour.h) * (main.c < GREY ? 0 : 0.35)),
  }
}
