/** A cosy room: papered wall, window or pictures, skirting board, planks and a rug. */
import { adjust, mix } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'

const WALLS = [
  ['#f3d9b8', '#c98a5a'],
  ['#cfe0d4', '#a9744f'],
  ['#d9d3ea', '#b58661'],
  ['#f2cfc4', '#9a6a4a'],
] as const

export function paintRoom(stage: Stage): Backdrop {
  const { width, height, light, paints } = stage
  const random = stage.random('room')
  const [paper, wood] = random.pick(WALLS)
  const wall = light.dark ? mix(paper, '#2a3566', 0.5) : paper
  const planks = light.dark ? mix(wood, '#1c2450', 0.4) : wood
  const floor = height * 0.7
  let behind = `<rect width="${width}" height="${round(floor)}" fill="${paints.linear([
    [0, adjust(wall, 0.02)],
    [1, adjust(wall, -0.05)],
  ])}"/>`
  let stripes = ''
  for (let x = 20; x < width; x += 74) stripes += `M${x} 0h30V${round(floor)}h-30z`
  behind += `<path d="${stripes}" fill="${adjust(wall, 0.03)}" fill-opacity=".6"/>`
  behind += windowPane(
    stage,
    width * random.between(0.2, 0.36),
    height * 0.1,
    Math.min(300, width * 0.3),
    height * 0.34,
  )
  if (width > 700)
    behind += stage.prop('framed-picture', width * random.between(0.68, 0.8), height * 0.37, 170)
  for (let x = 1900; x < width - 200; x += 900)
    behind += windowPane(stage, x, height * 0.1, 300, height * 0.34)
  behind += `<rect x="0" y="${round(floor - 24)}" width="${width}" height="26" fill="${adjust(wall, 0.08)}"/>`
  behind += `<rect x="0" y="${round(floor)}" width="${width}" height="${round(height - floor)}" fill="${paints.linear(
    [
      [0, adjust(planks, -0.06)],
      [1, adjust(planks, 0.05)],
    ],
  )}"/>`
  let seams = ''
  for (let row = 0, y = floor; y < height; row++, y += 26 + row * 9) {
    seams += `M0 ${round(y)}h${width}`
    for (let x = random.between(0, 200); x < width; x += random.between(240, 420))
      seams += `M${round(x)} ${round(y)}v${26 + row * 9}`
  }
  behind += `<path d="${seams}" stroke="${adjust(planks, -0.12)}" stroke-width="3" fill="none" stroke-opacity=".6"/>`
  const rug = random.pick(['#c9525a', '#3f7fa8', '#d9a441', '#5f8f6a'])
  const ellipse = (grow: number, colour: string) =>
    `<ellipse cx="${width / 2}" cy="${round(height * 0.87)}" rx="${round(Math.min(width * 0.42, 760) - grow)}" ry="${round(height * 0.095 - grow * 0.26)}" fill="${light.land(colour, 0)}"/>`
  behind += ellipse(0, rug) + ellipse(22, '#f6e7cf') + ellipse(38, rug)
  behind += stage.prop('potted-plant', width * (random.chance(0.5) ? 0.08 : 0.92), floor + 60, 200)
  return {
    behind,
    front: '',
    ground: { near: height * 0.91, far: height * 0.81 },
    sky: { top: height * 0.08, bottom: height * 0.55 },
    shadow: adjust(planks, -0.25),
  }
}

function windowPane(stage: Stage, x: number, y: number, w: number, h: number): string {
  const { light, paints } = stage
  const sky = paints.linear(light.sky.map((colour, index) => [index / (light.sky.length - 1), colour]))
  const frame = light.land('#fdf8ee', 0.05)
  const moon = light.dark
    ? `<circle cx="${round(x + w * 0.7)}" cy="${round(y + h * 0.25)}" r="${round(w * 0.1)}" fill="${light.glow}"/>`
    : ''
  return (
    `<rect x="${round(x - 14)}" y="${round(y - 14)}" width="${round(w + 28)}" height="${round(h + 28)}" rx="10" fill="${frame}"/><rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${sky}"/>${moon}` +
    `<path fill="${frame}" d="M${round(x + w / 2 - 6)} ${round(y)}h12v${round(h)}h-12zM${round(x)} ${round(y + h / 2 - 6)}h${round(w)}v12h-${round(w)}z"/><rect x="${round(x - 30)}" y="${round(y + h + 10)}" width="${round(w + 60)}" height="20" rx="6" fill="${adjust(frame, -0.04)}"/>`
  )
}
