/**
 * Pictures without a subject: what a prompt in unknown words gets, chosen by the hash of its text.
 *
 * Four layouts and eight palettes; all are meant to hang on a wall.
 */
import { adjust, mix } from './colours.ts'
import type { Sheet } from './item.ts'
import { type Paints, round } from './paints.ts'
import type { Random } from './random.ts'

/** Ground first, then four inks. */
const PALETTES = [
  ['#fbf1df', '#e4572e', '#f3a712', '#29335c', '#669bbc'],
  ['#fff6ec', '#ef476f', '#ffd166', '#06a77d', '#073b4c'],
  ['#f4efe6', '#2f4858', '#33658a', '#f6ae2d', '#f26419'],
  ['#14213d', '#fca311', '#e5e5e5', '#e63946', '#4895ef'],
  ['#fdf0f0', '#7b2d5e', '#e26d8e', '#f7b267', '#4d7ea8'],
  ['#eef4ed', '#134074', '#8da9c4', '#5aa469', '#f2c14e'],
  ['#231942', '#e0b1cb', '#be95c4', '#f4a261', '#5e548e'],
  ['#fefae0', '#606c38', '#bc6c25', '#dda15e', '#283618'],
] as const

type Palette = (typeof PALETTES)[number]

/** Fills the sheet. `transparent` keeps to a disc; `bare` paints the ground and nothing on it. */
export function paintAbstract(
  sheet: Sheet,
  paints: Paints,
  random: Random,
  transparent: boolean,
  bare = false,
): string {
  const palette = random.pick(PALETTES)
  const layout = random.pick([waves, tiles, orbits, arches, shards])
  const ground = `<rect width="${sheet.width}" height="${sheet.height}" fill="${palette[0]}"/>`
  const art = bare ? '' : layout(sheet, paints, random, palette)
  if (!transparent) return ground + art
  const r = Math.min(sheet.width, sheet.height) * 0.46
  const id = paints.define(
    (id) =>
      `<clipPath id="${id}"><circle cx="${sheet.width / 2}" cy="${sheet.height / 2}" r="${round(r)}"/></clipPath>`,
  )
  return `<g clip-path="url(#${id})">${ground}${art}</g>`
}

/** A low sun over bands that roll like hills or water. */
function waves(sheet: Sheet, paints: Paints, random: Random, palette: Palette): string {
  const { width, height } = sheet
  const [ground, ...inks] = palette
  const sunX = width * random.between(0.28, 0.72)
  const sunY = height * random.between(0.28, 0.4)
  const r = Math.min(width, height) * random.between(0.15, 0.22)
  const sun = inks[random.whole(0, 1)] as string
  const sky = paints.linear([
    [0, mix(ground, inks[3] as string, 0.35)],
    [1, ground],
  ])
  let svg = `<rect width="${width}" height="${height}" fill="${sky}"/>`
  for (let ring = 4; ring > 0; ring--)
    svg += `<circle cx="${round(sunX)}" cy="${round(sunY)}" r="${round(r * (1 + ring * 0.3))}" fill="${sun}" fill-opacity=".07"/>`
  svg += `<circle cx="${round(sunX)}" cy="${round(sunY)}" r="${round(r)}" fill="${paints.linear([
    [0, adjust(sun, 0.08)],
    [1, adjust(sun, -0.04)],
  ])}"/>`
  const bands = 8
  for (let band = 0; band < bands; band++) {
    const base = mix(inks[band % 4] as string, inks[(band + 1) % 4] as string, random.next() * 0.5)
    const y = height * (0.4 + (band / bands) * 0.6)
    const length = random.between(500, 900)
    const start = random.between(0, 6.28)
    const swing = random.between(26, 64)
    let path = ''
    for (let x = -40; x <= width + 40; x += 40)
      path += `${path ? 'L' : 'M'}${x} ${round(y + Math.sin((x / length) * 6.28 + start) * swing + Math.sin((x / length) * 15 + start * 2) * swing * 0.2)}`
    const d = `${path}V${height + 10}H-40z`
    svg += `<path d="${d}" fill="#1a1a2e" fill-opacity=".1" transform="translate(0 -9)"/><path d="${d}" fill="${paints.linear(
      [
        [0, adjust(base, 0.05)],
        [1, adjust(base, -0.08)],
      ],
    )}"/>`
  }
  return svg
}

