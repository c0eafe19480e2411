/**
 * Where the subjects are: walkers in rows, flyers and swimmers spread over their band, landmarks behind,
 * riders on their mounts. Everything is in sheet units and follows from the seed.
 */

import { habitatOf, mayFlip, naturalSize, saddleOf, seatsInFront } from './habitats.ts'
import type { Icon } from './icon.ts'
import { extentOf, heightOf, type Item, type Member, placed, type Sheet, widthOf } from './item.ts'
import type { Random } from './random.ts'
import type { Subject } from './read-prompt.ts'
import { standInRows } from './rows.ts'
import type { Backdrop } from './stage.ts'

type Zone = 'rows' | 'surface' | 'band' | 'sky' | 'back' | 'rider'

/** Places every piece of every subject; the answer is in drawing order, furthest first. */
export function arrange(
  subjects: readonly Subject[],
  icons: readonly Icon[],
  sheet: Sheet,
  backdrop: Backdrop,
  random: Random,
): Item[] {
  const zones = membersByZone(subjects, icons, backdrop)
  const members = (zone: Zone) => zones.get(zone) ?? []
  const { ground, water, sky } = backdrop
  const back = ground ? standBehind(members('back'), sheet, ground.far, random) : []
  const items = [...back]
  const lone = ['rows', 'surface', 'band', 'back'].every((zone) => members(zone as Zone).length === 0)
  const air = lone ? { top: sky.top, bottom: Math.max(sky.bottom, sheet.height * 0.66) } : sky
  items.push(...scatter(members('sky'), sheet, air, lone ? 430 : 270, random))
  if (water) {
    items.push(...scatter(members('band'), sheet, water, 470, random))
    const surface = { near: water.bottom, far: water.top, clear: sheet.height * 0.1, lean: 0 }
    items.push(...standInRows(members('surface'), sheet, surface, random))
  }
  if (ground) {
    // Flyers keep the upper part of the sky to themselves.
    const clear = members('sky').length > 0 ? sky.top + (sky.bottom - sky.top) * 0.62 : sheet.height * 0.1
    const floor = { ...ground, clear, lean: leanFrom(back, sheet) }
    const walkers = standInRows(members('rows'), sheet, floor, random)
    items.push(...walkers.map((item) => ({ ...item, grounded: true })))
  }
  relate(items, subjects, random)
  return withRiders(items, members('rider'), subjects, random)
}

function membersByZone(
  subjects: readonly Subject[],
  icons: readonly Icon[],
  backdrop: Backdrop,
): Map<Zone, Member[]> {
  const floats = backdrop.water !== undefined && !backdrop.water.surface
  const zones = new Map<Zone, Member[]>()
  for (const [at, subject] of subjects.entries()) {
    const icon = icons[at] as Icon
    const zone = zoneOf(subject, subjects, backdrop)
    const list = zones.get(zone) ?? []
    zones.set(zone, list)
    // On the sea floor things are far away, below the swimmers.
    const size = naturalSize(icon.name) * subject.size * (floats && zone === 'rows' ? 0.55 : 1)
    for (let index = 0; index < subject.count; index++) list.push({ subject, icon, index, size })
  }
  const landmarks = zones.get('back')
  if (landmarks && !zones.has('rows')) {
    zones.set('rows', landmarks)
    zones.delete('back')
  }
  return zones
}

function zoneOf(subject: Subject, subjects: readonly Subject[], backdrop: Backdrop): Zone {
  const { relation, spot, icon } = subject
  const target = relation ? subjects[relation.of] : undefined
  const habitat = habitatOf(icon)
  if (target && relation && (relation.kind === 'riding' || relation.kind === 'on') && target !== subject)
    return 'rider'
  const floats = backdrop.water && !backdrop.water.surface
  if (spot === 'sky' || relation?.kind === 'above' || habitat === 'sky') {
    return floats && !backdrop.ground ? 'band' : 'sky'
  }
  if (habitat === 'water' && backdrop.water) return floats ? 'band' : 'surface'
  if (!backdrop.ground) return backdrop.water ? (floats ? 'band' : 'surface') : 'sky'
  if (floats && habitat !== 'seabed' && habitat !== 'landmark') return 'band'
  return habitat === 'landmark' || spot === 'back' ? 'back' : 'rows'
}

/** Landmarks: large, at the far line, off the middle, so that the subjects stand before them. */
function standBehind(members: readonly Member[], sheet: Sheet, far: number, random: Random): Item[] {
  const count = members.length
  const side = random.chance(0.5) ? 0.27 : 0.73
  return members.map((member, at) => {
    const base = Math.min(400, sheet.height * 0.36, (sheet.width * 0.8) / count) * Math.min(1.25, member.size)
    const { spot } = member.subject
    const share = spot === 'left' ? 0.24 : spot === 'right' ? 0.76 : count === 1 ? side : (at + 0.5) / count
    const x = sheet.width * share + random.between(-20, 20)
    const scale = base / extentOf(member.icon)
    const place = { x, y: far - sheet.height * 0.015, scale, anchor: 'foot' as const }
    return { ...placed(member, place, sheet, random), grounded: true }
  })
}

