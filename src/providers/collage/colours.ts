/**
 * Colour arithmetic in OKLCH, where equal steps look equal: lightness 0–1, chroma 0–0.4, hue in degrees.
 *
 * Everything that draws speaks `#rrggbb`; this file alone knows how to bend such a colour.
 */

/** A colour as eyes see it: `l` 0 black to 1 white, `c` 0 grey to about 0.3 vivid, `h` 0–360. */
export interface Oklch {
  l: number
  c: number
  h: number
}

/** Changes one `#rrggbb` colour into another. */
export type ColourMap = (hex: string) => string

const byteOf = (value: number) => Math.max(0, Math.min(255, Math.round(value * 255)))
const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
const gamma = (value: number) => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055)

/** Hue in degrees, wrapped to 0–360. */
export const wrapHue = (hue: number) => ((hue % 360) + 360) % 360

/** The shorter way round the wheel from one hue to another, -180 to 180. */
export const hueDistance = (from: number, to: number) => wrapHue(to - from + 180) - 180

/** Reads `#rgb` or `#rrggbb`. */
export function toOklch(hex: string): Oklch {
  const digits = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, '$&$&') : hex
  const value = Number.parseInt(digits.slice(1, 7), 16)
  const r = linear(((value >> 16) & 255) / 255)
  const g = linear(((value >> 8) & 255) / 255)
  const b = linear((value & 255) / 255)
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const medium = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  const a = 1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short
  const bb = 0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short
  return {
    l: 0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    c: Math.hypot(a, bb),
    h: wrapHue((Math.atan2(bb, a) * 180) / Math.PI),
  }
}

/** Writes `#rrggbb`; what a screen cannot show loses chroma, not hue. */
export function toHex({ l, c, h }: Oklch): string {
  const lightness = Math.max(0, Math.min(1, l))
  const angle = (h * Math.PI) / 180
  for (let chroma = c; ; chroma *= 0.9) {
    const rgb = toRgb(lightness, chroma * Math.cos(angle), chroma * Math.sin(angle))
    if (chroma < 0.01 || rgb.every((value) => value > -0.004 && value < 1.004)) {
      return `#${rgb.map((value) => byteOf(value).toString(16).padStart(2, '0')).join('')}`
    }
  }
}

function toRgb(l: number, a: number, b: number): number[] {
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    gamma(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    gamma(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    gamma(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ]
}

/** `amount` 0 gives the first colour, 1 the second; mixed in OKLab, so no muddy middle. */
export function mix(first: string, second: string, amount: number): string {
  const from = toOklch(first)
  const to = toOklch(second)
  const a = polar(from.c, from.h)
  const b = polar(to.c, to.h)
  const x = a.x + (b.x - a.x) * amount
  const y = a.y + (b.y - a.y) * amount
  return toHex({
    l: from.l + (to.l - from.l) * amount,
    c: Math.hypot(x, y),
    h: wrapHue((Math.atan2(y, x) * 180) / Math.PI),
  })
}

function polar(c: number, h: number) {
  return { x: c * Math.cos((h * Math.PI) / 180), y: c * Math.sin((h * Math.PI) / 180) }
}

/** Moves lightness by `light` and multiplies chroma by `vivid`. */
export function adjust(hex: string, light: number, vivid = 1): string {
  const colour = toOklch(hex)
  return toHex({ l: colour.l + light, c: colour.c * vivid, h: colour.h })
}

/** Remembers what a map answered: an icon says the same few colours hundreds of times. */
export function remembering(map: ColourMap): ColourMap {
  const known = new Map<string, string>()
  return (hex) => {
    let answer = known.get(hex)
    if (answer === undefined) {
      answer = map(hex)
      known.set(hex, answer)
    }
    return answer
  }
}

/** Every `#rgb` and `#rrggbb` of an SVG text through the map. Ids are safe: ours never look like hex. */
export function mapColours(svg: string, map: ColourMap): string {
  return svg.replace(/#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?=["';])/g, (hex) => map(hex.toLowerCase()))
}

/** `mapColours` with each map that there is, in order. */
export function mapAllColours(svg: string, maps: readonly (ColourMap | undefined)[]): string {
  return maps.reduce((text: string, map) => (map ? mapColours(text, map) : text), svg)
}
