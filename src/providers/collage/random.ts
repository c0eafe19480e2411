/**
 * Chance that can be repeated: the same seed always gives the same picture, byte for byte.
 *
 * Nothing in this folder may ask `Math.random` or the clock while it draws.
 */

/** A stream of pseudo-random choices. Every call moves the stream on by one. */
export interface Random {
  /** 0 inclusive to 1 exclusive. */
  next(): number
  between(low: number, high: number): number
  /** A whole number, both ends included. */
  whole(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
}

/** A 32-bit hash of a text (FNV-1a with a final mix), for seeds that come from words. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** A stream for one purpose: two purposes never share numbers, so a change in one part leaves the rest alone. */
export function createRandom(seed: number, purpose: string): Random {
  let state = (seed ^ hashText(purpose)) >>> 0
  // Seeds are often neighbours (seed, seed + 1), so each step mixes as mulberry32 does.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  next()
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    whole: (low, high) => Math.floor(low + (high - low + 1) * next()),
    chance: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)] as (typeof list)[number],
  }
}
