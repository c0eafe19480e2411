/** Dunes in warm light with a few cacti and far mesas. */
import { adjust } from '../colours.ts'
import { round } from '../paints.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { hill, ridge } from './land.ts'
import { paintSky } from './sky.ts'

export function paintDesert(stage: Stage): Backdrop {
  const { width, height, light } = stage
  const random = stage.random('desert')
  const horizon = height * 0.57
  let behind = paintSky(stage, horizon)
  const mesa = light.land('#c9714a', 0.55)
  for (let x = random.between(-80, 60); x < width; x += random.between(300, 520)) {
    const w = random.between(90, 190)
    const h = random.between(90, 190)
    behind += `<path fill="${mesa}" d="M${round(x - w)} ${round(horizon + 40)}L${round(x - w * 0.6)} ${round(horizon - h)}H${round(x + w * 0.5)}L${round(x + w * 0.62)} ${round(horizon - h * 0.5)}H${round(x + w * 0.8)}L${round(x + w)} ${round(horizon + 40)}z"/>`
    behind += `<path fill="${adjust(mesa, -0.04)}" d="M${round(x + w * 0.1)} ${round(horizon - h)}H${round(x + w * 0.5)}L${round(x + w * 0.62)} ${round(horizon - h * 0.5)}H${round(x + w * 0.8)}L${round(x + w)} ${round(horizon + 40)}H${round(x + w * 0.2)}z"/>`
  }
  const sands = ['#e0a15c', '#e8b068', '#eebd77']
  for (const [index, sand] of sands.entries()) {
    const line = ridge(random, height * (0.585 + index * 0.06), 34, 700)
    behind += hill(stage, line, light.land(sand, 0.45 - index * 0.16), 0.05)
    if (stage.without('cactus')) continue
    for (let at = 0; at < Math.ceil(width / 1000); at++) {
      const x = random.next() * width
      behind += stage.prop('cactus', x, line(x) + 18, 70 + index * 62, {
        depth: 0.34 - index * 0.14,
        flip: random.chance(0.5),
      })
    }
  }
  const ground = light.land('#f0c583', 0.02)
  behind += hill(stage, ridge(random, height * 0.765, 20, 1000), ground, 0.06)
  return {
    behind,
    front: '',
    ground: { near: height * 0.91, far: height * 0.79 },
    sky: { top: height * 0.06, bottom: height * 0.48 },
    shadow: adjust(ground, -0.3),
  }
}
