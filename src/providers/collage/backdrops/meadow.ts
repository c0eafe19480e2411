/** Rolling hills under a wide sky: the place for whatever names no other. Also gardens, farms and snowfields. */
import { adjust } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { flowers, grass, hill, mist, mountains, pines, ridge } from './land.ts'
import { paintSky } from './sky.ts'
import { fireflies } from './weather.ts'

export function paintMeadow(stage: Stage): Backdrop {
  const { width, height, light, weather } = stage
  const random = stage.random('meadow')
  const snowy = weather.has('snow') || weather.has('snowy')
  const autumn = weather.has('autumn')
  const horizon = height * 0.58
  let behind = paintSky(stage, horizon)
  const alpine = stage.features.has('mountains') && !stage.without('mountains')
  if (alpine || random.chance(0.35)) {
    behind += mountains(
      stage,
      random,
      horizon + 30,
      Math.min(360, height * 0.34) * (alpine ? 1.1 : 0.7),
      light.land('#6c7fa6', 0.62),
      true,
    )
    behind += mist(stage, horizon + 10, 110, 0.5)
  }
  const greens = snowy
    ? ['#d4e3f2', '#dfeaf6', '#e9f1fa']
    : autumn
      ? ['#b5a14c', '#c79a45', '#c48b3c']
      : ['#6bb560', '#7cc258', '#6fb94e']
  for (const [index, depth] of [0.6, 0.36, 0.16].entries()) {
    const line = ridge(random, height * (0.575 + index * 0.06), 34 - index * 6, 900)
    if (!stage.without('trees')) behind += copse(stage, line, index, depth)
    behind += hill(stage, line, light.land(greens[index] as string, depth), 0.05)
    if (weather.has('mist')) behind += mist(stage, height * (0.6 + index * 0.06), 150, 0.7)
  }
  if (stage.features.has('farm')) behind += fence(stage, height * 0.735)
  const ground = light.land(snowy ? '#eef4fb' : autumn ? '#c08f41' : '#63b04a', 0.03)
  const lawn = ridge(random, height * 0.755, 14, 1100)
  behind += hill(stage, lawn, ground, 0.06)
  const blooming = !snowy && !stage.without('flowers')
  const many = stage.features.has('flowers') || stage.features.has('garden')
  if (blooming)
    behind += flowers(
      stage,
      random,
      height * 0.78,
      height * 0.99,
      Math.round((width / 1000) * (many ? 150 : 34)),
    )
  if ((light.dark || stage.features.has('magic')) && !snowy)
    behind += fireflies(stage, height * 0.5, height * 0.88, Math.round(width / 80))
  const edge = ridge(random, height * 0.985, 8)
  return {
    behind,
    front: snowy ? '' : grass(stage, random, (x) => edge(x) + 16, adjust(ground, -0.08), 24, 54),
    ground: { near: height * 0.91, far: height * 0.78 },
    sky: { top: height * 0.06, bottom: height * 0.5 },
    shadow: adjust(ground, -0.3),
  }
}

/** Far and middle trees: dark dots of pines far away, a few round trees nearer. */
function copse(stage: Stage, line: (x: number) => number, index: number, depth: number): string {
  const random = stage.random(`copse${index}`)
  const { width, weather } = stage
  if (index === 0 || weather.has('snow') || weather.has('snowy')) {
    const centre = random.between(0.1, 0.9) * width
    return pines(
      stage,
      random,
      line,
      70 + index * 55,
      depth,
      36 + index * 34,
      (x) => Math.abs(x - centre) < width * (0.2 + index * 0.1),
    )
  }
  const colours = ['#e07b2a', '#d1492b', '#eab234']
  let svg = ''
  const count = Math.max(1, Math.round((width / 1000) * 2))
  for (let at = 0; at < count; at++) {
    // Trees keep to the sides, so that subjects in the middle stay free.
    const side = at % 2 === 0 ? random.between(0.02, 0.24) : random.between(0.76, 0.98)
    const x = width < 2000 ? side * width : ((at + random.next()) / count) * width
    svg += stage.prop('deciduous-tree', x, line(x) + 16, (105 + index * 60) * random.between(0.8, 1.25), {
      depth: depth * 0.9,
      flip: random.chance(0.5),
      colour: weather.has('autumn') ? random.pick(colours) : undefined,
    })
  }
  return svg
}

function fence(stage: Stage, y: number): string {
  const colour = stage.light.land('#c39a6b', 0.1)
  let posts = ''
  for (let x = 20; x < stage.width; x += 92)
    posts += `<rect x="${x}" y="${round(y - 58)}" width="16" height="86" rx="5"/>`
  return `<g fill="${adjust(colour, -0.05)}">${posts}</g><g fill="${colour}"><rect x="0" y="${round(y - 40)}" width="${stage.width}" height="13"/><rect x="0" y="${round(y - 10)}" width="${stage.width}" height="13"/></g>`
}
