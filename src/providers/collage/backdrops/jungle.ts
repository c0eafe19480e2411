/** A jungle: palms and broad leaves in layers, light from above, vines at the edge. */
import { adjust } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { grass, hill, mist, ridge } from './land.ts'
import { paintSky } from './sky.ts'
import { fireflies } from './weather.ts'

export function paintJungle(stage: Stage): Backdrop {
  const { width, height, light } = stage
  const random = stage.random('jungle')
  let behind = paintSky(stage, height * 0.6)
  for (const [index, depth] of [0.75, 0.5, 0.28].entries()) {
    const line = ridge(random, height * (0.5 + index * 0.08), 34, 420)
    behind += canopy(stage, line, light.land('#1d7a4c', depth))
    if (!stage.without('trees')) {
      for (let x = random.between(0, 120); x < width; x += random.between(150, 270)) {
        const name = random.pick(['palm-tree', 'deciduous-tree', 'palm-tree'])
        behind += stage.prop(name, x, line(x) + 60, random.between(240, 360) * (0.75 + index * 0.2), {
          depth,
          flip: random.chance(0.5),
        })
      }
    }
    behind += mist(stage, height * (0.6 + index * 0.07), 130, 0.3)
  }
  const ground = light.land('#4f8f3c', 0.03)
  behind += hill(stage, ridge(random, height * 0.74, 16), ground, 0.07)
  if (light.dark) behind += fireflies(stage, height * 0.4, height * 0.85, Math.round(width / 60))
  const line = ridge(random, height * 0.985, 10)
  const front =
    grass(stage, random, line, light.land('#2b7a3a', 0), 30, 80) + fronds(stage, light.land('#17603c', 0))
  return {
    behind,
    front,
    ground: { near: height * 0.9, far: height * 0.77 },
    sky: { top: height * 0.08, bottom: height * 0.45 },
    shadow: adjust(ground, -0.3),
  }
}

function canopy(stage: Stage, line: (x: number) => number, colour: string): string {
  const random = stage.random(`canopy${colour}`)
  let svg = ''
  for (let x = -40; x < stage.width + 60; x += random.between(46, 84)) {
    svg += `<circle cx="${round(x)}" cy="${round(line(x))}" r="${round(random.between(44, 78))}"/>`
  }
  return `<g fill="${colour}">${svg}</g>${hill(stage, line, colour, 0.05)}`
}

/** Big leaves that reach in from the two upper corners. */
function fronds(stage: Stage, colour: string): string {
  const leaf = (x: number, y: number, turn: number, scale: number, shade: number) =>
    `<g transform="translate(${round(x)} ${round(y)}) rotate(${turn}) scale(${scale})"><path fill="${adjust(colour, shade)}" d="M0 0C60-70 190-80 290 0C190 80 60 70 0 0z"/><path fill="none" stroke="${adjust(colour, shade + 0.08)}" stroke-width="5" d="M6 0H270M70 0l40-36M70 0l40 36M130 0l40-38M130 0l40 38M190 0l34-28M190 0l34 28"/></g>`
  const { width } = stage
  return (
    leaf(-30, -10, 62, 1, -0.02) +
    leaf(-40, 40, 28, 0.9, 0.03) +
    leaf(60, -40, 88, 0.7, 0) +
    leaf(width + 30, -10, 118, 1, -0.02) +
    leaf(width + 40, 40, 152, 0.9, 0.03) +
    leaf(width - 60, -40, 92, 0.7, 0)
  )
}
