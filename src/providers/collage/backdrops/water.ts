/** Water in all its depths: open sea, beach and lake from above, and the world below. */
import { adjust, mix } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { below, hill, mountains, pines, ridge } from './land.ts'
import { paintSky } from './sky.ts'

/** Open water to the horizon; subjects swim or sail in it. */
export function paintSea(stage: Stage): Backdrop {
  const { height, light } = stage
  const random = stage.random('sea')
  const horizon = height * 0.54
  let behind = paintSky(stage, horizon)
  behind += waterBody(stage, horizon, height)
  const near = light.land('#1673b8', 0)
  let front = ''
  for (let index = 0; index < 3; index++) {
    const line = ridge(random, height * (0.66 + index * 0.06), 12, 240)
    behind += swell(stage, line, mix(near, light.haze, 0.3 - index * 0.1))
  }
  front += swell(stage, ridge(random, height * 0.885, 15, 260), near)
  front += swell(stage, ridge(random, height * 0.95, 14, 300), adjust(near, -0.05))
  return {
    behind,
    front,
    water: { top: height * 0.74, bottom: height * 0.9, surface: true },
    sky: { top: height * 0.06, bottom: height * 0.46 },
    shadow: adjust(near, -0.15),
  }
}

/** A lake among pines, with a meadow shore in front. */
export function paintLake(stage: Stage): Backdrop {
  const { height, light, weather } = stage
  const random = stage.random('lake')
  const snowy = weather.has('snow') || weather.has('snowy')
  const horizon = height * 0.5
  let behind = paintSky(stage, horizon)
  behind += mountains(
    stage,
    random,
    horizon + 20,
    Math.min(320, height * 0.3),
    light.land('#66799f', 0.6),
    true,
  )
  const shore = ridge(random, horizon, 14)
  if (!stage.without('trees')) behind += pines(stage, random, shore, 130, 0.45, 46)
  behind += hill(stage, shore, light.land(snowy ? '#dce8f4' : '#5c9c58', 0.4), 0.03)
  behind += waterBody(stage, horizon + 36, height)
  const ground = light.land(snowy ? '#eef4fb' : '#6bb04f', 0.02)
  behind += hill(stage, ridge(random, height * 0.8, 26), ground, 0.06)
  return {
    behind,
    front: '',
    ground: { near: height * 0.93, far: height * 0.84 },
    water: { top: height * 0.64, bottom: height * 0.74, surface: true },
    sky: { top: height * 0.05, bottom: height * 0.4 },
    shadow: adjust(ground, -0.3),
  }
}

/** Sand in front, palms at the sides, surf and sea behind. */
export function paintBeach(stage: Stage): Backdrop {
  const { width, height, light } = stage
  const random = stage.random('beach')
  const horizon = height * 0.5
  let behind = paintSky(stage, horizon) + waterBody(stage, horizon, height * 0.8)
  const sand = light.land('#f3d79b', 0)
  const line = ridge(random, height * 0.715, 20, 900)
  behind += `<path fill="${light.land('#8fdcde', 0.1)}" fill-opacity=".8" d="${below(stage, (x) => line(x) - 34)}"/>`
  behind += `<path fill="${light.land('#ffffff', 0)}" fill-opacity=".9" d="${below(stage, (x) => line(x) - 12 + Math.sin(x / 38) * 4)}"/>`
  behind += `<path fill="${adjust(sand, -0.07)}" d="${below(stage, line)}"/>`
  behind += hill(stage, (x) => line(x) + 16, sand, 0.04)
  behind += speckle(stage, height * 0.76, adjust(sand, -0.09))
  if (!stage.without('trees')) {
    const tall = Math.min(430, height * 0.42)
    behind += stage.prop('palm-tree', width * random.between(0.02, 0.09), height * 0.8, tall, { flip: true })
    behind += stage.prop('palm-tree', width * random.between(0.91, 0.99), height * 0.77, tall * 0.85)
    for (let x = 1400; x < width - 500; x += random.between(700, 1100))
      behind += stage.prop('palm-tree', x, height * 0.76, tall * 0.8, { flip: random.chance(0.5) })
  }
  const shell = stage.prop('spiral-shell', width * random.between(0.12, 0.3), height * 0.975, 46)
  return {
    behind,
    front: shell,
    ground: { near: height * 0.92, far: height * 0.79 },
    water: { top: height * 0.58, bottom: height * 0.66, surface: true },
    sky: { top: height * 0.05, bottom: height * 0.42 },
    shadow: adjust(sand, -0.32),
  }
}

