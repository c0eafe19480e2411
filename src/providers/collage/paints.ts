/**
 * The gradients of one document. Each is defined once and asked for by what it looks like, so that layers can
 * share it. Filters are absent on purpose: librsvg takes 200 ms for one over a megapixel, a gradient 5 ms.
 */
import { isShading } from './flatten.ts'

/** A colour stop: place 0–1, colour, and opacity (1 unless told). */
export type Stop = readonly [offset: number, colour: string, opacity?: number]

/** Makes paints and keeps their definitions for the document's head. */
export interface Paints {
  /** Top to bottom of the painted shape, or along `angle` degrees clockwise from that. */
  linear(stops: readonly Stop[], angle?: number): string
  /** From the centre of the painted shape outwards. */
  radial(stops: readonly Stop[]): string
  /** Any definition that needs an id, e.g. a clip path; the answer is the id. */
  define(make: (id: string) => string): string
  definitions(): string
}

/** A fresh set of paints whose ids start with `prefix`. `flat` leaves out gradients that only shade. */
export function createPaints(prefix: string, flat = false): Paints {
  const known = new Map<string, string>()
  let markup = ''
  let count = 0
  const keep = (key: string, make: (id: string) => string) => {
    let id = known.get(key)
    if (id === undefined) {
      id = `${prefix}${count++}`
      known.set(key, id)
      markup += make(id)
    }
    return id
  }
  return {
    linear: (stops, angle = 0) => {
      if (flat && isShade(stops)) return middle(stops)
      const inner = stopsMarkup(stops)
      const turn = angle === 0 ? '' : ` gradientTransform="rotate(${angle} .5 .5)"`
      const id = keep(`l${angle}${inner}`, (id) => {
        return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"${turn}>${inner}</linearGradient>`
      })
      return `url(#${id})`
    },
    radial: (stops) => {
      if (flat && isShade(stops)) return middle(stops)
      const inner = stopsMarkup(stops)
      return `url(#${keep(`r${inner}`, (id) => `<radialGradient id="${id}">${inner}</radialGradient>`)})`
    },
    define: (make) => keep(`d${count}`, make),
    definitions: () => `<defs>${markup}</defs>`,
  }
}

const isShade = (stops: readonly Stop[]) =>
  stops.every(([, , opacity]) => opacity === undefined) && isShading(stops.map(([, colour]) => colour))

const middle = (stops: readonly Stop[]) => (stops[stops.length >> 1] as Stop)[1]

function stopsMarkup(stops: readonly Stop[]): string {
  return stops
    .map(([offset, colour, opacity]) => {
      const fade = opacity === undefined ? '' : ` stop-opacity="${round(opacity)}"`
      return `<stop offset="${round(offset)}" stop-color="${colour}"${fade}/>`
    })
    .join('')
}

/** A number as SVG likes it: two decimals at most. */
export const round = (value: number) => Math.round(value * 100) / 100
