/** A piece on its place: what the ways of placing things share. */

import { mayFlip } from './habitats.ts'
import type { Icon } from './icon.ts'
import type { Placement } from './pieces.ts'
import type { Random } from './random.ts'
import type { Subject } from './read-prompt.ts'

/** The drawing area in units; its short edge is 1000. */
export interface Sheet {
  width: number
  height: number
}

/** One piece that wants a place: the `index`th of its subject. */
export interface Member {
  subject: Subject
  icon: Icon
  index: number
  /** Factor on the size that all pieces of a zone share. */
  size: number
}

/** One drawn piece. */
export interface Item extends Placement {
  subject: Subject
  icon: Icon
  index: number
  /** True where feet touch something that takes a shadow. */
  grounded: boolean
}

export const widthOf = ({ bounds }: Icon) => bounds.right - bounds.left
export const heightOf = ({ bounds }: Icon) => bounds.bottom - bounds.top

/** A piece's size as one number, fair to the long and to the tall. */
export const extentOf = (icon: Icon) => Math.sqrt(widthOf(icon) * heightOf(icon))

/** Puts a member at x, y, looking into the picture. */
export function placed(
  member: Member,
  placement: Omit<Placement, 'flip'>,
  sheet: Sheet,
  random: Random,
): Item {
  const { subject, icon, index } = member
  // Most pieces look left; on the left half they turn round, so that all look into the picture.
  const central = Math.abs(placement.x / sheet.width - 0.5) < 0.08
  const turned = central ? random.chance(0.5) : placement.x < sheet.width / 2
  return { subject, icon, index, ...placement, flip: turned && mayFlip(icon.name), grounded: false }
}
