/**
 * One picture as an SVG document: reads nothing, asks nobody, and answers the same text for the same request.
 */
import type { Artwork } from './artwork.ts'
import { type ColourMap, mapAllColours, remembering, toHex, toOklch } from './colours.ts'
import { composeEdit } from './compose-edit.ts'
import { thinned } from './draft.ts'
import { gradeColours } from './grade.ts'
import type { Sheet } from './item.ts'
import { createLight } from './light.ts'
import type { Area } from './mask-area.ts'
import { atMoment } from './moment.ts'
import { namesSomething, type Order, type Work } from './order.ts'
import { paintScene, paintUnknown } from './paint-scene.ts'
import { paintCutout } from './paint-subjects.ts'
import { createPaints, type Paints, round } from './paints.ts'
import { createPieces, type Pieces } from './pieces.ts'
import { createRandom } from './random.ts'
import type { SceneDescription } from './read-prompt.ts'
import { recolouring } from './recolour.ts'
import { settle } from './settle.ts'
import type { Stage } from './stage.ts'
import { mannerOf } from './styles.ts'
import { hatch, hatchOn } from './texture.ts'

/** Draws the order, or the draft of it that it asks for. */
export function compose(order: Order, artwork: Artwork): string {
  const [original] = order.images
  const sheet = sheetOf(order.size, original ? Number.POSITIVE_INFINITY : LONGEST)
  const view = viewOf(order.size, sheet)
  const { wishes, draft } = order
  const scene = atMoment(settle(order.scene, wishes.focus), order.moment)
  const paints = createPaints('g', wishes.flat)
  const pieces = createPieces(wishes.flat)
  const stage = createStage(order, scene, sheet, paints, pieces, artwork)
  const manner = mannerOf(scene.styles, wishes.vividness)
  const wished = wishedColours(order)
  const work: Work = { order, scene, sheet, paints, manner, wished, stage, artwork, pieces, wishes, draft }
  if (original) return composeEdit(work, original)
  const known = namesSomething(order.scene)
  const painted = !known
    ? paintUnknown(work)
    : order.transparent
      ? paintCutout(work, scene, view)
      : paintScene(work)
  const body = draft ? painted : finish(work, painted)
  const inner = `${paints.definitions()}${pieces.definitions()}${body}`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${order.size.width}" height="${order.size.height}" viewBox="${viewBoxOf(view, sheet)}" preserveAspectRatio="none">` +
    `<g ${manner.group}>${mapAllColours(inner, [manner.colours, wished])}</g></svg>`
  )
}

/** What goes over a whole picture at the end: the edges of its manner, and the hatching. */
function finish({ order, manner, sheet, paints, stage, wishes }: Work, painted: string): string {
  const strokes = stage.random('hatching')
  if (order.transparent) return hatchOn(painted, sheet, paints, strokes, wishes.grain)
  const overlay = manner.overlay(sheet, paints, stage.random('manner'))
  return painted + overlay + hatch(sheet, strokes, wishes.grain)
}

/** Steps block in, LoRAs and moments grade; a draft is not graded yet, but thin. */
function wishedColours({ wishes, moment, draft }: Order): ColourMap | undefined {
  const { levels } = wishes
  const grades = [...wishes.grades, ...(moment?.grade ? [moment.grade] : [])]
  const maps = draft ? [thinned(draft)] : grades.map(gradeColours)
  if (levels !== undefined) {
    maps.unshift((hex) => {
      const colour = toOklch(hex)
      return toHex({ ...colour, l: Math.round(colour.l * levels) / levels })
    })
  }
  return maps.length > 0 ? remembering((hex) => maps.reduce((colour, map) => map(colour), hex)) : undefined
}

/** No sheet is longer than this many short edges: a scene 64 times as wide as high would take seconds to draw. */
const LONGEST = 12

/** The sheet of units for a size in pixels: the short edge is 1000, the long one at most `longest` times that. */
function sheetOf({ width, height }: { width: number; height: number }, longest: number): Sheet {
  const short = Math.min(width, height)
  const edge = (length: number) => Math.round(Math.min(length / short, longest) * 1000)
  return { width: edge(width), height: edge(height) }
}

/** The part of the sheet that is shown: all of it, but for sizes longer than a sheet can be. */
function viewOf({ width, height }: { width: number; height: number }, sheet: Sheet): Area {
  const share = Math.min(1, (sheet.width * height) / (sheet.height * width))
  const across = Math.min(1, (sheet.height * width) / (sheet.width * height))
  // A strip shows where the subjects stand.
  const top = (1 - share) * 0.8
  const left = (1 - across) / 2
  return { left, top, right: left + across, bottom: top + share }
}

const viewBoxOf = ({ left, top, right, bottom }: Area, { width, height }: Sheet) =>
  [left * width, top * height, (right - left) * width, (bottom - top) * height].map(round).join(' ')

function createStage(
  order: Order,
  scene: SceneDescription,
  sheet: Sheet,
  paints: Paints,
  pieces: Pieces,
  artwork: Artwork,
): Stage {
  const random = (purpose: string) => createRandom(order.seed, purpose)
  const light = createLight(scene.time ?? 'day', scene.weather, random('light'), scene.skyColour)
  return {
    ...sheet,
    light,
    paints,
    flat: order.wishes.flat,
    random,
    weather: scene.weather,
    features: scene.features,
    without: (element) => scene.without.has(element),
    prop: (name, x, y, height, { depth = 0, flip = false, opacity, colour } = {}) => {
      const icon = artwork.icon(name)
      if (!icon || scene.without.has(name)) return ''
      const recolour = colour ? recolouring(icon, colour) : undefined
      const scale = height / (icon.bounds.bottom - icon.bounds.top)
      const svg = pieces.place(
        icon,
        { x, y, scale, flip, anchor: 'foot' },
        `prop ${colour} ${depth}`,
        (hex) => {
          return light.land(recolour ? recolour(hex) : hex, depth)
        },
      )
      return opacity === undefined ? svg : `<g opacity="${opacity}">${svg}</g>`
    },
  }
}
