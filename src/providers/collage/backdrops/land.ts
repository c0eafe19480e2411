/** Land: hills, mounds, grass, pines and mist, from which the outdoor places are built. */
import { adjust, mix } from '../colours.ts'
import { round } from '../paints.ts'
import type { Random } from '../random.ts'
import type { Stage } from '../stage.ts'

/** A soft ridge from edge to edge: two waves whose lengths and starts are the stream's choice. */
export function ridge(random: Random, y: number, swing: number, length = 620): (x: number) => number {
  const first = random.between(0, Math.PI * 2)
  const second = random.between(0, Math.PI * 2)
  const stretch = random.between(0.8, 1.25) * length
  return (x) =>
    y +
    Math.sin(x / (stretch / 6.28) + first) * swing * 0.7 +
    Math.sin(x / (stretch / 15) + second) * swing * 0.25
}

/** The path of everything below a ridge. */
export function below(stage: Stage, line: (x: number) => number, step = 50): string {
  const points: string[] = []
  for (let x = -step; x <= stage.width + step; x += step) points.push(`${x} ${round(line(x))}`)
  let path = `M${points[0]}`
  for (let index = 1; index < points.length; index++) {
    const x = -step + index * step
    path += `Q${x - step} ${round(line(x - step))} ${x - step / 2} ${round((line(x - step) + line(x)) / 2)}T${points[index]}`
  }
  return `${path}V${stage.height + 10}H${-step}Z`
}

/** A hill with light on its crest and a breath of shadow on what lies behind it. */
export function hill(stage: Stage, line: (x: number) => number, colour: string, contrast = 0.09): string {
  const d = below(stage, line)
  const fill = stage.paints.linear([
    [0, adjust(colour, contrast * 0.7)],
    [0.35, colour],
    [1, adjust(colour, -contrast)],
  ])
  const dark = adjust(colour, -0.2)
  return (
    `<path stroke="none" d="${d}" fill="${dark}" fill-opacity=".08" transform="translate(0 -12)"/>` +
    `<path stroke="none" d="${d}" fill="${dark}" fill-opacity=".1" transform="translate(0 -5)"/><path d="${d}" fill="${fill}"/>`
  )
}

/** Straight-edged mountains with a lit side and, where asked, snow on top. */
export function mountains(
  stage: Stage,
  random: Random,
  y: number,
  height: number,
  colour: string,
  snow: boolean,
): string {
  let svg = ''
  const lit = adjust(colour, 0.07)
  const cap = mix('#ffffff', stage.light.haze, stage.light.dark ? 0.55 : 0.15)
  const capShade = mix(cap, colour, 0.3)
  for (let x = random.between(-200, 0); x < stage.width + 200; x += random.between(260, 380)) {
    const h = height * random.between(0.6, 1)
    const w = h * random.between(0.75, 0.95)
    const lean = random.between(-0.12, 0.12) * w
    const point = (dx: number, up: number) => `${round(x + dx)} ${round(y - h * up)}`
    svg += `<path fill="${colour}" d="M${point(-w, 0)}L${point(lean, 1)}L${point(w, 0)}z"/>`
    svg += `<path fill="${lit}" d="M${point(-w, 0)}L${point(lean, 1)}L${point(lean * 0.5 + w * 0.1, 0.62)}L${point(-w * 0.12, 0.4)}L${point(w * 0.08, 0)}z"/>`
    if (!snow) continue
    const edge = (share: number, side: number) => point(lean + (side * w - lean) * share, 1 - share)
    svg += `<path fill="${capShade}" d="M${edge(0, 1)}L${edge(0.34, 1)}L${point(lean + w * 0.14, 0.76)}L${point(lean + w * 0.04, 0.66)}z"/>`
    svg += `<path fill="${cap}" d="M${edge(0, 1)}L${edge(0.34, -1)}L${point(lean - w * 0.16, 0.78)}L${point(lean - w * 0.05, 0.62)}L${point(lean + w * 0.05, 0.72)}z"/>`
  }
  return svg
}

/** A pine 100 wide and 200 tall standing on 0,0, as markup to be placed with `use`. */
function pineShape(colour: string, snow: string | undefined): string {
  const lit = adjust(colour, 0.045)
  const trunk = adjust(mix(colour, '#5a3b2a', 0.6), -0.08)
  const tiers: readonly (readonly [top: number, bottom: number, half: number])[] = [
    [-118, -22, 50],
    [-152, -62, 41],
    [-182, -104, 31],
    [-206, -146, 20],
  ]
  let svg = `<rect x="-6" y="-30" width="12" height="32" fill="${trunk}"/>`
  for (const [top, bottom, half] of tiers) {
    const skirt = `Q${half * 0.72} ${bottom - 2} ${half * 0.5} ${bottom + 8}Q${half * 0.22} ${bottom} 0 ${bottom + 11}Q${-half * 0.24} ${bottom} ${-half * 0.5} ${bottom + 8}Q${-half * 0.74} ${bottom - 2} ${-half} ${bottom + 3}`
    svg += `<path fill="${colour}" d="M0 ${top}Q${half * 0.3} ${bottom - 26} ${half} ${bottom + 3}${skirt}Q${-half * 0.3} ${bottom - 26} 0 ${top}z"/>`
    svg += `<path fill="${lit}" d="M0 ${top}Q${-half * 0.3} ${bottom - 26} ${-half} ${bottom + 3}Q${-half * 0.5} ${bottom - 8} ${-half * 0.12} ${bottom - 6}z"/>`
    if (snow) {
      svg += `<path fill="${snow}" d="M0 ${top}Q${-half * 0.3} ${bottom - 26} ${-half} ${bottom + 3}Q${-half * 0.62} ${bottom - 9} ${-half * 0.5} ${bottom - 2}Q${-half * 0.3} ${bottom - 26} ${-half * 0.08} ${bottom - 22}Q${half * 0.1} ${bottom - 34} ${half * 0.26} ${bottom - 26}Q${half * 0.1} ${bottom - 50} 0 ${top}z"/>`
    }
  }
  return svg
}

