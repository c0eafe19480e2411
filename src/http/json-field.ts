/**
 * Names the field at which a JSON text stops, so that a refusal in the middle of a body can say what it is about.
 * It walks the bytes, because regular expressions run out of stack on strings of megabytes.
 */

const quote = 0x22
const backslash = 0x5c
const longestNameBytes = 1_000

/** `image[3]` or `input.mask`; null where there is no name yet. The text may break off anywhere. */
export function fieldAtEnd(json: Buffer): string | null {
  /** The name of the current field, or the place in a list, from the outside in. */
  const levels: (string | number)[] = []
  let string: [start: number, end: number] = [0, 0]
  for (let at = 0; at < json.length; at++) {
    const inner = levels.at(-1)
    switch (json[at]) {
      case quote: {
        const end = endOfString(json, at)
        string = [at, end + 1]
        at = end
        break
      }
      case 0x7b: // {
        levels.push('')
        break
      case 0x5b: // [
        levels.push(0)
        break
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop()
        break
      case 0x3a: // :
        if (typeof inner === 'string') levels[levels.length - 1] = nameOf(json.subarray(...string))
        break
      case 0x2c: // ,
        if (typeof inner === 'number') levels[levels.length - 1] = inner + 1
        break
    }
  }
  const path = levels.slice(0, 64).reduce<string>((before, level) => {
    if (typeof level === 'number') return `${before}[${level}]`
    return before === '' ? level : `${before}.${level}`
  }, '')
  return path === '' ? null : path.slice(0, 200).toWellFormed()
}

function endOfString(json: Buffer, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1
  return Math.min(at, json.length)
}

function nameOf(token: Buffer): string {
  try {
    return String(JSON.parse(token.toString('utf8', 0, longestNameBytes))).slice(0, 100)
  } catch {
    return ''
  }
}
