/** What falls and drifts between the picture and the eye: snow, rain, lightning, leaves, fireflies. */
import { round } from '../paints.ts'
import type { Stage } from '../stage.ts'

/** Everything the weather puts over the subjects. */
export function paintWeather(stage: Stage): string {
  const { weather } = stage
  let svg = ''
  if (weather.has('snow') && !stage.without('snow')) svg += snowfall(stage)
  if ((weather.has('rain') || weather.has('storm')) && !stage.without('rain')) svg += rainfall(stage)
  if (weather.has('autumn') && !stage.without('leaves')) svg += leaves(stage)
  return svg
}

function snowfall(stage: Stage): string {
  const random = stage.random('snowfall')
  const count = Math.round((stage.width * stage.height) / 9000)
  const soft = stage.paints.radial([
    [0, '#ffffff', 0.9],
    [1, '#ffffff', 0],
  ])
  let crisp = ''
  let blurred = ''
  for (let index = 0; index < count; index++) {
    const x = round(random.next() * stage.width)
    const y = round(random.next() * stage.height)
    if (random.chance(0.14))
      blurred += `<circle cx="${x}" cy="${y}" r="${round(random.between(9, 19))}" fill-opacity="${round(random.between(0.4, 0.8))}"/>`
    else
      crisp += `<circle cx="${x}" cy="${y}" r="${round(random.between(1.8, 5.4))}" fill-opacity="${round(random.between(0.5, 0.95))}"/>`
  }
  return `<g fill="#ffffff">${crisp}</g><g fill="${soft}">${blurred}</g>`
}

function rainfall(stage: Stage): string {
  const random = stage.random('rainfall')
  const count = Math.round((stage.width * stage.height) / 8000)
  let near = ''
  let far = ''
  for (let index = 0; index < count; index++) {
    const length = random.between(22, 64)
    const line = `M${round(random.next() * stage.width)} ${round(random.next() * stage.height)}l${round(-length * 0.22)} ${round(length)}`
    if (random.chance(0.4)) near += line
    else far += line
  }
  return (
    `<rect width="${stage.width}" height="${stage.height}" fill="#3d5570" fill-opacity=".12"/>` +
    `<g fill="none" stroke="#e4f1fb" stroke-linecap="round"><path d="${far}" stroke-width="1.600" stroke-opacity=".4"/><path d="${near}" stroke-width="2.800" stroke-opacity=".5"/></g>`
  )
}

/** A bolt from the clouds down to `y`, for behind the subjects. */
export function paintLightning(stage: Stage, y: number): string {
  const random = stage.random('lightning')
  let x = stage.width * random.between(0.2, 0.8)
  let path = `M${round(x)} 60`
  const branch: string[] = []
  for (let at = 60; at < y; at += y / 7) {
    x += random.between(-70, 70)
    path += `L${round(x)} ${round(at + y / 7)}`
    if (random.chance(0.4))
      branch.push(`M${round(x)} ${round(at + y / 7)}l${round(random.between(-90, 90))} ${round(y / 9)}`)
  }
  const glow = stage.paints.radial([
    [0, '#eaf2ff', 0.55],
    [1, '#eaf2ff', 0],
  ])
  return (
    `<ellipse cx="${round(x)}" cy="${round(y * 0.45)}" rx="420" ry="${round(y * 0.7)}" fill="${glow}"/>` +
    `<g fill="none" stroke-linejoin="round" stroke-linecap="round"><path d="${path}" stroke="#cfe0ff" stroke-width="13" stroke-opacity=".4"/><path d="${path}" stroke="#fffef2" stroke-width="5"/><path d="${branch.join('') || 'M0 0'}" stroke="#fffef2" stroke-width="2.500" stroke-opacity=".8"/></g>`
  )
}

function leaves(stage: Stage): string {
  const random = stage.random('leaves')
  const colours = ['#e8792b', '#d9482b', '#f2b632', '#b5452c'].map((colour) => stage.light.land(colour, 0))
  const count = Math.round((stage.width * stage.height) / 38_000)
  let svg = ''
  for (let index = 0; index < count; index++) {
    const scale = random.between(0.5, 1.3)
    svg += `<path fill="${random.pick(colours)}" transform="translate(${round(random.next() * stage.width)} ${round(random.next() * stage.height)}) rotate(${random.whole(0, 359)}) scale(${round(scale)} ${round(scale * random.between(0.5, 1))})" d="M0-16C9-10 11 4 0 17C-11 4-9-10 0-16z"/>`
  }
  return svg
}

/** Points of warm light over a band, for forests and gardens at night. */
export function fireflies(stage: Stage, top: number, bottom: number, count: number): string {
  const random = stage.random('fireflies')
  const glow = stage.paints.radial([
    [0, '#fff9b8', 1],
    [0.25, '#ffe873', 0.7],
    [1, '#ffd84d', 0],
  ])
  let svg = ''
  for (let index = 0; index < count; index++) {
    svg += `<circle cx="${round(random.next() * stage.width)}" cy="${round(random.between(top, bottom))}" r="${round(random.between(8, 19))}"/>`
  }
  return `<g fill="${glow}" stroke="none">${svg}</g>`
}
