/**
 * An edit as an SVG document: the first picture, what is drawn over it, and the mask that says where.
 *
 * Where a mask keeps the picture, its own pixels are laid down once, unscaled where the sizes agree, and nothing
 * else touches them.
 */
import { paintPlace } from './backdrops/place.ts'
import { mapAllColours } from './colours.ts'
import { coverImage, paintMood, photoFilter, pinnedPrints } from './edit.ts'
import { gradeGlaze } from './grade.ts'
import type { Order, Work } from './order.ts'
import { namesSomething } from './order.ts'
import { paintMedallion, paintUnknown } from './paint-scene.ts'
import { paintCutout, paintSubjects, standingNearEdge } from './paint-subjects.ts'
import { round } from './paints.ts'
import type { Picture } from './read-pictures.ts'
import type { Backdrop } from './stage.ts'
import { mannerOf } from './styles.ts'
import { hatchOn } from './texture.ts'

/** How much of what is drawn is seen, and of the restyling of the picture itself. */
interface Weights {
  drawn: number
  restyled: number
  /** How far the painted place covers the picture. */
  veil: number
  /** Subjects take their places in the painted scene, no longer beside those of the picture. */
  redrawn: boolean
  /** How much of the edit is there yet. */
  laid: number
}

/** Draws the edit of `original`, the order's first picture. */
export function composeEdit(work: Work, original: Picture): string {
  const { order, sheet, paints, stage, pieces, manner, wishes } = work
  const { width, height } = order.size
  const weights = weigh(work)
  const simple = wishes.fidelity === 'low'
  const pinned = pinnedPrints(order.images.slice(1), sheet, paints, stage.random('prints'), simple)
  const prints = faded(pinned, weights.laid)
  const filter = photoFilter(work.scene.styles, paints, wishes.vividness, simple)
  const mood = paintMood(stage, work.scene)
  const drawn = paintDrawn(work, weights, mood)
  const glaze = faded(glazes(work), weights.laid)
  const maps = [mannerOf(new Set(), wishes.vividness).colours, work.wished]
  const definitions = mapAllColours(`${paints.definitions()}${pieces.definitions()}`, maps)
  const over = `${glaze}${mapAllColours(drawn.under, maps)}${prints}${mapAllColours(drawn.over, maps)}`
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`
  if (!order.mask) {
    const image = coverImage(original, sheet)
    const photo = restyled(image, filter, weights.restyled)
    const body = `<g ${manner.group}>${definitions}${photo}${over}</g>`
    const sticker = order.transparent ? stickerShape(sheet.width, sheet.height) : ['', '']
    return `${open} viewBox="0 0 ${sheet.width} ${sheet.height}" preserveAspectRatio="none">${sticker[0]}${body}${sticker[1]}</svg>`
  }
  const whole = '<use href="#original"/>'
  // Without a filter the picture is there already, and a second coat would thicken what is translucent in it.
  const photo = filter && !order.transparent ? restyledOver(whole, filter, weights.restyled) : ''
  return (
    `${open} viewBox="0 0 ${width} ${height}"><defs>${coverImage(original, order.size, 'original')}${holeOf(order.mask, order.size)}</defs>` +
    `${order.transparent ? `<g mask="url(#keep)">${whole}</g>` : whole}` +
    `<g mask="url(#hole)"><g ${manner.group}>${photo}<g transform="scale(${width / sheet.width} ${height / sheet.height})">${definitions}${over}</g></g></g></svg>`
  )
}

function weigh({ wishes, order, draft }: Work): Weights {
  const { strength, fidelity } = wishes
  const gentle = fidelity === 'high' ? 0.5 : 1
  const drawn = strength === undefined ? 1 : Math.min(1, 0.14 + 1.6 * strength)
  const laid = draft?.laid ?? 1
  return {
    drawn,
    restyled: drawn * gentle * laid,
    veil: strength === undefined ? 0 : Math.max(0, ((strength - 0.3) / 0.7) * 0.88) * laid,
    redrawn: (strength ?? 0) > 0.5 && order.area === undefined,
    laid,
  }
}

/** `under` lies below the prints, `over` above them. */
function paintDrawn(work: Work, weights: Weights, mood: string): { under: string; over: string } {
  const { sheet, paints, stage, wishes, order, scene, draft } = work
  const known = namesSomething(order.scene)
  const backdrop = weights.veil > 0 && known ? paintPlace(stage, scene) : undefined
  const ground = backdrop ? backdrop.behind : weights.veil > 0 ? paintUnknown(work) : ''
  const additions = paintAdditions(work, weights, backdrop)
  const strokes = stage.random('hatching')
  return {
    under: faded(ground, weights.veil) + faded(mood, weights.restyled),
    over: faded(hatchOn(additions, sheet, paints, strokes, draft ? 0 : wishes.grain), weights.drawn),
  }
}

/** What an edit adds: to the painted place where that covers the picture, else to the picture. */
function paintAdditions(work: Work, weights: Weights, backdrop: Backdrop | undefined): string {
  if (weights.laid === 0) return ''
  if (!weights.redrawn || !backdrop) return paintGuests(work, weights)
  return paintSubjects(work, work.scene, backdrop) + (work.draft ? '' : backdrop.front)
}

/** Subjects in the mask's hole where there is one, else to one side, smaller than in a picture of their own. */
function paintGuests(work: Work, weights: Weights): string {
  const { order, stage, scene, wishes } = work
  const small = wishes.fidelity === 'high' ? 0.78 : 1
  if (scene.subjects.length === 0) return weights.redrawn ? '' : medallion(work, small)
  if (order.area) return paintCutout(work, scene, order.area, small)
  const side = stage.random('side').chance(0.5) ? 'left' : 'right'
  const lone = scene.subjects.length === 1 && scene.subjects[0]?.count === 1
  const subjects = scene.subjects.map((subject) => ({
    ...subject,
    size: subject.size * 0.66 * small,
    spot: subject.spot ?? (lone ? side : undefined),
  }))
  const backdrop: Backdrop = standingNearEdge(stage)
  return paintSubjects(work, { ...scene, subjects }, backdrop)
}

/** An edit in unknown words still shows that it took place: a disc of abstract art in a corner or in the hole. */
function medallion({ order, stage, scene, paints }: Work, small: number): string {
  const said =
    scene.time !== undefined || scene.weather.size > 0 || scene.styles.size > 0 || order.images.length > 1
  if (said && !order.area) return ''
  const { left, top, right, bottom } = order.area ?? { left: 0.66, top: 0.66, right: 0.98, bottom: 0.98 }
  const side = Math.min((right - left) * stage.width, (bottom - top) * stage.height) * small
  const x = ((left + right) / 2) * stage.width
  const y = ((top + bottom) / 2) * stage.height
  return paintMedallion(order, paints, x, y, side)
}

/** LoRAs and moments over pixels that no colour map reaches. */
function glazes({ order, wishes, sheet, paints }: Work): string {
  const grades = [...wishes.grades, ...(order.moment?.grade ? [order.moment.grade] : [])]
  return grades.map((grade) => gradeGlaze(grade, sheet, paints)).join('')
}

/** The picture through its filter, or halfway. */
function restyled(image: string, filter: string, weight: number): string {
  if (filter === '' || weight >= 1) return `<g ${filter}>${image}</g>`
  return `<g id="original">${image}</g>${restyledOver('<use href="#original"/>', filter, weight)}`
}

function restyledOver(image: string, filter: string, weight: number): string {
  return faded(`<g ${filter}>${image}</g>`, weight)
}

function faded(svg: string, opacity: number): string {
  if (svg === '' || opacity >= 1) return svg
  return opacity <= 0 ? '' : `<g opacity="${Math.round(opacity * 1000) / 1000}">${svg}</g>`
}

/** A picture has no ground of its own that could be left out, so it becomes a sticker with empty corners. */
function stickerShape(width: number, height: number): [open: string, close: string] {
  const r = round(Math.min(width, height) * 0.16)
  return [
    `<defs><clipPath id="sticker"><rect width="${width}" height="${height}" rx="${r}"/></clipPath></defs><g clip-path="url(#sticker)">`,
    '</g>',
  ]
}

/** Two masks in pixels: `keep` is where the caller's mask is opaque, `hole` the rest. */
function holeOf(mask: Picture, { width, height }: Order['size']): string {
  const region = `maskUnits="userSpaceOnUse" x="0" y="0" width="${width}" height="${height}"`
  return (
    `<mask id="keep" ${region} style="mask-type:alpha">${coverImage(mask, { width, height })}</mask>` +
    `<mask id="hole" ${region}><rect width="${width}" height="${height}" fill="#ffffff"/><rect width="${width}" height="${height}" fill="#000000" mask="url(#keep)"/></mask>`
  )
}