/** A grid of quarter circles, discs, leaves and stripes, after the Bauhaus. */
function tiles(sheet: Sheet, _paints: Paints, random: Random, palette: Palette): string {
  const short = Math.min(sheet.width, sheet.height)
  const size = short / random.whole(4, 6)
  const columns = Math.ceil(sheet.width / size)
  const lines = Math.ceil(sheet.height / size)
  let svg = ''
  for (let line = 0; line < lines; line++) {
    for (let column = 0; column < columns; column++) {
      const back = random.pick(palette)
      const others = palette.filter((colour) => colour !== back)
      const fore = random.pick(others)
      const accent = random.pick(others.filter((colour) => colour !== fore))
      svg += `<g transform="translate(${round(column * size)} ${round(line * size)}) scale(${round(size / 100)}) rotate(${random.whole(0, 3) * 90} 50 50)"><rect width="100.500" height="100.500" fill="${back}"/>${tile(random.whole(0, 7), fore, accent)}</g>`
    }
  }
  return svg
}

function tile(kind: number, fore: string, accent: string): string {
  const shapes = [
    `<path fill="${fore}" d="M0 0h100a100 100 0 0 1-100 100z"/><path fill="${accent}" d="M0 0h50a50 50 0 0 1-50 50z"/>`,
    `<circle cx="50" cy="50" r="40" fill="${fore}"/><circle cx="50" cy="50" r="18" fill="${accent}"/>`,
    `<path fill="${fore}" d="M0 0a100 100 0 0 1 100 100a100 100 0 0 1-100-100z"/>`,
    `<path fill="${fore}" d="M0 0h50v100h-50z"/><path fill="${accent}" d="M50 0a50 50 0 0 1 0 100z"/>`,
    `<path fill="${fore}" d="M0 0h100L0 100z"/><circle cx="70" cy="70" r="14" fill="${accent}"/>`,
    `<path fill="${fore}" d="M0 0h100v14h-100zM0 28h100v14h-100zM0 56h100v14h-100zM0 84h100v14h-100z"/>`,
    `<path fill="${fore}" d="M0 50a50 50 0 0 1 100 0z"/><path fill="${accent}" d="M0 100a50 50 0 0 1 100 0z"/>`,
    `<path fill="none" stroke="${fore}" stroke-width="14" d="M0 86a86 86 0 0 0 86-86M0 54a54 54 0 0 0 54-54M0 22a22 22 0 0 0 22-22"/>`,
  ]
  return shapes[kind] as string
}

/** Rings and discs on wide orbits. */
function orbits(sheet: Sheet, paints: Paints, random: Random, palette: Palette): string {
  const { width, height } = sheet
  const [ground, ...inks] = palette
  const short = Math.min(width, height)
  let svg = `<rect width="${width}" height="${height}" fill="${paints.linear(
    [
      [0, ground],
      [1, mix(ground, inks[2] as string, 0.28)],
    ],
    30,
  )}"/>`
  const centres = Math.max(1, Math.round(width / height), Math.round(height / width))
  for (let centre = 0; centre < centres; centre++) {
    const share = (centre + random.between(0.38, 0.62)) / centres
    const cx = width >= height ? width * share : width * random.between(0.4, 0.6)
    const cy = width >= height ? height * random.between(0.42, 0.58) : height * share
    for (let ring = 7; ring > 0; ring--) {
      const r = short * 0.068 * ring
      const ink = inks[(ring + centre) % 4] as string
      if (ring % 2 === 0)
        svg += `<circle cx="${round(cx)}" cy="${round(cy)}" r="${round(r)}" fill="${ink}" fill-opacity=".92"/>`
      else {
        const turn = random.whole(0, 359)
        svg += `<path transform="rotate(${turn} ${round(cx)} ${round(cy)})" fill="${ink}" d="M${round(cx - r)} ${round(cy)}a${round(r)} ${round(r)} 0 0 1 ${round(2 * r)} 0z"/>`
        svg += `<circle cx="${round(cx)}" cy="${round(cy)}" r="${round(r)}" fill="none" stroke="${ground}" stroke-width="5"/>`
      }
    }
    svg += `<circle cx="${round(cx)}" cy="${round(cy)}" r="${round(short * 0.045)}" fill="${ground}"/>`
  }
  for (let index = 0; index < 26 * centres; index++) {
    const r = random.between(5, 24)
    const filled = random.chance(0.6)
    const ink = random.pick(inks)
    svg += `<circle cx="${round(random.next() * width)}" cy="${round(random.next() * height)}" r="${round(r)}" ${filled ? `fill="${ink}"` : `fill="none" stroke="${ink}" stroke-width="5"`}/>`
  }
  return svg
}

