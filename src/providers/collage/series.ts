/**
 * A series: the same subjects in the same composition, told through changing moments.
 *
 * Up to four pictures are one day, morning to night; longer ones are a year with its weather. What the prompt names
 * itself is never taken away: a night stays night, and the weather or the colour of the light changes instead.
 */
import type { Grade } from './grade.ts'
import type { Time, Weather } from './light.ts'
import type { Moment } from './moment.ts'
import { namesSomething, type Order } from './order.ts'
import type { SceneDescription } from './read-prompt.ts'
import type { Place } from './scene-words.ts'
import { settle } from './settle.ts'

/** How much of time and weather a picture shows: a cutout has no sky, and an edit only what can be laid over it. */
export type Visible = 'all' | 'overlay' | 'light'

/** No series is longer. */
export const LONGEST_SERIES = 15
/** How long one is if nobody says. */
const USUAL_SERIES = 4

/** Places where hour and weather do not show. */
const ROOFED: readonly Place[] = ['studio', 'room', 'space', 'underwater']

/** In the order of the story, each with its rank: a series of k tells the moments ranked 1 to k. */
const STORY: readonly (readonly [rank: number, time: Time, ...weather: Weather[]])[] = [
  [1, 'sunrise'],
  [6, 'sunrise', 'mist'],
  [2, 'day'],
  [5, 'day', 'rain'],
  [11, 'day', 'rainbow'],
  [3, 'sunset'],
  [13, 'sunset', 'cloudy'],
  [7, 'day', 'autumn'],
  [10, 'sunset', 'autumn'],
  [14, 'night', 'mist'],
  [4, 'night'],
  [12, 'sunrise', 'snow'],
  [8, 'day', 'snow'],
  [9, 'night', 'snow'],
  [15, 'night', 'snow', 'aurora'],
]
/** What of a weather somebody may not want to see, where it is called otherwise. */
const ELEMENT_OF: Partial<Record<Weather, string>> = { cloudy: 'clouds', autumn: 'leaves' }
/** What can be seen on somebody's photograph. */
const OVERLAYS: readonly Weather[] = ['mist', 'rain', 'snow', 'autumn']
/** The light of an hour on what stands under no sky. */
const LIGHTS: Readonly<Record<Time, Grade | undefined>> = {
  sunrise: { hue: 62, spread: 40, amount: 0.3 },
  day: undefined,
  sunset: { hue: 28, spread: 70, amount: 0.45 },
  night: { hue: 272, spread: 40, amount: 0.55 },
}
/** Turns by the golden angle never meet, so every further light is another one. */
const GOLDEN_ANGLE = 137.5

/** The moments for a request's series; `maxImages` absent makes four. */
export function momentsOf(
  { scene, images, transparent, wishes }: Omit<Order, 'seed'>,
  maxImages: number = USUAL_SERIES,
): Moment[] {
  const settled = settle(scene, wishes.focus)
  const underRoof = settled.place !== undefined && ROOFED.includes(settled.place)
  const skyless = transparent || underRoof || !namesSomething(scene)
  return tellMoments(
    { ...scene, without: settled.without },
    maxImages,
    images.length > 0 ? 'overlay' : skyless ? 'light' : 'all',
  )
}

/** The moments of a series of `count` pictures, all different, in the order of the story. */
function tellMoments(scene: SceneDescription, count: number, visible: Visible): Moment[] {
  const told = STORY.filter(([, time, ...weather]) => {
    const timeFits = scene.time === undefined || scene.time === time
    const weatherFits = weather.length === 0 || (scene.weather.size === 0 && shows(weather, visible))
    return timeFits && weatherFits && !weather.some((kind) => scene.without.has(ELEMENT_OF[kind] ?? kind))
  })
  const ranked = [...told].sort(([first], [second]) => first - second).slice(0, count)
  const moments = told.filter((moment) => ranked.includes(moment)).map((moment) => momentOf(moment, visible))
  const distinct = moments.length
  for (let index = distinct; index < count; index++) {
    const again = moments[index % distinct] as Moment
    const hue = (50 + (index - distinct + 1) * GOLDEN_ANGLE) % 360
    moments.push({ ...again, grade: { hue, spread: 60, amount: 0.34 } })
  }
  return moments
}

function shows(weather: readonly Weather[], visible: Visible): boolean {
  return visible === 'all' || (visible === 'overlay' && weather.every((kind) => OVERLAYS.includes(kind)))
}

function momentOf([, time, ...weather]: (typeof STORY)[number], visible: Visible): Moment {
  const grade = visible === 'light' ? LIGHTS[time] : undefined
  return { time, weather, ...(grade ? { grade } : {}) }
}