/** Blue depths with shafts of light, a reef below and bubbles on their way up. */
export function paintUnderwater(stage: Stage): Backdrop {
  const { width, height, light, paints } = stage
  const random = stage.random('underwater')
  const dark = light.dark
  const stops = dark ? ['#14507e', '#0b2f5e', '#061a3d'] : ['#4fd0e6', '#1e92c9', '#0b4f92']
  let behind = `<rect width="${width}" height="${height}" fill="${paints.linear(stops.map((colour, index) => [index / 2, colour]))}"/>`
  const shaft = paints.linear([
    [0, '#eaffff', dark ? 0.2 : 0.42],
    [1, '#eaffff', 0],
  ])
  for (let x = random.between(-100, 100); x < width; x += random.between(130, 260)) {
    const w = random.between(30, 90)
    behind += `<path fill="${shaft}" d="M${round(x)} -10h${round(w)}l${round(w + 130)} ${round(height * 0.85)}h${round(-w * 2.2)}z"/>`
  }
  const deep = dark ? '#0a2a55' : '#12649f'
  behind += reefRow(stage, height * 0.72, mix(deep, stops[1] as string, 0.45), 150)
  behind += reefRow(stage, height * 0.8, deep, 120)
  const sand = mix(dark ? '#38517a' : '#d8c795', deep, 0.28)
  behind += hill(stage, ridge(random, height * 0.885, 18), sand, 0.06)
  behind += speckle(stage, height * 0.91, adjust(sand, -0.1))
  let front = ''
  for (let x = random.between(10, 100); x < width; x += random.between(150, 290)) {
    const y = height * random.between(0.95, 1.01)
    const kind = random.pick(['coral', 'weed', 'rock', 'coral', 'weed'])
    const item =
      kind === 'coral'
        ? stage.prop('coral', x, y, random.between(110, 190), {
            flip: random.chance(0.5),
            colour: random.pick([undefined, '#ff7fb0', '#b07cff', '#ffb347']),
          })
        : kind === 'rock'
          ? stage.prop('rock', x, y + 8, random.between(60, 100))
          : seaweed(stage, x, y, random.between(130, 260))
    // The outer fifths may cover a swimmer a little, the middle never.
    if (x < width * 0.2 || x > width * 0.8) front += item
    else behind += item
  }
  front += bubbles(stage)
  return {
    behind,
    front,
    water: { top: height * 0.1, bottom: height * 0.84 },
    ground: { near: height * 0.96, far: height * 0.9 },
    sky: { top: height * 0.08, bottom: height * 0.6 },
    shadow: adjust(sand, -0.25),
  }
}

function waterBody(stage: Stage, top: number, bottom: number): string {
  const { light, paints, width } = stage
  const sky = light.sky.at(-1) as string
  // Water mirrors the sky upside down; by day it is mostly its own blue.
  const day = light.time === 'day'
  const far = day ? mix(light.land('#2f9ccc', 0.2), sky, 0.5) : mix(sky, light.sky[1] as string, 0.3)
  const near = mix(day ? light.land('#1878b8', 0) : '#2b5fa8', light.sky[0] as string, day ? 0.1 : 0.55)
  const fill = paints.linear([
    [0, far],
    [1, near],
  ])
  const random = stage.random('glints')
  let glints = ''
  for (let index = 0; index < width / 14; index++) {
    const share = random.next() ** 1.6
    const y = top + 6 + share * (bottom - top) * 0.9
    const length = 14 + share * 70
    glints += `M${round(random.next() * width)} ${round(y)}h${round(length)}`
  }
  return (
    `<rect stroke="none" x="0" y="${round(top)}" width="${width}" height="${round(stage.height - top + 2)}" fill="${fill}"/>` +
    `<path d="${glints}" stroke="${mix(light.glow, '#ffffff', 0.4)}" stroke-width="3" stroke-linecap="round" stroke-opacity="${light.time === 'day' ? 0.5 : 0.4}" fill="none"/>`
  )
}

