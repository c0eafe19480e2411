/**
 * Manners of painting, done with colour arithmetic and a few overlays.
 *
 * Real filters would be truer and fifty times slower, so watercolour is pale paint inside a torn edge of
 * paper, and a pencil sketch is the same shapes with their fills bleached and their outlines drawn.
 */
import { adjust, type ColourMap, mix, remembering, toHex, toOklch } from './colours.ts'
import type { Sheet } from './item.ts'
import { type Paints, round } from './paints.ts'
import type { Random } from './random.ts'
import type { Style } from './scene-words.ts'

/** What a set of styles does to a finished picture. */
export interface Manner {
  /** Over every colour of the document. */
  colours?: ColourMap
  /** Attributes for the group around the whole scene. */
  group: string
  /** Drawn over everything. */
  overlay(sheet: Sheet, paints: Paints, random: Random): string
}

/** The manner for these styles; `vividness` is 1 for as it is. */
export function mannerOf(styles: ReadonlySet<Style>, vividness: number): Manner {
  const maps: ColourMap[] = []
  if (styles.has('pastel')) maps.push((hex) => reshade(hex, (l, c) => [0.52 + l * 0.46, c * 0.6]))
  if (styles.has('watercolor')) maps.push((hex) => reshade(hex, (l, c) => [0.24 + l * 0.76, c * 0.86]))
  if (styles.has('neon')) maps.push((hex) => reshade(hex, (l, c) => [l < 0.5 ? l * 0.85 : l, c * 1.4]))
  if (styles.has('poster')) maps.push((hex) => reshade(hex, (l, c) => [Math.round(l * 9) / 9, c * 1.12]))
  if (styles.has('vintage')) maps.push((hex) => mix(adjust(hex, 0, 0.7), sepia(hex), 0.66))
  if (styles.has('monochrome')) maps.push((hex) => reshade(hex, (l) => [0.5 + (l - 0.5) * 1.12, 0]))
  if (styles.has('sketch')) maps.push((hex) => reshade(hex, (l) => [0.64 + l * 0.36, 0.004]))
  const strength = vividness * (styles.has('vivid') ? 1.2 : 1)
  if (Math.abs(strength - 1) > 0.01) maps.push((hex) => reshade(hex, (l, c) => [l, c * strength]))
  const manner: Manner = {
    group: outline(styles),
    overlay: (sheet, paints, random) => {
      let svg = ''
      if (styles.has('watercolor')) svg += washes(sheet, paints, random) + paperEdge(sheet, random, '#fffdf7')
      if (styles.has('vintage'))
        svg += frame(sheet, '#f3e7cc', 0.035) + vignette(sheet, paints, '#3a2410', 0.5)
      if (styles.has('poster')) svg += frame(sheet, '#fbf3df', 0.04)
      if (styles.has('sketch')) svg += paperEdge(sheet, random, '#fdfcf8')
      return svg
    },
  }
  if (maps.length > 0) manner.colours = remembering((hex) => maps.reduce((colour, map) => map(colour), hex))
  return manner
}

/** Darker corners, which hold the eye inside. */
export function vignette(sheet: Sheet, paints: Paints, colour: string, strength: number): string {
  // Four linear fades cost a fifth of one radial fade over the whole sheet.
  const side = (x: number, y: number, width: number, height: number, angle: number) => {
    const fill = paints.linear(
      [
        [0, colour, strength],
        [0.4, colour, strength * 0.36],
        [1, colour, 0],
      ],
      angle,
    )
    return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}" stroke="none"/>`
  }
  const { width, height } = sheet
  const reach = Math.min(width, height) * 0.22
  return (
    side(0, 0, width, reach, 0) +
    side(0, height - reach, width, reach, 180) +
    side(0, 0, reach, height, -90) +
    side(width - reach, 0, reach, height, 90)
  )
}

function outline(styles: ReadonlySet<Style>): string {
  // Shapes without a stroke of their own inherit the group's.
  if (styles.has('sketch')) return 'stroke="#4a4a52" stroke-width="1.300" stroke-linejoin="round"'
  if (styles.has('cartoon')) return 'stroke="#23222e" stroke-width="1.200" stroke-linejoin="round"'
  return ''
}

function reshade(hex: string, change: (l: number, c: number) => [number, number]): string {
  const colour = toOklch(hex)
  const [l, c] = change(colour.l, colour.c)
  return toHex({ l, c, h: colour.h })
}

function sepia(hex: string): string {
  const { l } = toOklch(hex)
  return toHex({ l: 0.1 + l ** 1.15 * 0.86, c: 0.075, h: 76 })
}

/** An even border, `share` of the short edge wide. */
export function frame(sheet: Sheet, colour: string, share: number): string {
  const edge = Math.min(sheet.width, sheet.height) * share
  return `<path fill="${colour}" fill-rule="evenodd" d="M0 0H${sheet.width}V${sheet.height}H0zM${round(edge)} ${round(edge)}V${round(sheet.height - edge)}H${round(sheet.width - edge)}V${round(edge)}z"/>`
}

/** Clear and dark pools, where the paint ran. */
function washes(sheet: Sheet, paints: Paints, random: Random): string {
  const pale = paints.radial([
    [0, '#ffffff', 0.26],
    [0.6, '#ffffff', 0.15],
    [1, '#ffffff', 0],
  ])
  const deep = paints.radial([
    [0, '#4a5a8a', 0],
    [0.8, '#4a5a8a', 0.03],
    [0.94, '#4a5a8a', 0.08],
    [1, '#4a5a8a', 0],
  ])
  let svg = ''
  const count = Math.round((sheet.width * sheet.height) / 30_000)
  for (let index = 0; index < count; index++) {
    const r = random.between(40, 190)
    const x = round(random.next() * sheet.width)
    const y = round(random.next() * sheet.height)
    svg += `<ellipse cx="${x}" cy="${y}" rx="${round(r)}" ry="${round(r * random.between(0.6, 1))}" fill="${random.chance(0.6) ? pale : deep}" transform="rotate(${random.whole(0, 180)} ${x} ${y})"/>`
  }
  return svg
}

/** White paper around an uneven painted area, in two overlapping layers. */
function paperEdge(sheet: Sheet, random: Random, colour: string): string {
  const { width, height } = sheet
  const layer = (depth: number, opacity: number) => {
    const points: [number, number][] = []
    const step = 64
    const push = (x: number, y: number) => points.push([x, y])
    const rough = () => depth * random.between(0.45, 1.35)
    for (let x = depth; x < width - depth; x += step) push(x, rough())
    for (let y = depth; y < height - depth; y += step) push(width - rough(), y)
    for (let x = width - depth; x > depth; x -= step) push(x, height - rough())
    for (let y = height - depth; y > depth; y -= step) push(rough(), y)
    return `<path fill="${colour}" fill-rule="evenodd" fill-opacity="${opacity}" stroke="none" d="M-9 -9H${width + 9}V${height + 9}H-9z${smooth(points)}z"/>`
  }
  return layer(54, 0.4) + layer(38, 0.6) + layer(26, 1)
}

/** A closed curve that passes midway between its points, so that no corner is left. */
function smooth(points: readonly [number, number][]): string {
  const middle = (at: number) => {
    const [x, y] = points[at % points.length] as [number, number]
    const [nextX, nextY] = points[(at + 1) % points.length] as [number, number]
    return `${round((x + nextX) / 2)} ${round((y + nextY) / 2)}`
  }
  return points.reduce(
    (path, [x, y], at) => `${path}Q${round(x)} ${round(y)} ${middle(at)}`,
    `M${middle(points.length - 1)}`,
  )
}
