/**
 * Counts what a JSON text would cost before it is parsed: nesting, keys, values and text. One pass over the bytes
 * that jumps across strings and ends at the first bound it meets, so that no body holds the process up for long.
 */

export interface JsonMeasure {
  depth: number
  keys: number
  /** Commas, which is about one less than the values of each list. */
  items: number
  /** Bytes of strings, with their quotes. */
  textBytes: number
  /** Bytes outside of strings: numbers, punctuation and white space. */
  otherBytes: number
}

const quote = 0x22
const backslash = 0x5c

/**
 * Answers what there is too much of, or undefined. Exact for well-formed JSON; of anything else it says something
 * harmless, and the parser refuses it.
 */
export function firstExcess(bytes: Buffer, limits: JsonMeasure): keyof JsonMeasure | undefined {
  let depth = 0
  let keys = 0
  let items = 0
  let textBytes = 0
  for (let at = 0; at < bytes.length; at++) {
    if (at - textBytes >= limits.otherBytes) return 'otherBytes'
    switch (bytes[at]) {
      case quote: {
        const end = endOfString(bytes, at, limits.textBytes - textBytes)
        if (end === undefined) return 'textBytes'
        textBytes += end - at + 1
        at = end
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > limits.depth) return 'depth'
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
      case 0x3a: // :
        if (++keys > limits.keys) return 'keys'
        break
      case 0x2c: // ,
        if (++items > limits.items) return 'items'
        break
    }
  }
  return undefined
}

/** The position of the quote that ends the string which begins at `start`; undefined where it is too long. */
function endOfString(bytes: Buffer, start: number, maxBytes: number): number | undefined {
  const reach = bytes.subarray(0, start + maxBytes)
  const first = reach.indexOf(quote, start + 1)
  if (first !== -1 && reach[first - 1] !== backslash) return first
  // Searching again from escape to escape would cost more than walking.
  for (let at = start + 1; first !== -1 && at < reach.length; at++) {
    if (reach[at] === backslash) at++
    else if (reach[at] === quote) return at
  }
  return reach.length < bytes.length ? undefined : bytes.length
}
