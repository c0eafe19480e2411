/** Whole pictures: a place with its subjects, or what a prompt in unknown words gets. */
import { paintAbstract } from './abstract.ts'
import { paintPlace } from './backdrops/place.ts'
import { paintWeather } from './backdrops/weather.ts'
import type { Sheet } from './item.ts'
import type { Order, Work } from './order.ts'
import { paintSubjects } from './paint-subjects.ts'
import { type Paints, round } from './paints.ts'
import { createRandom, hashText, type Random } from './random.ts'
import { frame, vignette } from './styles.ts'

/** The place with its subjects, from the sky to the falling snow. */
export function paintScene(work: Work): string {
  const { stage, scene, sheet, paints, draft } = work
  const backdrop = paintPlace(stage, scene)
  if (draft) return backdrop.behind + (draft.painted > 0 ? paintSubjects(work, scene, backdrop) : '')
  const framed = scene.place !== 'studio' && !stage.flat
  return (
    backdrop.behind +
    paintSubjects(work, scene, backdrop) +
    backdrop.front +
    paintWeather(stage) +
    (framed ? vignette(sheet, paints, '#0d1230', stage.light.dark ? 0.34 : 0.1) : '')
  )
}

/** A picture in unknown words: strewn with confetti where guidance is loose, matted where it is strong. */
export function paintUnknown({ order, sheet, paints, stage, wishes, draft }: Work): string {
  const { transparent } = order
  const art = paintAbstract(sheet, paints, abstractRandom(order), transparent, draft?.painted === 0)
  if (transparent || draft) return art
  const loose = wishes.looseness > 0 ? confetti(sheet, stage.random('confetti'), wishes.looseness) : ''
  return art + loose + (wishes.focus > 0 ? frame(sheet, '#fbf8f1', 0.09 * wishes.focus) : '')
}

/** A disc of abstract art, `side` units wide around x, y. */
export function paintMedallion(order: Order, paints: Paints, x: number, y: number, side: number): string {
  const square = { width: 1000, height: 1000 }
  const art = paintAbstract(square, paints, abstractRandom(order), true)
  return `<g transform="translate(${round(x - side / 2)} ${round(y - side / 2)}) scale(${Math.round(side * 10) / 1e4})">${art}</g>`
}

const abstractRandom = (order: Order) => createRandom(order.seed ^ hashText(order.words), 'abstract')

function confetti({ width, height }: Sheet, random: Random, looseness: number): string {
  const count = Math.round((90 * looseness * width * height) / 1e6)
  let svg = ''
  for (let index = 0; index < count; index++) {
    const r = random.between(4, 13)
    const colour = random.pick(['#fffaf0', '#ffd166', '#ef6f6c', '#4d96c9', '#2f3e5c'])
    svg += `<circle cx="${round(random.next() * width)}" cy="${round(random.next() * height)}" r="${round(r)}" fill="${colour}" fill-opacity=".85"/>`
  }
  return svg
}