function swell(stage: Stage, line: (x: number) => number, colour: string): string {
  const crest = mix(colour, '#ffffff', stage.light.dark ? 0.25 : 0.6)
  const fill = stage.paints.linear([
    [0, adjust(colour, 0.06)],
    [0.5, colour],
    [1, adjust(colour, -0.06)],
  ])
  return `<path fill="${crest}" d="${below(stage, line, 20)}"/><path fill="${fill}" d="${below(stage, (x) => line(x) + 6 + 4 * Math.sin(x / 60), 20)}"/>`
}

function speckle(stage: Stage, top: number, colour: string): string {
  const random = stage.random(`speckle${Math.round(top)}`)
  let dots = ''
  for (let index = 0; index < stage.width / 14; index++) {
    dots += `<ellipse cx="${round(random.next() * stage.width)}" cy="${round(random.between(top, stage.height))}" rx="${round(random.between(2, 5))}" ry="${round(random.between(1.2, 2.6))}"/>`
  }
  return `<g fill="${colour}" fill-opacity=".5">${dots}</g>`
}

function reefRow(stage: Stage, y: number, colour: string, height: number): string {
  const random = stage.random(`reef${Math.round(y)}`)
  let svg = ''
  for (let x = -40; x < stage.width + 60; x += random.between(50, 120)) {
    const h = height * random.between(0.3, 1)
    const w = random.between(50, 110)
    svg += `<path d="M${round(x - w)} ${round(stage.height)}V${round(y + 30)}C${round(x - w)} ${round(y - h)} ${round(x + w)} ${round(y - h)} ${round(x + w)} ${round(y + 30)}V${round(stage.height)}z"/>`
    if (random.chance(0.4)) svg += seaweedPath(random.between(0.8, 1.2), x, y - h * 0.3, h * 1.2)
  }
  return `<g fill="${colour}">${svg}</g>`
}

function seaweedPath(sway: number, x: number, y: number, h: number): string {
  const s = round(22 * sway)
  return `<path d="M${round(x - 9)} ${round(y + 20)}c${-s} ${round(-h * 0.3)} ${s} ${round(-h * 0.5)} ${round(s * 0.3)} ${round(-h)}c${s} ${round(h * 0.4)} ${-s * 0.4} ${round(h * 0.6)} 18 ${round(h)}z"/>`
}

function seaweed(stage: Stage, x: number, y: number, h: number): string {
  const random = stage.random(`weed${Math.round(x)}`)
  const colour = random.pick(['#2fae7a', '#1f8f6b', '#58b947'])
  let svg = ''
  for (let index = 0; index < 4; index++)
    svg += seaweedPath(random.between(-1.3, 1.3), x + (index - 1.5) * 17, y, h * random.between(0.55, 1))
  return `<g fill="${stage.light.land(colour, 0.08)}">${svg}</g>`
}

function bubbles(stage: Stage): string {
  const random = stage.random('bubbles')
  let svg = ''
  for (let group = 0; group < stage.width / 200; group++) {
    const x = random.next() * stage.width
    let y = random.between(0.3, 0.9) * stage.height
    for (let index = 0; index < 6; index++) {
      const r = random.between(4, 15)
      const at = x + random.between(-24, 24)
      svg += `<circle cx="${round(at)}" cy="${round(y)}" r="${round(r)}"/><path d="M${round(at - r * 0.5)} ${round(y - r * 0.2)}q${round(r * 0.1)} ${round(-r * 0.4)} ${round(r * 0.5)} ${round(-r * 0.4)}"/>`
      y -= random.between(26, 60)
    }
  }
  return `<g fill="#ffffff" fill-opacity=".16" stroke="#f2ffff" stroke-opacity=".75" stroke-width="2" stroke-linecap="round">${svg}</g>`
}
