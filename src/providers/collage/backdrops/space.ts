/** Deep space: nebulae, stars and far planets; with a moon's or a planet's ground where one is asked for. */
import { adjust, mix } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { hill, ridge } from './land.ts'
import { paintStars } from './sky.ts'

const SKIES = [
  ['#0b0a2a', '#241452', '#4a1d6b', '#ff6fb1', '#5ad1ff'],
  ['#06112e', '#0f2a5c', '#1d4a7a', '#48e0c8', '#8f7bff'],
  ['#120826', '#2c1250', '#5c2a63', '#ff9b6a', '#c86bff'],
] as const

export function paintSpace(stage: Stage): Backdrop {
  const { width, height, paints } = stage
  const random = stage.random('space')
  const [top, middle, bottom, first, second] = random.pick(SKIES)
  let behind = `<rect width="${width}" height="${height}" fill="${paints.linear(
    [
      [0, top],
      [0.55, middle],
      [1, bottom],
    ],
    20,
  )}"/>`
  behind += nebula(stage, first, second)
  behind += paintStars(stage, height, 120)
  const planets = Math.max(2, Math.round(width / 500))
  for (let index = 0; index < planets; index++) behind += planet(stage, index, planets)
  const base = {
    behind,
    front: '',
    water: { top: height * 0.12, bottom: height * 0.88 },
    sky: { top: height * 0.1, bottom: height * 0.82 },
    shadow: '#0a0824',
  }
  const lunar = stage.features.has('moon-ground')
  if (!lunar && !stage.features.has('mars')) return base
  const ground = lunar ? '#b9bccb' : '#c8643c'
  behind += hill(stage, ridge(random, height * 0.68, 34), mix(ground, bottom, 0.45), 0.05)
  behind += hill(stage, ridge(random, height * 0.745, 22), ground, 0.08) + craters(stage, ground)
  return {
    behind,
    front: '',
    ground: { near: height * 0.92, far: height * 0.79 },
    sky: { top: height * 0.08, bottom: height * 0.5 },
    shadow: adjust(ground, -0.3),
  }
}

function nebula(stage: Stage, first: string, second: string): string {
  const random = stage.random('nebula')
  let svg = ''
  const lean = random.between(-0.35, 0.35)
  for (let index = 0; index < Math.round(7 * Math.max(1, stage.width / 1200)); index++) {
    const colour = random.pick([first, second])
    const fill = stage.paints.radial([
      [0, colour, 0.36],
      [0.5, colour, 0.14],
      [1, colour, 0],
    ])
    const x = random.next() * stage.width
    const y = stage.height * 0.5 + (x - stage.width / 2) * lean + random.between(-0.22, 0.22) * stage.height
    svg += `<ellipse cx="${round(x)}" cy="${round(y)}" rx="${round(random.between(190, 360))}" ry="${round(random.between(110, 220))}" fill="${fill}" transform="rotate(${random.whole(-30, 30)} ${round(x)} ${round(y)})"/>`
  }
  return svg
}

function planet(stage: Stage, index: number, count: number): string {
  const random = stage.random(`planet${index}`)
  const { width, height, paints } = stage
  const x = ((index + random.between(0.12, 0.88)) / count) * width
  const y = height * (random.chance(0.6) ? random.between(0.08, 0.26) : random.between(0.76, 0.92))
  const r = index === 0 ? random.between(74, 130) : random.between(22, 54)
  const colour = random.pick(['#ff9a76', '#7ad0ff', '#c9a2ff', '#ffd27a', '#7ee0b0'])
  const fill = paints.linear(
    [
      [0, adjust(colour, 0.06)],
      [0.55, colour],
      [1, adjust(colour, -0.32)],
    ],
    -40,
  )
  const clip = paints.define(
    (id) => `<clipPath id="${id}"><circle cx="${round(x)}" cy="${round(y)}" r="${round(r)}"/></clipPath>`,
  )
  let bands = ''
  for (let at = -0.7; at < 0.8; at += random.between(0.28, 0.5)) {
    bands += `<ellipse cx="${round(x)}" cy="${round(y + at * r)}" rx="${round(r * 1.1)}" ry="${round(r * random.between(0.06, 0.14))}"/>`
  }
  const halo = paints.radial([
    [0.6, colour, 0.35],
    [1, colour, 0],
  ])
  const turn = random.whole(-28, -10)
  const ring = (front: boolean) =>
    index === 0 && r > 84
      ? `<path transform="rotate(${turn} ${round(x)} ${round(y)})" fill="none" stroke="${mix(colour, '#ffffff', 0.45)}" stroke-width="${round(r * 0.13)}" stroke-opacity=".85" d="M${round(x - r * 1.65)} ${round(y)}a${round(r * 1.65)} ${round(r * 0.42)} 0 0 ${front ? 0 : 1} ${round(r * 3.3)} 0"/>`
      : ''
  return (
    `<circle cx="${round(x)}" cy="${round(y)}" r="${round(r * 1.5)}" fill="${halo}"/>${ring(false)}<circle cx="${round(x)}" cy="${round(y)}" r="${round(r)}" fill="${fill}"/>` +
    `<g clip-path="url(#${clip})" fill="${adjust(colour, -0.12)}" opacity=".3" transform="rotate(${turn} ${round(x)} ${round(y)})">${bands}</g>${ring(true)}`
  )
}

function craters(stage: Stage, ground: string): string {
  const random = stage.random('craters')
  let svg = ''
  for (let index = 0; index < stage.width / 80; index++) {
    const share = random.next()
    const x = random.next() * stage.width
    const y = stage.height * (0.78 + share * 0.2)
    const r = random.between(14, 34) * (0.6 + share)
    svg += `<ellipse cx="${round(x)}" cy="${round(y)}" rx="${round(r)}" ry="${round(r * 0.34)}" fill="${adjust(ground, -0.12)}"/><ellipse cx="${round(x)}" cy="${round(y + r * 0.09)}" rx="${round(r * 0.9)}" ry="${round(r * 0.25)}" fill="${adjust(ground, -0.05)}"/>`
  }
  return svg
}
