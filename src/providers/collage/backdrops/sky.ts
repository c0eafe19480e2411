/** Skies: the gradient, the sun or moon, stars and clouds, shared by every outdoor place. */
import { adjust, mix } from '../colours.ts'
import { round, type Stop } from '../paints.ts'
import type { Stage } from '../stage.ts'

/** The whole sky down to `horizon`, with whatever belongs in it at this hour. */
export function paintSky(stage: Stage, horizon: number): string {
  const { width, height, light, paints, weather } = stage
  const bottom = Math.min(height, horizon + 120)
  const stops: Stop[] = light.sky.map((colour, index) => [index / (light.sky.length - 1), colour])
  let svg = `<rect stroke="none" width="${width}" height="${bottom}" fill="${paints.linear(stops)}"/>`
  const veiled = weather.has('rain') || weather.has('storm')
  if (light.dark && !stage.without('stars') && !veiled) svg += paintStars(stage, horizon, 70)
  if (weather.has('aurora')) svg += paintAurora(stage, horizon)
  if (!veiled) svg += light.dark ? paintMoon(stage, horizon) : paintSun(stage, horizon)
  if (weather.has('rainbow') || stage.features.has('rainbow')) svg += paintRainbow(stage, horizon)
  if (!stage.without('clouds')) svg += paintClouds(stage, horizon)
  return svg
}

/** Stars, a few of them with rays; thinner towards the horizon. */
export function paintStars(stage: Stage, horizon: number, density: number): string {
  const random = stage.random('stars')
  const count = Math.round((density * stage.width * horizon) / 600_000)
  let dots = ''
  let rays = ''
  for (let index = 0; index < count; index++) {
    const x = round(random.next() * stage.width)
    const y = round(random.next() ** 1.3 * horizon * 0.95)
    const r = round(random.between(0.9, 2.6))
    if (random.chance(0.1)) {
      const s = r * 4.5
      rays += `<path d="M${x} ${round(y - s)}q${round(s * 0.12)} ${round(s * 0.88)} ${round(s)} ${round(s)}q-${round(s * 0.88)} ${round(s * 0.12)}-${round(s)} ${round(s)}q-${round(s * 0.12)}-${round(s * 0.88)}-${round(s)}-${round(s)}q${round(s * 0.88)}-${round(s * 0.12)} ${round(s)}-${round(s)}z"/>`
    } else dots += `<circle cx="${x}" cy="${y}" r="${r}" fill-opacity="${round(random.between(0.35, 1))}"/>`
  }
  return `<g fill="#fffbe8">${dots}${rays}</g>`
}

function paintSun(stage: Stage, horizon: number): string {
  if (stage.without('sun')) return ''
  const random = stage.random('sun')
  const { light, width, paints } = stage
  const low = light.time !== 'day'
  const x = width * (random.chance(0.5) ? random.between(0.18, 0.36) : random.between(0.64, 0.82))
  const y = low ? horizon - random.between(40, 120) : Math.max(130, horizon * random.between(0.2, 0.34))
  const r = low ? 100 : 62
  const halo = paints.radial([
    [0, light.glow, low ? 0.95 : 0.9],
    [0.3, light.glow, low ? 0.5 : 0.4],
    [1, light.glow, 0],
  ])
  const disc = paints.radial([
    [0, '#fffdf0'],
    [0.75, '#fff6cf'],
    [1, low ? '#ffe49a' : '#fff0b0'],
  ])
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${r * 4}" fill="${halo}" stroke="none"/><circle cx="${round(x)}" cy="${round(y)}" r="${r}" fill="${disc}"/>`
}

