/** One moment of a series: what it changes in a scene that stays the same otherwise. */
import type { Grade } from './grade.ts'
import type { Time, Weather } from './light.ts'
import type { SceneDescription } from './read-prompt.ts'

/** Hour, weather and light of one picture. */
export interface Moment {
  time?: Time
  weather: readonly Weather[]
  /** The colour of the light, where hour and weather alone would not tell the pictures apart. */
  grade?: Grade
}

/** The scene as it is at a moment. */
export function atMoment(scene: SceneDescription, moment: Moment | undefined): SceneDescription {
  if (!moment) return scene
  return {
    ...scene,
    time: scene.time ?? moment.time,
    weather: new Set([...scene.weather, ...moment.weather]),
  }
}
