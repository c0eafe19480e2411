/** The moment since when something is switched off. */

/** After a wish to have it off or on, or none; what was off stays off since then. */
export function switched(offSince: Date | null, off: boolean | undefined, now: Date): Date | null {
  if (off === undefined) return offSince
  return off ? (offSince ?? now) : null
}
