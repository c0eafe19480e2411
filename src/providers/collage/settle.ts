/**
 * Fills the gaps of a scene description: where a lone fox is at home, and what weather a penguin brings.
 * It only adds what the prompt left open.
 */
import { habitatOf, homeOf, LOVES_SNOW } from './habitats.ts'
import type { SceneDescription, Subject } from './read-prompt.ts'
import type { Place } from './scene-words.ts'

/** Above this focus a place that nobody named is a plain backdrop, and above the lower one the sky is clear. */
const PLAIN_FOCUS = 0.6
const CLEAR_FOCUS = 0.2

/** The same description with a place. `focus` 0 to 1 says how little may be drawn that the prompt does not name. */
export function settle(scene: SceneDescription, focus = 0): SceneDescription {
  const weather = new Set(scene.weather)
  let { place } = scene
  const without = new Set(scene.without)
  if (focus > CLEAR_FOCUS && !weather.has('cloudy') && !scene.features.has('clouds')) without.add('clouds')
  if (focus > CLEAR_FOCUS && !scene.features.has('flowers')) without.add('flowers')
  if (focus > PLAIN_FOCUS && !place && scene.subjects.length > 0 && !scene.time && weather.size === 0)
    place = 'studio'
  const snowy = scene.subjects.some(({ icon }) => LOVES_SNOW.has(icon))
  if (snowy && !place && weather.size === 0) weather.add('snowy')
  if (!place && scene.subjects.length > 0) place = guessPlace(scene, snowy)
  if (
    place === 'sea' &&
    scene.subjects.some(({ icon }) => homeOf(icon) === 'underwater') &&
    !scene.subjects.some(surfaces)
  )
    place = 'underwater'
  return {
    ...scene,
    weather,
    without,
    place,
    subjects: scene.subjects.map((subject) => inProportion(subject, scene)),
  }
}

/** Boats and walkers keep the picture above the water. */
function surfaces({ icon }: Subject): boolean {
  const home = homeOf(icon)
  return (
    home === 'sea' || (home !== 'underwater' && habitatOf(icon) !== 'water' && habitatOf(icon) !== 'seabed')
  )
}

/** A pot of honey beside a bear is smaller than the bear, though alone it would fill the sheet. */
function inProportion(subject: Subject, scene: SceneDescription): Subject {
  const isThing = scene.stillLife ?? (() => false)
  const amongBeings = scene.subjects.some(({ icon }) => !isThing(icon) && habitatOf(icon) !== 'sky')
  // What somebody sits on keeps its size.
  const carries = scene.subjects.some(({ relation }) => relation && scene.subjects[relation.of] === subject)
  if (carries || !amongBeings || !isThing(subject.icon) || habitatOf(subject.icon) !== 'ground')
    return subject
  return { ...subject, size: subject.size * 0.62 }
}

function guessPlace(scene: SceneDescription, snowy: boolean): Place | undefined {
  if (scene.backdropColour || scene.styles.has('minimalist')) return 'studio'
  if (snowy) return 'meadow'
  const homes = scene.subjects.map(({ icon }) => homeOf(icon))
  const first = homes.find((home) => home !== undefined)
  const stillLife = scene.subjects.every(({ icon }) => scene.stillLife?.(icon) ?? false)
  if (stillLife && !first && !scene.time && scene.weather.size === 0) return 'studio'
  // A fish beside a fox means water that can be stood by, not a fox under water.
  const onLand = scene.subjects.some(({ icon }, at) => habitatOf(icon) === 'ground' && homes[at] !== 'space')
  if ((first === 'underwater' || first === 'sea') && onLand) return first === 'sea' ? 'beach' : 'lake'
  if (first === 'space' && onLand && scene.subjects.length > 1) return 'meadow'
  if (first === 'clouds' && onLand) return 'meadow'
  return first
}
