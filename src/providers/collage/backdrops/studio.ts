/** A quiet table top against a plain wall: for cups, cakes and other still lifes, and for plain backgrounds. */
import { adjust, mix, toHex, toOklch } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'

/** Wall, table and the disc behind the subject. */
const SETS = [
  ['#f6d7c3', '#d98e6a', '#fbeadb'],
  ['#cfe3dc', '#7fae9c', '#e9f4ee'],
  ['#f7e3a8', '#e0a94b', '#fdf3d3'],
  ['#d6dcf2', '#8795c9', '#edf0fb'],
  ['#f4cfd8', '#d0829a', '#fce9ee'],
] as const

/** `colour` replaces the seed's choice: "on a yellow background". */
export function paintStudio(stage: Stage, colour?: string): Backdrop {
  const { width, height, paints, light } = stage
  const random = stage.random('studio')
  const [wall, table, disc] = (colour ? around(colour) : random.pick(SETS)).map((hex) =>
    light.dark ? mix(hex, '#1d2756', 0.55) : hex,
  ) as [string, string, string]
  const edge = height * 0.7
  const r = Math.min(width * 0.4, height * 0.36)
  const x = width / 2
  let behind = `<rect width="${width}" height="${height}" fill="${paints.linear([
    [0, adjust(wall, 0.02)],
    [1, adjust(wall, -0.03)],
  ])}"/>`
  behind += `<circle cx="${x}" cy="${round(height * 0.47)}" r="${round(r)}" fill="${disc}"/><circle cx="${x}" cy="${round(height * 0.47)}" r="${round(r + 34)}" fill="none" stroke="${disc}" stroke-width="5" stroke-opacity=".7"/>`
  behind += pattern(stage, adjust(wall, -0.05))
  behind += `<rect x="0" y="${round(edge)}" width="${width}" height="${round(height - edge)}" fill="${paints.linear(
    [
      [0, adjust(table, 0.03)],
      [1, adjust(table, -0.07)],
    ],
  )}"/><rect x="0" y="${round(edge)}" width="${width}" height="9" fill="${adjust(table, 0.09)}"/>`
  return {
    behind,
    front: '',
    ground: { near: height * 0.86, far: height * 0.77 },
    sky: { top: height * 0.1, bottom: height * 0.55 },
    shadow: adjust(table, -0.28),
  }
}

function around(colour: string): [string, string, string] {
  const { l, c, h } = toOklch(colour)
  return [colour, toHex({ l: l - 0.1, c: c * 1.05, h }), toHex({ l: Math.min(0.97, l + 0.1), c: c * 0.7, h })]
}

/** A light scatter of dots, dashes or rings at the wall's edges. */
function pattern(stage: Stage, colour: string): string {
  const random = stage.random('pattern')
  const { width, height } = stage
  const kind = random.whole(0, 2)
  let svg = ''
  for (let y = 50; y < height * 0.68; y += 92) {
    for (let x = (Math.round(y / 92) % 2) * 46 + 24; x < width; x += 92) {
      if (Math.hypot(x - width / 2, y - height * 0.47) < Math.min(width * 0.4, height * 0.36) + 60) continue
      if (kind === 0) svg += `<circle cx="${x}" cy="${y}" r="7" fill="${colour}"/>`
      else if (kind === 1)
        svg += `<path d="M${x - 9} ${y}h18M${x} ${y - 9}v18" stroke="${colour}" stroke-width="5" stroke-linecap="round"/>`
      else svg += `<circle cx="${x}" cy="${y}" r="9" fill="none" stroke="${colour}" stroke-width="4"/>`
    }
  }
  return `<g fill-opacity=".75" stroke-opacity=".75">${svg}</g>`
}