/** A row of pines along a ridge; `height` is a tree's mean height. */
export function pines(
  stage: Stage,
  random: Random,
  line: (x: number) => number,
  height: number,
  depth: number,
  gap: number,
  skip?: (x: number) => boolean,
): string {
  const snowy = stage.weather.has('snow') || stage.weather.has('snowy')
  const green = stage.light.land(random.pick(['#1f6b45', '#26734a', '#1c6350']), depth)
  const snow = snowy ? stage.light.land('#f4faff', depth * 0.7) : undefined
  const id = stage.paints.define((id) => `<g id="${id}">${pineShape(green, snow)}</g>`)
  const dark = stage.paints.define((id) => `<g id="${id}">${pineShape(adjust(green, -0.035), snow)}</g>`)
  let svg = ''
  for (let x = random.between(-gap, 0); x < stage.width + gap; x += gap * random.between(0.65, 1.35)) {
    const scale = (height / 200) * random.between(0.72, 1.25)
    const shape = random.chance(0.5) ? id : dark
    if (skip?.(x)) continue
    svg += `<use href="#${shape}" transform="translate(${round(x)} ${round(line(x) + 6)}) scale(${round(scale * random.between(0.88, 1.08))} ${round(scale)})"/>`
  }
  return svg
}

/** A bank of mist lying across the picture around `y`. */
export function mist(stage: Stage, y: number, thickness: number, opacity: number): string {
  const colour = mix(stage.light.haze, '#ffffff', stage.light.dark ? 0.28 : 0.35)
  const fill = stage.paints.linear([
    [0, colour, 0],
    [0.55, colour, opacity],
    [1, colour, 0],
  ])
  const random = stage.random(`mist${Math.round(y)}`)
  const puff = stage.paints.radial([
    [0, colour, opacity * 0.9],
    [1, colour, 0],
  ])
  let svg = `<rect x="0" y="${round(y - thickness / 2)}" width="${stage.width}" height="${round(thickness)}" fill="${fill}" stroke="none"/>`
  const count = Math.ceil(stage.width / 420)
  for (let index = 0; index < count; index++) {
    const x = ((index + random.next()) / count) * stage.width
    svg += `<ellipse cx="${round(x)}" cy="${round(y + random.between(-0.15, 0.15) * thickness)}" rx="${round(random.between(240, 380))}" ry="${round(thickness * 0.34)}" fill="${puff}" stroke="none"/>`
  }
  return svg
}

/** Tufts of grass along a line, for the front edge of a lawn; none on a flat stage. */
export function grass(
  stage: Stage,
  random: Random,
  line: (x: number) => number,
  colour: string,
  gap: number,
  height: number,
): string {
  let light = ''
  let dark = ''
  for (let x = random.between(0, gap); x < stage.width; x += gap * random.between(0.5, 1.5)) {
    const h = height * random.between(0.6, 1.2)
    const lean = random.between(-0.35, 0.35) * h
    const y = line(x)
    const blade = (dx: number, dy: number) =>
      `M${round(x + dx)} ${round(y)}q${round(lean * 0.2)} ${round(-h * 0.6)} ${round(lean + dx * 1.6)} ${round(-h - dy)}q${round(-lean * 0.1 + 4)} ${round(h * 0.6)} ${round(8 - lean - dx * 1.6)} ${round(h + dy)}z`
    if (random.chance(0.5)) light += blade(0, 0) + blade(-7, -h * 0.3) + blade(7, -h * 0.25)
    else dark += blade(0, 0) + blade(-7, -h * 0.3) + blade(7, -h * 0.25)
  }
  // The stream has moved on as far as with grass, so that nothing else changes its place.
  if (stage.flat) return ''
  return `<path fill="${adjust(colour, 0.05)}" d="${light || 'M0 0'}"/><path fill="${adjust(colour, -0.04)}" d="${dark || 'M0 0'}"/>`
}

/** Small flowers scattered over a band. */
export function flowers(stage: Stage, random: Random, top: number, bottom: number, count: number): string {
  const colours = ['#ffffff', '#ffd84d', '#ff8fb4', '#f4645f', '#b79bff', '#7ec3ff'].map((c) =>
    stage.light.land(c, 0.05),
  )
  let svg = ''
  for (let index = 0; index < count; index++) {
    const near = random.next()
    const x = random.next() * stage.width
    const y = top + near * (bottom - top)
    const r = 3 + near * 7
    const colour = random.pick(colours)
    const petal = (dx: number, dy: number) =>
      `<circle cx="${round(x + dx * r)}" cy="${round(y + dy * r)}" r="${round(r * 0.62)}"/>`
    svg += `<g fill="${colour}">${petal(0, -0.75)}${petal(0.72, -0.2)}${petal(0.45, 0.62)}${petal(-0.45, 0.62)}${petal(-0.72, -0.2)}</g><circle cx="${round(x)}" cy="${round(y)}" r="${round(r * 0.5)}" fill="${stage.light.land(colour === colours[1] ? '#c9731f' : '#ffc933', 0.05)}"/>`
  }
  return svg
}
