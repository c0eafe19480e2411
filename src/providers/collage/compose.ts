/**
 * One picture as an SVG document: reads nothing, asks nobody, and answers the same text for the same request.
 */
import type { InputImage } from '../provider.ts'
import { paintAbstract } from './abstract.ts'
import type { Artwork } from './artwork.ts'
import { paintPlace } from './backdrops/place.ts'
import { paintWeather } from './backdrops/weather.ts'
import { mapColours, mix } from './colours.ts'
import { coverImage, keepMasked, paintMood, photoFilter, pinnedPrints } from './edit.ts'
import type { Icon } from './icon.ts'
import type { Item, Sheet } from './item.ts'
import { arrange } from './layout.ts'
import { createLight, type Light } from './light.ts'
import type { Area } from './mask-area.ts'
import { createPaints, type Paints, round } from './paints.ts'
import { createPieces, type Pieces, pieceColours, tintColour } from './pieces.ts'
import { createRandom, hashText } from './random.ts'
import type { SceneDescription } from './read-prompt.ts'
import { recolouring } from './recolour.ts'
import { settle } from './settle.ts'
import type { Backdrop, Stage } from './stage.ts'
import { mannerOf, vignette } from './styles.ts'

/** What is to be drawn. `words` seeds abstract pictures. */
export interface Order {
  scene: SceneDescription
  words: string
  seed: number
  size: { width: number; height: number }
  transparent: boolean
  /** 1 leaves saturation alone. */
  vividness: number
  images: readonly InputImage[]
  mask?: InputImage
  /** Where the mask lets the picture change. */
  area?: Area
}

/** Draws the order. */
export function compose(order: Order, artwork: Artwork): string {
  const sheet = sheetOf(order.size, order.images.length > 0 ? Number.POSITIVE_INFINITY : LONGEST)
  const view = viewOf(order.size, sheet)
  const scene = settle(order.scene)
  const paints = createPaints('g')
  const pieces = createPieces()
  const known =
    scene.subjects.length > 0 ||
    scene.place !== undefined ||
    scene.time !== undefined ||
    scene.weather.size > 0
  const stage = createStage(order, scene, sheet, paints, pieces, artwork)
  const [original, ...others] = order.images
  const manner = mannerOf(scene.styles, order.vividness)
  let body: string
  if (original) {
    const prints = pinnedPrints(others, sheet, paints, stage.random('prints'))
    const scenery = `<g ${photoFilter(scene.styles, paints)}>${coverImage(original, sheet)}</g>${paintMood(stage, scene)}`
    body = scenery + prints + paintAdditions(order, stage, scene, artwork, pieces)
  } else if (!known) {
    body = paintAbstract(
      sheet,
      paints,
      createRandom(order.seed ^ hashText(order.words), 'abstract'),
      order.transparent,
    )
  } else if (order.transparent) {
    body = paintCutout(stage, scene, artwork, pieces, view)
  } else {
    const backdrop = paintPlace(stage, scene)
    body =
      backdrop.behind +
      paintSubjects(stage, scene, artwork, pieces, backdrop) +
      backdrop.front +
      paintWeather(stage) +
      (scene.place !== 'studio' ? vignette(sheet, paints, '#0d1230', stage.light.dark ? 0.34 : 0.1) : '')
  }
  if (!order.transparent && !original) body += manner.overlay(sheet, paints, stage.random('manner'))
  if (original && order.mask) body += keepMasked(original, order.mask, sheet, paints)
  const inner = `${paints.definitions()}${pieces.definitions()}${body}`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${order.size.width}" height="${order.size.height}" viewBox="${viewBoxOf(view, sheet)}" preserveAspectRatio="none">` +
    `<g ${manner.group}>${manner.colours && !original ? mapColours(inner, manner.colours) : inner}</g></svg>`
  )
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

function paintSubjects(
  stage: Stage,
  scene: SceneDescription,
  artwork: Artwork,
  pieces: Pieces,
  backdrop: Backdrop,
): string {
  const { subjects, icons } = drawable(scene, artwork)
  const items = arrange(subjects, icons, stage, backdrop, stage.random('layout'))
  let svg = ''
  for (const item of items) svg += shadowOf(item, stage, backdrop.shadow) + paintItem(item, stage, pieces)
  return svg
}

function drawable(scene: SceneDescription, artwork: Artwork) {
  const subjects = scene.subjects.filter(({ icon }) => artwork.has(icon))
  return { subjects, icons: subjects.map(({ icon }) => artwork.icon(icon) as Icon) }
}

function paintItem(item: Item, stage: Stage, pieces: Pieces, withHalo = true): string {
  const { tint } = item.subject
  const colour = tintColour(item.icon, tint, item.index)
  const glowing = tint?.manner === 'neon'
  const light: Light['piece'] = glowing ? (hex) => hex : stage.light.piece
  const map = pieceColours(item.icon, colour, light, tint?.manner === 'golden')
  const piece = pieces.place(item.icon, item, `${colour} ${tint?.manner}`, map)
  if (!glowing || !colour) return piece
  // Shapes without a stroke of their own inherit the group's, which draws a tube of light round the piece.
  const rim = (width: number, opacity: number) =>
    `<g stroke="${mix(colour, '#ffffff', 0.35)}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linejoin="round">${piece}</g>`
  return (withHalo ? halo(item, stage.paints, colour) : '') + rim(5, 0.6) + piece
}

