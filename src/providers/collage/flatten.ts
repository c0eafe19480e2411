/**
 * Pieces without shading: a gradient whose colours are near one another becomes one of them.
 *
 * Gradients that carry meaning, such as a sunset or a rainbow, and those that fade out are kept.
 */
import { toOklch } from './colours.ts'

/** Colours further apart than this are more than shading. */
const SHADING = 0.22

/** Do these colours differ only as light and shade of one thing? */
export function isShading(colours: readonly string[]): boolean {
  const [first, ...others] = colours.map(inOklab)
  if (!first) return false
  return others.every(
    (other) => Math.hypot(...other.map((value, at) => value - (first[at] as number))) < SHADING,
  )
}

/** The body of a piece with its shading taken out. */
export function flattenBody(body: string): string {
  const flat = new Map<string, string>()
  for (const [, id = '', inner = ''] of body.matchAll(
    /<(?:linear|radial)Gradient id="([^"]*)"[^>]*>((?:<stop[^>]*>)*)/g,
  )) {
    const colours = Array.from(inner.matchAll(/stop-color="(#[0-9a-fA-F]{3,6})"/g), ([, hex = '']) => hex)
    const whole = colours.length === (inner.match(/<stop/g)?.length ?? 0) && !inner.includes('stop-opacity')
    if (whole && isShading(colours)) flat.set(id, colours[colours.length >> 1] as string)
  }
  return body.replace(/url\(#([^)]*)\)/g, (reference, id: string) => flat.get(id) ?? reference)
}

function inOklab(hex: string): [number, number, number] {
  const { l, c, h } = toOklch(hex)
  return [l, c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)]
}