/** A single landmark stands on one side; its company keeps to the other. */
function leanFrom(back: readonly Item[], sheet: Sheet): number {
  const [landmark, another] = back
  if (!landmark || another) return 0
  return (landmark.x < sheet.width / 2 ? 0.15 : -0.15) * sheet.width
}

/** Spread over a band in a loose grid. */
function scatter(
  members: readonly Member[],
  sheet: Sheet,
  band: { top: number; bottom: number },
  most: number,
  random: Random,
): Item[] {
  const count = members.length
  if (count === 0) return []
  const height = band.bottom - band.top
  const width = sheet.width * 0.9
  const columns = Math.max(1, Math.min(count, Math.round(Math.sqrt((count * width) / height))))
  const lines = Math.ceil(count / columns)
  const cellHeight = height / lines
  const mean = members.reduce((sum, { size }) => sum + size, 0) / count
  const cell = Math.min(width / columns, cellHeight) * (count === 1 ? 0.92 : 0.86)
  const base = Math.min(most, cell) / Math.max(1, mean * 0.85)
  const play = count === 1 ? 0.12 : 0.16
  return members.map((member, at) => {
    const line = Math.floor(at / columns)
    const column = at - line * columns
    const cellWidth = width / (line === lines - 1 ? count - line * columns : columns)
    const side = member.subject.spot === 'left' ? -0.2 : member.subject.spot === 'right' ? 0.2 : 0
    const across = cellWidth * (column + 0.5 + random.between(-play, play) + (line % 2) * 0.14)
    const x = sheet.width * (0.05 + side) + across
    const y = band.top + cellHeight * (line + 0.5 + random.between(-0.14, 0.14))
    const size = base * member.size * (count > 1 ? random.between(0.86, 1.12) : 1)
    const scale = size / extentOf(member.icon)
    return inside(placed(member, { x, y, scale, anchor: 'centre' }, sheet, random), sheet)
  })
}

/** Shrinks and moves a piece so that it is wholly on the sheet. */
function inside(item: Item, sheet: Sheet): Item {
  const margin = 18
  const across = (sheet.width - 2 * margin) / widthOf(item.icon)
  const scale = Math.min(item.scale, across, (sheet.height - 2 * margin) / heightOf(item.icon))
  const w = (widthOf(item.icon) * scale) / 2
  const h = (heightOf(item.icon) * scale) / 2
  const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value))
  const x = clamp(item.x, margin + w, sheet.width - margin - w)
  return { ...item, scale, x, y: clamp(item.y, margin + h, sheet.height - margin - h) }
}

/** "Left of", "above" and "behind", once everything has its place. */
function relate(items: Item[], subjects: readonly Subject[], random: Random): void {
  for (const subject of subjects) {
    const { relation } = subject
    if (!relation) continue
    const own = items.filter((item) => item.subject === subject)
    const [first] = own
    const other = items.find((item) => item.subject === subjects[relation.of])
    if (!first || !other) continue
    const wrong =
      relation.kind === 'left' ? first.x > other.x : relation.kind === 'right' && first.x < other.x
    if (wrong) [first.x, other.x] = [other.x, first.x]
    if (relation.kind === 'above' && own.length === 1)
      first.x += (other.x - first.x) * random.between(0.55, 0.8)
    if (relation.kind === 'behind') {
      for (const item of own) item.y -= 34
      items.sort((a, b) => Number(a.subject !== subject) - Number(b.subject !== subject))
    }
  }
}

/** Sets riders on their mounts, behind the mount's flank so that they sit in and not on it. */
function withRiders(
  items: readonly Item[],
  riders: readonly Member[],
  subjects: readonly Subject[],
  random: Random,
): Item[] {
  const all = [...items]
  // The last named is sat upon first: a mouse riding a cat riding a horse.
  for (const rider of riders.toReversed()) {
    const mounts = all.filter((item) => item.subject === subjects[rider.subject.relation?.of as number])
    const mount = mounts[rider.index % Math.max(1, mounts.length)]
    if (!mount) continue
    const { bounds, name } = mount.icon
    const middle = (bounds.left + bounds.right) / 2
    const [sx, sy] = saddleOf(name) ?? [middle, bounds.top + (bounds.bottom - bounds.top) * 0.22]
    const rest = mount.anchor === 'foot' ? bounds.bottom : (bounds.top + bounds.bottom) / 2
    const height = heightOf(mount.icon) * mount.scale * 0.72 * Math.min(1.1, Math.max(0.62, rider.size))
    // A figure's legs hang down behind its mount; an animal stands on it.
    const sink = rider.icon.bounds.bottom > 150 ? 0.24 : 0.1
    const { subject, icon, index } = rider
    all.splice(all.indexOf(mount) + (seatsInFront(name) ? 1 : 0), 0, {
      subject,
      icon,
      index,
      x: mount.x + (sx - middle) * mount.scale * (mount.flip ? -1 : 1) + random.between(-6, 6),
      y: mount.y + (sy - rest) * mount.scale + height * sink,
      scale: height / heightOf(icon),
      flip: mount.flip && mayFlip(icon.name),
      anchor: 'foot',
      grounded: false,
    })
  }
  return all
}
