/** High mountains over a lake of mist, with a rocky meadow in front. */
import { adjust } from '../colours.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { flowers, grass, hill, mist, mountains, pines, ridge } from './land.ts'
import { paintSky } from './sky.ts'

export function paintMountains(stage: Stage): Backdrop {
  const { width, height, light, weather } = stage
  const random = stage.random('mountains')
  const snowy = weather.has('snow') || weather.has('snowy')
  const horizon = height * 0.62
  const tall = Math.min(height * 0.46, 700)
  let behind = paintSky(stage, horizon)
  behind += mountains(stage, random, horizon + 20, tall, light.land('#7488b5', 0.66), true)
  behind += mist(stage, horizon - tall * 0.12, 170, 0.5)
  behind += mountains(stage, random, horizon + 50, tall * 0.68, light.land('#566b99', 0.42), true)
  behind += mist(stage, horizon + 10, 140, weather.has('mist') ? 0.85 : 0.5)
  const middle = ridge(random, height * 0.655, 26)
  if (!stage.without('trees')) behind += pines(stage, random, middle, 130, 0.32, 44)
  behind += hill(stage, middle, light.land(snowy ? '#dce8f4' : '#5d9a5e', 0.3), 0.04)
  const ground = light.land(snowy ? '#eef4fb' : '#77b057', 0.03)
  behind += hill(stage, ridge(random, height * 0.745, 18), ground, 0.07)
  if (!snowy) behind += flowers(stage, random, height * 0.78, height * 0.98, Math.round(width / 40))
  const edge = ridge(random, height * 0.99, 8)
  return {
    behind,
    front: snowy ? '' : grass(stage, random, (x) => edge(x) + 12, adjust(ground, -0.08), 26, 46),
    ground: { near: height * 0.91, far: height * 0.78 },
    sky: { top: height * 0.05, bottom: height * 0.42 },
    shadow: adjust(ground, -0.3),
  }
}