function paintMoon(stage: Stage, horizon: number): string {
  if (stage.without('moon')) return ''
  const random = stage.random('moon')
  const { light, width, paints } = stage
  const x = width * (random.chance(0.5) ? random.between(0.16, 0.34) : random.between(0.66, 0.84))
  const y = Math.max(120, horizon * random.between(0.22, 0.38))
  const r = stage.features.has('moon') ? 105 : 74
  const halo = paints.radial([
    [0, light.glow, 0.55],
    [0.22, light.glow, 0.26],
    [0.5, light.glow, 0.08],
    [1, light.glow, 0],
  ])
  const disc = paints.radial([
    [0, '#fffef4'],
    [1, '#f3e6b8'],
  ])
  const crater = (dx: number, dy: number, size: number) =>
    `<circle cx="${round(x + dx * r)}" cy="${round(y + dy * r)}" r="${round(size * r)}" fill="#d9c98f" fill-opacity=".45"/>`
  return (
    `<circle cx="${round(x)}" cy="${round(y)}" r="${r * 4.4}" fill="${halo}" stroke="none"/>` +
    `<circle cx="${round(x)}" cy="${round(y)}" r="${r}" fill="${disc}"/>` +
    crater(-0.35, -0.25, 0.2) +
    crater(0.3, 0.1, 0.26) +
    crater(-0.15, 0.45, 0.15) +
    crater(0.25, -0.5, 0.11)
  )
}

function paintAurora(stage: Stage, horizon: number): string {
  const random = stage.random('aurora')
  const { width, paints } = stage
  let svg = ''
  for (const colour of ['#4dffb8', '#5ad1ff', '#b57bff']) {
    const fill = paints.linear([
      [0, colour, 0],
      [0.6, colour, 0.42],
      [1, colour, 0],
    ])
    const y = horizon * random.between(0.1, 0.35)
    const h = horizon * random.between(0.35, 0.5)
    const lift = random.between(-120, 120)
    svg += `<path stroke="none" fill="${fill}" d="M0 ${round(y)}C${round(width * 0.3)} ${round(y - lift)} ${round(width * 0.6)} ${round(y + lift)} ${width} ${round(y - 60)}V${round(y + h - 60)}C${round(width * 0.6)} ${round(y + h + lift)} ${round(width * 0.3)} ${round(y + h - lift)} 0 ${round(y + h)}Z"/>`
  }
  return svg
}

function paintRainbow(stage: Stage, horizon: number): string {
  const x = stage.width * stage.random('rainbow').between(0.4, 0.6)
  const colours = ['#ff5a5a', '#ffa53d', '#ffe14d', '#5fd068', '#4aa8ff', '#9a6bff']
  const arcs = colours.map((colour, index) => {
    return `<circle cx="${round(x)}" cy="${round(horizon + 60)}" r="${Math.round(horizon * 0.86) - index * 17}" stroke="${colour}"/>`
  })
  return `<g fill="none" stroke-width="18" stroke-opacity=".55">${arcs.join('')}</g>`
}

function paintClouds(stage: Stage, horizon: number): string {
  const { light, width, weather } = stage
  const random = stage.random('clouds')
  const heavy =
    weather.has('rain') || weather.has('storm') || weather.has('cloudy') || stage.features.has('clouds')
  const count = Math.round((heavy ? 8 : light.dark ? 3 : 4) * Math.max(1, width / 1200))
  const top = light.dark ? mix(light.haze, '#ffffff', 0.12) : mix('#ffffff', light.haze, heavy ? 0.35 : 0.06)
  const base = mix(top, light.sky[1] as string, light.dark ? 0.6 : 0.34)
  let svg = ''
  for (let index = 0; index < count; index++) {
    const x = ((index + random.between(0.15, 0.85)) / count) * width
    const y = horizon * random.between(0.1, heavy ? 0.5 : 0.62)
    svg += paintCloud(
      stage,
      x,
      y,
      random.between(0.55, 1.25) * (heavy ? 1.5 : 1),
      adjust(top, 0),
      base,
      light.dark ? 0.5 : 0.9,
    )
  }
  return svg
}

/** One flat-bottomed cloud, about 220 units wide at scale 1. */
export function paintCloud(
  stage: Stage,
  x: number,
  y: number,
  scale: number,
  top: string,
  base: string,
  opacity: number,
): string {
  const random = stage.random(`cloud${Math.round(x)}`)
  const fill = stage.paints.linear([
    [0, top],
    [1, base],
  ])
  const bump = () => random.between(0.8, 1.2)
  const a = round(26 * bump())
  const b = round(44 * bump())
  const c = round(36 * bump())
  return `<path transform="translate(${round(x)} ${round(y)}) scale(${round(scale)})" fill="${fill}" fill-opacity="${opacity}" d="M-104 24a${a} ${a} 0 0 1 22-48a${b} ${b} 0 0 1 74-20a${c} ${c} 0 0 1 62 18a28 28 0 0 1 42 50z"/>`
}
