/**
 * Walkers side by side: one to three rows on the ground, the nearest in front, bent a little so that they
 * stand together and not on parade.
 */
import { extentOf, heightOf, type Item, type Member, placed, type Sheet, widthOf } from './item.ts'
import type { Random } from './random.ts'

/** Where rows may stand. */
export interface Floor {
  near: number
  far: number
  /** Nothing reaches above this line. */
  clear: number
  /** Moves the whole group sideways, away from a landmark. */
  lean: number
}

/** The rows' pieces, furthest first. */
export function standInRows(members: readonly Member[], sheet: Sheet, floor: Floor, random: Random): Item[] {
  if (members.length === 0) return []
  const { count, base } = planRows(members, sheet, random)
  const tallest = Math.max(...members.map((member) => heightOf(member.icon) * scaleOf(member, base)))
  const fit = Math.min(1, (floor.near - floor.clear) / tallest)
  const lines = deal(members, count)
  const items: Item[] = []
  for (let row = count - 1; row >= 0; row--) {
    const depth = count === 1 ? 0.12 : (row / (count - 1)) * 0.95
    const foot = floor.near + (floor.far - floor.near) * depth
    const line = sided(lines[row] as Member[])
    items.push(...standInLine(line, base * fit * 0.84 ** row, foot, row % 2 === 1, sheet, floor.lean, random))
  }
  return items
}

const scaleOf = (member: Member, base: number) => (base * member.size) / extentOf(member.icon)

/** The fewest rows that keep the pieces large. */
function planRows(members: readonly Member[], sheet: Sheet, random: Random): { count: number; base: number } {
  const crowd = Math.max(1, members.length / Math.max(1, sheet.width / 1100))
  const lone = Math.min(450 * Math.min(1.35, sheet.height / 1000), sheet.height * 0.48)
  const wanted = (lone * random.between(0.86, 1)) / crowd ** 0.26
  const total = members.reduce((sum, member) => sum + widthOf(member.icon) * scaleOf(member, 1), 0)
  const most = members.length <= 3 ? 1 : members.length <= 7 ? 2 : 3
  const options = [1, 2, 3].slice(0, most).map((count) => {
    return { count, base: Math.min(wanted * 0.92 ** (count - 1), (sheet.width * 0.92 * count) / total) }
  })
  return options.reduce((best, option) => (option.base > best.base * 1.1 ? option : best))
}

function standInLine(
  line: readonly Member[],
  base: number,
  foot: number,
  shifted: boolean,
  sheet: Sheet,
  lean: number,
  random: Random,
): Item[] {
  const several = line.length > 2
  const widths = line.map((member) => widthOf(member.icon) * scaleOf(member, base))
  const used = widths.reduce((sum, width) => sum + width, 0)
  const room = Math.max(0, sheet.width * 0.94 - used)
  const gap = Math.min(room / (line.length + 1), Math.max(24, (used / line.length) * (several ? 0.26 : 0.3)))
  const bend = several ? random.between(-0.05, 0.045) * sheet.height : 0
  let x = startOf(line, sheet, used + gap * (line.length - 1), lean, random) + (shifted ? gap * 0.4 : 0)
  return line.map((member, at) => {
    const width = widths[at] as number
    const bent = bend * (1 - Math.abs((2 * at) / Math.max(1, line.length - 1) - 1))
    const lift = line.length > 1 ? random.between(-0.012, 0.012) * sheet.height : 0
    // What the bend brings nearer also grows.
    const scale =
      scaleOf(member, base) * (1 + (bent * 1.6) / sheet.height) * (several ? random.between(0.94, 1.06) : 1)
    const item = placed(
      member,
      { x: x + width / 2, y: foot + lift + bent, scale, anchor: 'foot' },
      sheet,
      random,
    )
    x += width + gap
    return item
  })
}

/** Deals members into rows, the small in front, each kind together. */
function deal(members: readonly Member[], count: number): Member[][] {
  const lines: Member[][] = Array.from({ length: count }, () => [])
  const inOrder = [...members].sort((a, b) => a.size - b.size)
  for (const [at, member] of inOrder.entries()) {
    const row = Math.min(count - 1, Math.floor((at * count) / inOrder.length))
    ;(lines[row] as Member[]).push(member)
  }
  return lines
}

/** "On the left" comes first, "on the right" last; the rest keep the prompt's order. */
function sided(line: readonly Member[]): Member[] {
  const side = ({ subject }: Member) => (subject.spot === 'left' ? -1 : subject.spot === 'right' ? 1 : 0)
  return [...line].sort((a, b) => side(a) - side(b))
}

function startOf(line: readonly Member[], sheet: Sheet, used: number, lean: number, random: Random): number {
  const spots = new Set(line.map(({ subject }) => subject.spot))
  const middle = (sheet.width - used) / 2
  if (spots.size === 1 && spots.has('left')) return Math.max(20, sheet.width * 0.27 - used / 2)
  if (spots.size === 1 && spots.has('right'))
    return Math.min(sheet.width - used - 20, sheet.width * 0.73 - used / 2)
  const play = Math.min(middle, sheet.width * (sheet.width > 1500 ? 0.16 : 0.05))
  return Math.max(16, Math.min(sheet.width - used - 16, middle + random.between(-play, play) + lean))
}
