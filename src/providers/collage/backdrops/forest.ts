/** A clearing among pines: rows of trees fade into haze, two great trees frame the view. */
import { adjust, mix } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { flowers, grass, hill, mist, pines, ridge } from './land.ts'
import { paintSky } from './sky.ts'
import { fireflies } from './weather.ts'

export function paintForest(stage: Stage): Backdrop {
  const { width, height, light, weather } = stage
  const random = stage.random('forest')
  const snowy = weather.has('snow') || weather.has('snowy')
  const autumn = weather.has('autumn')
  const horizon = height * 0.6
  const trees = !stage.without('trees')
  const misty = weather.has('mist')
  let behind = paintSky(stage, horizon)
  const rows = [
    { y: 0.53, tree: 210, depth: 0.86, gap: 46 },
    { y: 0.58, tree: 290, depth: 0.64, gap: 66 },
    { y: 0.64, tree: 370, depth: 0.42, gap: 100 },
  ]
  const floor = snowy ? '#eef4fb' : autumn ? '#b98a45' : '#5f9a4c'
  for (const [index, row] of rows.entries()) {
    const line = ridge(random, height * row.y, 20)
    if (trees)
      behind +=
        autumn && index > 0
          ? mixedTrees(stage, line, row.tree, row.depth * 0.62, row.gap)
          : pines(stage, random, line, row.tree, row.depth, row.gap)
    behind += hill(
      stage,
      line,
      light.land(snowy ? '#dfe9f5' : autumn ? '#a9813f' : '#4a8a4d', row.depth * 0.9),
      0.03,
    )
    if (misty) behind += mist(stage, height * (row.y + 0.01), 190, 0.75)
    else if (index < 2) behind += mist(stage, height * (row.y + 0.015), 120, 0.35)
  }
  if (!light.dark && !snowy && !weather.has('rain') && !weather.has('storm')) behind += rays(stage)
  const ground = light.land(floor, 0.06)
  behind += hill(stage, ridge(random, height * 0.7, 16), ground, 0.06)
  if (trees) behind += frame(stage)
  if (!snowy && !autumn)
    behind += flowers(stage, random, height * 0.74, height * 0.98, Math.round(width / 45))
  if ((light.dark || stage.features.has('magic')) && !snowy)
    behind += fireflies(stage, height * 0.42, height * 0.88, Math.round(width / 55))
  return {
    behind,
    front: misty ? mist(stage, height * 0.97, 230, 0.6) : edge(stage, snowy, ground),
    ground: { near: height * 0.91, far: height * 0.75 },
    sky: { top: height * 0.06, bottom: height * 0.46 },
    shadow: adjust(ground, -0.3),
  }
}

function mixedTrees(
  stage: Stage,
  line: (x: number) => number,
  tree: number,
  depth: number,
  gap: number,
): string {
  const random = stage.random(`autumn${tree}`)
  const colours = ['#e07b2a', '#d1492b', '#eab234', '#c9622b']
  let svg = ''
  for (let x = 0; x < stage.width + gap; x += gap * random.between(1.1, 2)) {
    svg += stage.prop('deciduous-tree', x, line(x) + 14, tree * random.between(0.7, 1.05), {
      depth,
      colour: random.pick(colours),
    })
  }
  return svg
}

/** Slanting light through the trees. */
function rays(stage: Stage): string {
  const random = stage.random('rays')
  const { width, height, light } = stage
  const fill = stage.paints.linear([
    [0, light.glow, 0.34],
    [1, light.glow, 0],
  ])
  let svg = ''
  const from = random.chance(0.5) ? 1 : -1
  for (let index = 0; index < 4; index++) {
    const x = width * (0.2 + index * 0.2) + random.between(-60, 60)
    const w = random.between(30, 80)
    const lean = from * random.between(150, 240)
    svg += `<path stroke="none" fill="${fill}" d="M${round(x)} 0h${round(w)}L${round(x + w * 2.2 + lean)} ${round(height * 0.76)}H${round(x + lean)}z"/>`
  }
  return svg
}

/** Two or more big trees that lean into the picture from its sides. */
function frame(stage: Stage): string {
  const { width, height } = stage
  const random = stage.random('frame')
  const line = () => height * 0.79
  const margin = Math.min(190, width * 0.15)
  return pines(
    stage,
    random,
    line,
    Math.min(620, height * 0.58),
    0.1,
    150,
    (x) => x > margin * random.between(0.4, 1) && x < width - margin * random.between(0.4, 1),
  )
}

function edge(stage: Stage, snowy: boolean, ground: string): string {
  const { height } = stage
  const random = stage.random('edge')
  const line = ridge(random, height * 0.975, 14, 800)
  const colour = snowy ? adjust(ground, 0.03) : adjust(ground, -0.07)
  const blades = snowy ? '' : grass(stage, random, (x) => line(x) + 6, colour, 34, 46)
  return blades + hill(stage, line, snowy ? mix(colour, '#ffffff', 0.3) : colour, 0.05)
}
