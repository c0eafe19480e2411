/** Rows of houses with lit windows, a street or a square in front. */
import { adjust, mix } from '../colours.ts'
import { round } from '../paints.ts'
import type { Random } from '../random.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { mist } from './land.ts'
import { paintSky } from './sky.ts'

const WALLS = {
  day: ['#e58f6f', '#e9b872', '#7fb0c9', '#c98aa0', '#92b58a', '#b3a0cf', '#d9a58a'],
  dark: ['#5a6bc0', '#5464b4', '#6a63bd', '#4a66ac', '#7a68b8'],
}
const NEON = ['#ff3fa4', '#22e1ff', '#9d5cff', '#ffe14a']

export function paintCity(stage: Stage): Backdrop {
  const { width, height, light, weather } = stage
  const random = stage.random('city')
  const street = height * 0.74
  const tall = Math.min(height * 0.42, 620)
  let behind = paintSky(stage, street)
  behind += skyline(stage, random, street, tall * 1.05, 0.78, 74)
  behind += mist(stage, street - 60, 260, weather.has('mist') ? 0.8 : 0.35)
  behind += skyline(stage, random, street, tall * 0.8, 0.5, 96)
  behind += mist(stage, street - 20, 180, weather.has('mist') ? 0.8 : 0.25)
  behind += skyline(stage, random, street, tall * 0.52, 0.12, 128)
  const snowy = weather.has('snow') || weather.has('snowy')
  const road = light.land(snowy ? '#d7e1ec' : '#6d7688', 0)
  const kerb = light.land(snowy ? '#f1f6fb' : '#b9bdc6', 0.04)
  const fill = stage.paints.linear([
    [0, adjust(road, 0.05)],
    [1, adjust(road, -0.06)],
  ])
  behind += `<rect x="0" y="${round(street)}" width="${width}" height="44" fill="${kerb}"/><rect x="0" y="${round(street + 38)}" width="${width}" height="8" fill="${adjust(kerb, -0.12)}"/>`
  behind += `<rect x="0" y="${round(street + 46)}" width="${width}" height="${round(height - street)}" fill="${fill}"/>`
  if (!snowy) {
    for (let x = 40; x < width; x += 210)
      behind += `<path fill="#fff7dc" fill-opacity=".65" d="M${x} ${round(height * 0.9)}h96l-8 13h-100z"/>`
  }
  if (!stage.without('trees')) behind += streetThings(stage, random, street + 34)
  return {
    behind,
    front: '',
    ground: { near: height * 0.93, far: height * 0.83 },
    sky: { top: height * 0.05, bottom: height * 0.44 },
    shadow: adjust(road, -0.25),
  }
}

function skyline(
  stage: Stage,
  random: Random,
  foot: number,
  tall: number,
  depth: number,
  mean: number,
): string {
  const { light, width } = stage
  const low = light.time !== 'day'
  const neon = stage.features.has('neon')
  const glow = neon ? NEON : ['#ffd98a', '#ffe9b0', '#ffc46b']
  let svg = ''
  for (let x = random.between(-60, 0); x < width; ) {
    const w = mean * random.between(0.75, 1.35)
    const h = tall * random.between(0.45, 1)
    const wall = light.land(random.pick(light.dark ? WALLS.dark : WALLS.day), depth)
    svg += building(random, x, foot, w, h, wall)
    svg += windows(
      random,
      x,
      foot,
      w,
      h,
      low ? glow : [mix(wall, '#eaf7ff', 0.55)],
      adjust(wall, low ? -0.06 : -0.12),
      low ? 0.55 : 0.85,
      depth,
    )
    if (neon && depth < 0.3 && random.chance(0.6)) {
      svg += `<rect x="${round(x + w * 0.1)}" y="${round(foot - h * 0.55)}" width="12" height="${round(h * 0.3)}" rx="6" fill="${random.pick(NEON)}"/>`
    }
    x += w + (depth < 0.3 ? random.between(-2, 10) : random.between(-8, 2))
  }
  return svg
}

function building(random: Random, x: number, foot: number, w: number, h: number, wall: string): string {
  const shade = adjust(wall, -0.05)
  const top = foot - h
  const roofs = [
    '',
    `<path fill="${shade}" d="M${round(x - 4)} ${round(top + 1)}L${round(x + w / 2)} ${round(top - w * 0.42)}L${round(x + w + 4)} ${round(top + 1)}z"/>`,
    `<rect x="${round(x + w * 0.2)}" y="${round(top - 26)}" width="${round(w * 0.6)}" height="28" fill="${wall}"/><rect x="${round(x + w * 0.48)}" y="${round(top - 76)}" width="4" height="52" fill="${shade}"/>`,
    `<path fill="${wall}" d="M${round(x)} ${round(top + 1)}a${round(w / 2)} ${round(w * 0.3)} 0 0 1 ${round(w)} 0z"/>`,
    `<rect x="${round(x - 5)}" y="${round(top - 8)}" width="${round(w + 10)}" height="12" fill="${shade}"/>`,
  ]
  return `<rect x="${round(x)}" y="${round(top)}" width="${round(w)}" height="${round(h + 2)}" fill="${wall}"/><rect x="${round(x + w * 0.72)}" y="${round(top)}" width="${round(w * 0.28)}" height="${round(h + 2)}" fill="${shade}"/>${random.pick(roofs)}`
}

function windows(
  random: Random,
  x: number,
  foot: number,
  w: number,
  h: number,
  lit: readonly string[],
  unlit: string,
  share: number,
  depth: number,
): string {
  const columns = Math.max(2, Math.round(w / 28))
  const cell = w / columns
  const paths = new Map<string, string>()
  for (let y = foot - h + 18; y < foot - 30; y += 32) {
    for (let column = 0; column < columns; column++) {
      const colour = random.chance(share) ? random.pick(lit) : unlit
      const pane = `M${round(x + cell * (column + 0.24))} ${round(y)}h${round(cell * 0.52)}v18h${round(-cell * 0.52)}z`
      paths.set(colour, (paths.get(colour) ?? '') + pane)
    }
  }
  return Array.from(
    paths,
    ([colour, path]) => `<path d="${path}" fill="${colour}" fill-opacity="${round(0.95 - depth * 0.6)}"/>`,
  ).join('')
}

/** Lamps and trees along the kerb. */
function streetThings(stage: Stage, random: Random, y: number): string {
  const { width, light } = stage
  const pole = light.land('#3a4356', 0)
  const halo = stage.paints.radial([
    [0, '#fff0b0', 0.85],
    [0.3, '#ffdf8a', 0.35],
    [1, '#ffdf8a', 0],
  ])
  let svg = ''
  for (let x = random.between(60, 160), index = 0; x < width - 30; x += random.between(250, 340), index++) {
    if (index % 2 === 0) {
      svg += `<path fill="${pole}" d="M${round(x - 4)} ${round(y)}v-170h8v170zM${round(x - 12)} ${round(y)}h24v-10h-24z"/><circle cx="${round(x)}" cy="${round(y - 178)}" r="15" fill="${light.time === 'day' ? '#f7f3e2' : '#fff3c2'}"/>`
      if (light.time !== 'day')
        svg += `<ellipse cx="${round(x)}" cy="${round(y + 20)}" rx="150" ry="40" fill="${halo}" fill-opacity=".6"/><circle cx="${round(x)}" cy="${round(y - 178)}" r="90" fill="${halo}"/>`
    } else
      svg += stage.prop(
        random.pick(['deciduous-tree', 'deciduous-tree', 'evergreen-tree']),
        x,
        y + 4,
        random.between(120, 160),
        { depth: 0.05 },
      )
  }
  return svg
}
