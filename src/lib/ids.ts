/**
 * Identifiers: a prefix that says what the thing is, then 24 hex digits. The first eight digits are the
 * second of creation, so that ids sort by age and index pages stay warm; the other 64 bits are random,
 * so that nobody can guess a neighbour.
 */
import { randomBytes } from 'node:crypto'

export type IdPrefix = 'image' | 'img' | 'bucket' | 'acct' | 'key' | 'node' | 'req'

/** A new id such as `image_67a1f0c3d9e8b7a6f5e4d3c2` (24 hex digits after the prefix). */
export function createId(prefix: IdPrefix, now: Date = new Date()): string {
  const seconds = Math.floor(now.getTime() / 1000) >>> 0
  return `${prefix}_${seconds.toString(16).padStart(8, '0')}${randomBytes(8).toString('hex')}`
}

/** Does the text look like an id of this kind? Lets a lookup answer "not found" without asking the database. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return (
    text.length === prefix.length + 25 &&
    text.startsWith(`${prefix}_`) &&
    /^[0-9a-f]{24}$/.test(text.slice(-24))
  )
}