function halo(item: Item, paints: Paints, colour: string): string {
  const { cx, cy, w, h } = boxOf(item)
  const fill = paints.radial([
    [0, mix(colour, '#ffffff', 0.25), 0.75],
    [0.4, colour, 0.46],
    [0.7, colour, 0.16],
    [1, colour, 0],
  ])
  return `<ellipse cx="${round(cx)}" cy="${round(cy)}" rx="${round(w * 0.86)}" ry="${round(h * 0.76)}" fill="${fill}" stroke="none"/>`
}

function shadowOf(item: Item, stage: Stage, colour: string): string {
  if (!item.grounded) return ''
  const { cx, w } = boxOf(item)
  const fill = stage.paints.radial([
    [0, colour, 0.6],
    [0.55, colour, 0.34],
    [1, colour, 0],
  ])
  return `<ellipse cx="${round(cx)}" cy="${round(item.y - w * 0.01)}" rx="${round(w * 0.58)}" ry="${round(Math.max(8, w * 0.085))}" fill="${fill}" stroke="none"/>`
}

/** A placed piece's box on the sheet. */
function boxOf(item: Item) {
  const { bounds } = item.icon
  const w = (bounds.right - bounds.left) * item.scale
  const h = (bounds.bottom - bounds.top) * item.scale
  return { cx: item.x, cy: item.anchor === 'foot' ? item.y - h / 2 : item.y, w, h }
}

/** On somebody's photograph nothing is known of the ground, so things stand near its lower edge. */
function overPhoto({ height }: Sheet): Backdrop {
  return {
    behind: '',
    front: '',
    ground: { near: height * 0.94, far: height * 0.84 },
    sky: { top: height * 0.06, bottom: height * 0.5 },
    shadow: '#101018',
  }
}

/** What an edit adds: in the mask's hole where there is one, else to one side, smaller than in a picture of its own. */
function paintAdditions(
  order: Order,
  stage: Stage,
  scene: SceneDescription,
  artwork: Artwork,
  pieces: Pieces,
): string {
  if (scene.subjects.length === 0) return paintMedallion(order, stage, scene)
  if (order.area) return paintCutout(stage, scene, artwork, pieces, order.area)
  const side = stage.random('side').chance(0.5) ? 'left' : 'right'
  const lone = scene.subjects.length === 1 && scene.subjects[0]?.count === 1
  const subjects = scene.subjects.map((subject) => ({
    ...subject,
    size: subject.size * 0.66,
    spot: subject.spot ?? (lone ? side : undefined),
  }))
  return paintSubjects(stage, { ...scene, subjects }, artwork, pieces, overPhoto(stage))
}

/** An edit in unknown words still shows that it took place: a disc of abstract art in a corner or in the hole. */
function paintMedallion(order: Order, stage: Stage, scene: SceneDescription): string {
  const said =
    scene.time !== undefined || scene.weather.size > 0 || scene.styles.size > 0 || order.images.length > 1
  if (said && !order.area) return ''
  const { left, top, right, bottom } = order.area ?? { left: 0.66, top: 0.66, right: 0.98, bottom: 0.98 }
  const side = Math.min((right - left) * stage.width, (bottom - top) * stage.height)
  const x = ((left + right) / 2) * stage.width - side / 2
  const y = ((top + bottom) / 2) * stage.height - side / 2
  const square = { width: 1000, height: 1000 }
  const random = createRandom(order.seed ^ hashText(order.words), 'abstract')
  return `<g transform="translate(${round(x)} ${round(y)}) scale(${Math.round(side * 10) / 1e4})">${paintAbstract(square, stage.paints, random, true)}</g>`
}

/** The subjects alone, without light round them, as large as the area allows. */
function paintCutout(
  stage: Stage,
  scene: SceneDescription,
  artwork: Artwork,
  pieces: Pieces,
  area: Area,
): string {
  const { subjects, icons } = drawable(scene, artwork)
  const items = arrange(subjects, icons, stage, overPhoto(stage), stage.random('layout'))
  if (items.length === 0) return ''
  const boxes = items.map(boxOf)
  const left = Math.min(...boxes.map(({ cx, w }) => cx - w / 2))
  const right = Math.max(...boxes.map(({ cx, w }) => cx + w / 2))
  const top = Math.min(...boxes.map(({ cy, h }) => cy - h / 2))
  const bottom = Math.max(...boxes.map(({ cy, h }) => cy + h / 2))
  const width = stage.width * (area.right - area.left)
  const height = stage.height * (area.bottom - area.top)
  const scale = Math.min((width * 0.88) / (right - left), (height * 0.88) / (bottom - top))
  const x = stage.width * area.left + width / 2
  const y = stage.height * area.top + height / 2
  const markup = items.map((item) => paintItem(item, stage, pieces, false)).join('')
  return `<g transform="translate(${round(x)} ${round(y)}) scale(${Math.round(scale * 1e4) / 1e4}) translate(${round(-(left + right) / 2)} ${round(-(top + bottom) / 2)})">${markup}</g>`
}
