/** A piece of artwork, cleaned and measured: what the rest of the folder composes with. */
import type { Bounds } from './measure.ts'

/** One piece on its board, which is 128 wide and 128 or more tall. */
export interface Icon {
  name: string
  body: string
  /** What of the board is painted. */
  bounds: Bounds
}
