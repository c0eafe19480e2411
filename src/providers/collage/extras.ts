/**
 * Small things that nobody asked for, for loose guidance or much thought: a butterfly over the meadow, a sail far out.
 *
 * They keep clear of the subjects, and of everything that the prompt does not want. They are company, never the
 * point: small, and at the edge of the ground or in the air.
 */
import type { Artwork } from './artwork.ts'
import type { Sheet } from './item.ts'
import type { Random } from './random.ts'
import type { SceneDescription } from './read-prompt.ts'
import type { Place } from './scene-words.ts'
import type { Backdrop, Stage } from './stage.ts'

/** A taken part of the sheet. */
export interface Box {
  cx: number
  cy: number
  w: number
  h: number
}

interface Company {
  air: string
  ground?: string
}

const COMPANY: Readonly<Record<Place, Company>> = {
  forest: { air: 'butterfly monarch-butterfly bird', ground: 'mushroom blossom seedling' },
  jungle: { air: 'butterfly monarch-butterfly parrot', ground: 'hibiscus lizard seedling' },
  meadow: { air: 'butterfly honeybee monarch-butterfly balloon', ground: 'tulip blossom mushroom' },
  mountains: { air: 'eagle balloon bird', ground: 'blossom rock seedling' },
  sea: { air: 'dove balloon bird' },
  lake: { air: 'butterfly dove bird', ground: 'tulip blossom' },
  beach: { air: 'kite dove balloon', ground: 'spiral-shell crab' },
  underwater: { air: 'tropical-fish fish blowfish' },
  city: { air: 'balloon dove kite' },
  space: { air: 'comet star satellite' },
  desert: { air: 'eagle balloon', ground: 'lizard rock' },
  clouds: { air: 'bird balloon kite' },
  room: { air: 'butterfly balloon' },
  studio: { air: 'butterfly sparkles star' },
}
const MOST = 6
const TRIES = 14
const AIR_HEIGHT = 62
const GROUND_HEIGHT = 74

/** Up to six of them; `share` 0 draws none. */
export function paintExtras(
  stage: Stage,
  scene: SceneDescription,
  artwork: Artwork,
  backdrop: Backdrop,
  taken: readonly Box[],
  share: number,
): string {
  const random = stage.random('extras')
  const company = COMPANY[scene.place ?? 'meadow']
  const boxes = [...taken]
  const unwanted = [...scene.unwanted]
  // Who wants no butterfly wants no monarch butterfly.
  const wanted = (names = '') =>
    names.split(' ').filter((name) => artwork.has(name) && !unwanted.some((other) => name.includes(other)))
  const air = wanted(company.air)
  const ground = backdrop.ground ? wanted(company.ground) : []
  const count = Math.ceil(MOST * share * Math.max(1, stage.width / 1400))
  let svg = ''
  for (let index = 0; index < count; index++) {
    const low = ground.length > 0 && index % 2 === 1
    const names = low ? ground : air
    if (names.length === 0) continue
    const name = random.pick(names)
    const flip = random.chance(0.5)
    const height = (low ? GROUND_HEIGHT : AIR_HEIGHT) * random.between(0.75, 1.25)
    const spot = freeSpot(stage, backdrop, low, height, boxes, random)
    if (!spot) continue
    boxes.push({ cx: spot.x, cy: spot.y - height / 2, w: height, h: height })
    svg += stage.prop(name, spot.x, spot.y, height, { depth: low ? 0.06 : 0.12, flip })
  }
  return svg
}

/** A place for its foot, clear of all boxes; undefined where none is found in a few tries. */
function freeSpot(
  sheet: Sheet,
  { ground, sky }: Backdrop,
  low: boolean,
  height: number,
  boxes: readonly Box[],
  random: Random,
): { x: number; y: number } | undefined {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const x = sheet.width * random.between(0.07, 0.93)
    const y =
      low && ground
        ? random.between(ground.far, Math.min(sheet.height * 0.96, ground.near + 40))
        : random.between(sky.top + height, Math.max(sky.bottom, sky.top + height))
    const clear = boxes.every(({ cx, cy, w, h }) => {
      return Math.abs(x - cx) > (w + height) / 2 + 14 || Math.abs(y - height / 2 - cy) > (h + height) / 2 + 10
    })
    if (clear) return { x, y }
  }
  return undefined
}
