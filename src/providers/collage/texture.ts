/**
 * Fine texture: the tooth of paper as short strokes, light and dark, over what is painted.
 *
 * Two paths whatever their number, so even the densest hatching costs little. It never paints where nothing is: a
 * cutout keeps its transparent ground.
 */
import type { Sheet } from './item.ts'
import { type Paints, round } from './paints.ts'
import type { Random } from './random.ts'

/** Strokes on a square sheet at grain 1. */
const MOST_STROKES = 7_000

/** Hatching over the whole sheet; `grain` 0 is none, 1 dense. */
export function hatch(sheet: Sheet, random: Random, grain: number): string {
  if (grain <= 0) return ''
  const count = Math.round((MOST_STROKES * grain * sheet.width * sheet.height) / 1e6)
  const angle = random.between(-0.95, -0.6)
  let light = ''
  let dark = ''
  for (let index = 0; index < count; index++) {
    const length = random.between(2, 11)
    const turn = angle + random.between(-0.6, 0.6)
    const x = round(random.next() * sheet.width)
    const y = round(random.next() * sheet.height)
    const stroke = `M${x} ${y}l${round(Math.cos(turn) * length)} ${round(Math.sin(turn) * length)}`
    if (random.chance(0.55)) light += stroke
    else dark += stroke
  }
  return (
    `<g fill="none" stroke-width="1.700" stroke-linecap="round">` +
    `<path d="${light || 'M0 0'}" stroke="#fffaf0" stroke-opacity=".26"/><path d="${dark || 'M0 0'}" stroke="#2a2340" stroke-opacity=".17"/></g>`
  )
}

/** What is painted, hatched nowhere else but on its own paint. */
export function hatchOn(
  painted: string,
  sheet: Sheet,
  paints: Paints,
  random: Random,
  grain: number,
): string {
  if (grain <= 0 || painted === '') return painted
  const paint = paints.define((id) => `<g id="${id}">${painted}</g>`)
  const mask = paints.define((id) => {
    return `<mask id="${id}" maskUnits="userSpaceOnUse" x="0" y="0" width="${sheet.width}" height="${sheet.height}" style="mask-type:alpha"><use href="#${paint}"/></mask>`
  })
  return `<use href="#${paint}"/><g mask="url(#${mask})">${hatch(sheet, random, grain)}</g>`
}
