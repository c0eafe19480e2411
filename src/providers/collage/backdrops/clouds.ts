/** High in the air: a sea of clouds below, blue above. */
import { mix } from '../colours.ts'
import type { Backdrop, Stage } from '../stage.ts'
import { paintCloud, paintSky } from './sky.ts'

export function paintAboveClouds(stage: Stage): Backdrop {
  const { width, height, light } = stage
  const random = stage.random('above')
  let behind = paintSky(stage, height * 0.95)
  let front = ''
  const top = light.dark ? '#7f8fc4' : mix('#ffffff', light.haze, 0.08)
  for (const [row, share] of [0.76, 0.86, 0.97].entries()) {
    let svg = ''
    for (let x = random.between(-80, 40); x < width + 100; x += random.between(120, 210)) {
      svg += paintCloud(
        stage,
        x + row * 7,
        height * share + random.between(-16, 16),
        random.between(1.1, 1.9),
        mix(top, light.haze, 0.4 - row * 0.2),
        mix(top, light.sky[1] as string, 0.5 - row * 0.12),
        1,
      )
    }
    if (row < 2) behind += svg
    else front += svg
  }
  return { behind, front, sky: { top: height * 0.1, bottom: height * 0.78 }, shadow: light.haze }
}