/** Nested arches side by side. */
function arches(sheet: Sheet, _paints: Paints, random: Random, palette: Palette): string {
  const { width, height } = sheet
  const [ground, ...inks] = palette
  const short = Math.min(width, height)
  const columns = Math.max(2, Math.round(width / (short * 0.34)))
  const cell = width / columns
  const lines = Math.max(2, Math.round(height / (cell * 1.15)))
  const tall = height / lines
  let svg = ''
  for (let line = 0; line < lines; line++) {
    for (let column = 0; column < columns; column++) {
      const x = column * cell + cell / 2
      const foot = (line + 1) * tall
      const flip = random.chance(0.2)
      const start = random.whole(0, 3)
      const rings = random.whole(3, 4)
      let arch = ''
      for (let ring = 0; ring < rings; ring++) {
        const r = (cell / 2) * (1 - ring / rings) * 0.94
        const top = Math.max(0, tall * 0.94 - cell / 2)
        const colour = ring === rings - 1 ? ground : (inks[(start + ring) % 4] as string)
        arch += `<path fill="${colour}" d="M${round(-r)} 0v${round(-top)}a${round(r)} ${round(r)} 0 0 1 ${round(2 * r)} 0v${round(top)}z"/>`
      }
      arch += `<circle cx="0" cy="${round(-tall * 0.18)}" r="${round(cell * 0.055)}" fill="${inks[(start + 2) % 4]}"/>`
      svg += `<g transform="translate(${round(x)} ${round(flip ? foot - tall : foot)}) scale(1 ${flip ? -1 : 1})">${arch}</g>`
    }
  }
  return svg
}

/** Translucent leaves that turn about a point, like a flower seen through glass. */
function shards(sheet: Sheet, paints: Paints, random: Random, palette: Palette): string {
  const { width, height } = sheet
  const [ground, ...inks] = palette
  const short = Math.min(width, height)
  let svg = `<rect width="${width}" height="${height}" fill="${paints.radial([
    [0, mix(ground, '#ffffff', 0.3)],
    [1, mix(ground, inks[2] as string, 0.3)],
  ])}"/>`
  const blooms = Math.max(1, Math.round(Math.max(width, height) / short))
  for (let bloom = 0; bloom < blooms; bloom++) {
    const share = (bloom + 0.5) / blooms
    const cx = width >= height ? width * share : width / 2
    const cy = width >= height ? height / 2 : height * share
    for (const [layer, reach] of [0.47, 0.36, 0.25, 0.15].entries()) {
      const petals = random.whole(8, 13) - layer
      const ink = inks[(layer + bloom) % 4] as string
      const long = short * reach
      const wide = (long * Math.PI * 1.1) / petals
      const turn = random.between(0, 360)
      for (let petal = 0; petal < petals; petal++) {
        svg += `<path transform="translate(${round(cx)} ${round(cy)}) rotate(${round(turn + (petal * 360) / petals)})" fill="${petal % 2 ? ink : adjust(ink, 0.07)}" fill-opacity=".8" d="M0 0C${round(wide)} ${round(-long * 0.35)} ${round(wide * 0.7)} ${round(-long * 0.8)} 0 ${round(-long)}C${round(-wide * 0.7)} ${round(-long * 0.8)} ${round(-wide)} ${round(-long * 0.35)} 0 0z"/>`
      }
    }
    svg += `<circle cx="${round(cx)}" cy="${round(cy)}" r="${round(short * 0.04)}" fill="${ground}"/><circle cx="${round(cx)}" cy="${round(cy)}" r="${round(short * 0.024)}" fill="${inks[1]}"/>`
  }
  return svg
}
