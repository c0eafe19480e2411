/**
 * Where the paint is: the bounds of an icon's shapes, read from their path data.
 *
 * End points alone are counted, not control points, which is exact enough to stand a fox on the grass. It
 * looks at numbers only and never lays out or renders anything.
 */

/** A box in board units, 0–128. */
export interface Bounds {
  left: number
  top: number
  right: number
  bottom: number
}

const BOARD = 128
/** How many numbers each path command takes. */
const ARITY: Readonly<Record<string, number>> = { m: 2, l: 2, t: 2, h: 1, v: 1, c: 6, s: 4, q: 4, a: 7, z: 0 }

/** The painted part of a body; the whole board where nothing can be read. */
export function measure(body: string): Bounds {
  let bounds: Bounds | undefined
  for (const shape of shapesOf(body)) bounds = bounds ? union(bounds, shape.bounds) : shape.bounds
  if (!bounds || bounds.right - bounds.left < 4 || bounds.bottom - bounds.top < 4) {
    return { left: 0, top: 0, right: BOARD, bottom: BOARD }
  }
  return bounds
}

/** Each filled shape with its paint (`#hex` or `url(#id)`) and its box. */
export function* shapesOf(body: string): Generator<{ paint: string; bounds: Bounds }> {
  for (const [tag] of body.matchAll(/<(?:path|circle|ellipse|rect)\b[^>]*>/g)) {
    const path = /\bd="([^"]*)"/.exec(tag)?.[1]
    const bounds = path === undefined ? roundBounds(tag) : pathBounds(path)
    if (bounds) yield { paint: /\bfill="([^"]*)"/.exec(tag)?.[1] ?? '#000000', bounds: clip(bounds) }
  }
}

function roundBounds(tag: string): Bounds | undefined {
  const number = (name: string) => Number(new RegExp(`\\b${name}="([\\d.-]+)"`).exec(tag)?.[1] ?? Number.NaN)
  const x = number('cx')
  const y = number('cy')
  const rx = number('rx') || number('r')
  const ry = number('ry') || number('r')
  return Number.isFinite(x + y + rx + ry)
    ? { left: x - rx, top: y - ry, right: x + rx, bottom: y + ry }
    : undefined
}

function pathBounds(path: string): Bounds | undefined {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  let x = 0
  let y = 0
  let startX = 0
  let startY = 0
  for (const [, command = '', numbers = ''] of path.matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)) {
    const kind = command.toLowerCase()
    const relative = kind === command
    if (kind === 'z') [x, y] = [startX, startY]
    const arity = ARITY[kind] ?? 0
    const values = numbersOf(numbers, kind === 'a')
    for (let at = 0; arity > 0 && at + arity <= values.length; at += arity) {
      const last = values[at + arity - 1] as number
      const previous = (kind === 'h' ? last : values[at + arity - 2]) as number
      if (kind !== 'v') x = relative ? x + previous : previous
      if (kind !== 'h') y = relative ? y + last : last
      if (kind === 'm' && at === 0) [startX, startY] = [x, y]
      bounds.left = Math.min(bounds.left, x)
      bounds.right = Math.max(bounds.right, x)
      bounds.top = Math.min(bounds.top, y)
      bounds.bottom = Math.max(bounds.bottom, y)
    }
  }
  return Number.isFinite(bounds.left + bounds.top) ? bounds : undefined
}

/** Arc flags may be written without a gap ("0 01.5"), so arcs are split number by number. */
function numbersOf(text: string, arcs: boolean): number[] {
  const numbers: number[] = []
  const pattern = /-?(?:\d*\.\d+|\d+\.?)(?:e-?\d+)?/gy
  for (let at = 0; at < text.length; ) {
    const slot = numbers.length % 7
    if (arcs && (slot === 3 || slot === 4) && (text[at] === '0' || text[at] === '1')) {
      numbers.push(Number(text[at]))
      at++
      continue
    }
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) numbers.push(Number(match[0]))
    at += match ? match[0].length : 1
  }
  return numbers
}

function clip(bounds: Bounds): Bounds {
  const inside = (value: number) => Math.max(0, Math.min(BOARD, value))
  return {
    left: inside(bounds.left),
    top: inside(bounds.top),
    right: inside(bounds.right),
    bottom: inside(bounds.bottom),
  }
}

function union(first: Bounds, second: Bounds): Bounds {
  return {
    left: Math.min(first.left, second.left),
    top: Math.min(first.top, second.top),
    right: Math.max(first.right, second.right),
    bottom: Math.max(first.bottom, second.bottom),
  }
}
