/**
 * The subjects of a picture: arranged, tinted, lit, with their shadows; on a backdrop or alone in an area.
 */
import type { Artwork } from './artwork.ts'
import { mix } from './colours.ts'
import type { Draft } from './draft.ts'
import { type Box, paintExtras } from './extras.ts'
import type { Icon } from './icon.ts'
import type { Item, Sheet } from './item.ts'
import { arrange } from './layout.ts'
import type { Light } from './light.ts'
import type { Area } from './mask-area.ts'
import { type Paints, round } from './paints.ts'
import { type Pieces, pieceColours, tintColour } from './pieces.ts'
import type { SceneDescription } from './read-prompt.ts'
import { mainColour } from './recolour.ts'
import type { Backdrop, Stage } from './stage.ts'
import type { Wishes } from './wishes.ts'

/** What subjects are painted with. */
export interface Brush {
  stage: Stage
  artwork: Artwork
  pieces: Pieces
  wishes: Wishes
  /** How far the picture has got; absent where it is to be finished. */
  draft?: Draft
}

/** The subjects on a backdrop, with shadows, and with company where guidance is loose. */
export function paintSubjects(brush: Brush, scene: SceneDescription, backdrop: Backdrop): string {
  const { stage, artwork, wishes, draft } = brush
  const items = arrangeItems(brush, scene, backdrop)
  if (draft) return draftItems(items, brush, draft)
  const extras =
    wishes.company > 0 ? paintExtras(stage, scene, artwork, backdrop, items.map(boxOf), wishes.company) : ''
  let svg = extras
  for (const item of items) svg += shadowOf(item, stage, backdrop.shadow) + paintItem(item, brush)
  return svg
}

/** The subjects alone, without light round them, as large as the area allows or `small` times that. */
export function paintCutout(brush: Brush, scene: SceneDescription, area: Area, small = 1): string {
  const { stage, wishes, draft } = brush
  const items = arrangeItems(brush, scene, standingNearEdge(stage))
  if (items.length === 0) return ''
  const boxes = items.map(boxOf)
  const left = Math.min(...boxes.map(({ cx, w }) => cx - w / 2))
  const right = Math.max(...boxes.map(({ cx, w }) => cx + w / 2))
  const top = Math.min(...boxes.map(({ cy, h }) => cy - h / 2))
  const bottom = Math.max(...boxes.map(({ cy, h }) => cy + h / 2))
  const width = stage.width * (area.right - area.left)
  const height = stage.height * (area.bottom - area.top)
  const fill = 0.88 * small * (1 + 0.09 * wishes.focus) * (1 - 0.24 * wishes.looseness)
  const scale = Math.min((width * fill) / (right - left), (height * fill) / (bottom - top))
  const x = stage.width * area.left + width / 2
  const y = stage.height * area.top + height / 2
  const markup = draft
    ? draftItems(items, brush, draft)
    : items.map((item) => paintItem(item, brush, false)).join('')
  return `<g transform="translate(${round(x)} ${round(y)}) scale(${Math.round(scale * 1e4) / 1e4}) translate(${round(-(left + right) / 2)} ${round(-(top + bottom) / 2)})">${markup}</g>`
}

/** On somebody's photograph nothing is known of the ground, so things stand near its lower edge. */
export function standingNearEdge({ height }: Sheet): Backdrop {
  return {
    behind: '',
    front: '',
    ground: { near: height * 0.94, far: height * 0.84 },
    sky: { top: height * 0.06, bottom: height * 0.5 },
    shadow: '#101018',
  }
}

function arrangeItems(
  { stage, artwork, wishes }: Brush,
  scene: SceneDescription,
  backdrop: Backdrop,
): Item[] {
  const grow = (1 + 0.24 * wishes.focus) * (1 - 0.22 * wishes.looseness)
  const subjects = scene.subjects
    .filter(({ icon }) => artwork.has(icon))
    .map((subject) => (grow === 1 ? subject : { ...subject, size: subject.size * grow }))
  const icons = subjects.map(({ icon }) => artwork.icon(icon) as Icon)
  const items = arrange(subjects, icons, stage, backdrop, stage.random('layout'))
  // Whoever sits on something keeps his seat.
  const tied = subjects.some(({ relation }) => relation)
  return wishes.looseness > 0 && !tied ? loosen(items, stage, wishes.looseness) : items
}

/** Moves every piece a little out of its place, as a quick hand would set it. */
function loosen(items: readonly Item[], stage: Stage, looseness: number): Item[] {
  const random = stage.random('loosen')
  return items.map((item) => {
    const scale = item.scale * (1 + random.between(-0.1, 0.1) * looseness)
    const x = item.x + random.between(-70, 70) * looseness
    const y = item.y + random.between(-22, 14) * looseness
    const half = ((item.icon.bounds.right - item.icon.bounds.left) * scale) / 2 + 8
    return { ...item, scale, x: Math.max(half, Math.min(stage.width - half, x)), y }
  })
}

/** The items as far as a draft has got: in their own colours, or as shapes. */
function draftItems(items: readonly Item[], brush: Brush, { painted }: Draft): string {
  const count = Math.floor(items.length * painted)
  return items
    .map((item, at) => (at < count ? paintItem(item, brush, false) : paintShape(item, brush)))
    .join('')
}

/** The piece in one colour, as it is blocked in before it is painted. */
function paintShape(item: Item, { pieces }: Brush): string {
  const { icon, subject, index } = item
  const colour = tintColour(icon, subject.tint, index) ?? mainColour(icon)
  return pieces.place(icon, item, `shape ${colour}`, () => colour)
}

function paintItem(item: Item, { stage, pieces, draft }: Brush, withHalo = true): string {
  const { tint } = item.subject
  const colour = tintColour(item.icon, tint, item.index)
  const glowing = tint?.manner === 'neon'
  const light: Light['piece'] = glowing || draft ? (hex) => hex : stage.light.piece
  const map = pieceColours(item.icon, colour, light, tint?.manner === 'golden')
  const piece = pieces.place(item.icon, item, `${colour} ${tint?.manner}`, map)
  if (!glowing || !colour || draft) return piece
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
function boxOf(item: Item): Box {
  const { bounds } = item.icon
  const w = (bounds.right - bounds.left) * item.scale
  const h = (bounds.bottom - bounds.top) * item.scale
  return { cx: item.x, cy: item.anchor === 'foot' ? item.y - h / 2 : item.y, w, h }
}
