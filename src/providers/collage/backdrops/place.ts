/** The one list of places. A new backdrop is a file beside this one and a row here. */

import type { SceneDescription } from '../read-prompt.ts'
import type { Place } from '../scene-words.ts'
import type { Backdrop, PaintBackdrop, Stage } from '../stage.ts'
import { paintCity } from './city.ts'
import { paintAboveClouds } from './clouds.ts'
import { paintDesert } from './desert.ts'
import { paintForest } from './forest.ts'
import { paintJungle } from './jungle.ts'
import { paintMeadow } from './meadow.ts'
import { paintMountains } from './mountains.ts'
import { paintRoom } from './room.ts'
import { paintSpace } from './space.ts'
import { paintStudio } from './studio.ts'
import { paintBeach, paintLake, paintSea, paintUnderwater } from './water.ts'
import { paintLightning } from './weather.ts'

const PLACES: Readonly<Record<Exclude<Place, 'studio'>, PaintBackdrop>> = {
  forest: paintForest,
  jungle: paintJungle,
  meadow: paintMeadow,
  mountains: paintMountains,
  sea: paintSea,
  lake: paintLake,
  beach: paintBeach,
  underwater: paintUnderwater,
  city: paintCity,
  space: paintSpace,
  desert: paintDesert,
  clouds: paintAboveClouds,
  room: paintRoom,
}

/** Paints the place of a scene; a meadow where it has none. */
export function paintPlace(stage: Stage, scene: SceneDescription): Backdrop {
  if (scene.place === 'studio') return paintStudio(stage, scene.backdropColour)
  const backdrop = PLACES[scene.place ?? 'meadow'](stage)
  if (scene.weather.has('storm'))
    backdrop.behind = backdrop.behind + paintLightning(stage, stage.height * 0.55)
  return backdrop
}
