/**
 * Pictures that a caller brings: the first is the scene and may be put in a manner, further ones are pinned on it as
 * prints, and the hour and the weather are laid over it. What is drawn on it is not known here.
 */
import { mist } from './backdrops/land.ts'
import { paintStars } from './backdrops/sky.ts'
import { paintWeather } from './backdrops/weather.ts'
import type { Sheet } from './item.ts'
import type { Time } from './light.ts'
import { type Paints, round } from './paints.ts'
import type { Random } from './random.ts'
import type { Picture } from './read-pictures.ts'
import type { SceneDescription } from './read-prompt.ts'
import type { Style } from './scene-words.ts'
import type { Stage } from './stage.ts'

/** The picture over the whole sheet, cropped to its shape. */
export function coverImage({ dataUrl }: Picture, { width, height }: Sheet, id = ''): string {
  return `<image${id && ` id="${id}"`} href="${dataUrl}" width="${width}" height="${height}" preserveAspectRatio="xMidYMid slice"/>`
}

/** Prints in one line; more of them hang in two. */
const MOST_IN_LINE = 8

/** Further pictures as tilted prints with a white border, in the upper half. `simple` cuts them down to a few colours. */
export function pinnedPrints(
  images: readonly Picture[],
  sheet: Sheet,
  paints: Paints,
  random: Random,
  simple = false,
): string {
  const count = images.length
  const lines = count > MOST_IN_LINE ? 2 : 1
  const columns = Math.ceil(count / lines)
  const side = Math.min(sheet.width, sheet.height) * (lines > 1 ? 0.21 : count > 2 ? 0.26 : 0.33)
  let svg = ''
  for (const [index, image] of images.entries()) {
    const line = Math.floor(index / columns)
    const column = index - line * columns
    const share = count === 1 ? (random.chance(0.5) ? 0.22 : 0.78) : (column + 0.5) / columns
    const x = Math.max(side * 0.62, Math.min(sheet.width - side * 0.62, sheet.width * share))
    const y = sheet.height * ((lines > 1 ? 0.16 + line * 0.27 : 0.27) + (column % 2 === 0 ? 0 : 0.06))
    const clip = paints.define(
      (id) =>
        `<clipPath id="${id}"><rect x="${round(-side * 0.44)}" y="${round(-side * 0.46)}" width="${round(side * 0.88)}" height="${round(side * 0.88)}"/></clipPath>`,
    )
    svg +=
      `<g transform="translate(${round(x)} ${round(y)}) rotate(${random.whole(-9, 9)})">` +
      `<rect x="${round(-side * 0.49)}" y="${round(-side * 0.48)}" width="${round(side)}" height="${round(side * 1.15)}" rx="6" fill="#000000" fill-opacity=".22"/>` +
      `<rect x="${round(-side / 2)}" y="${round(-side * 0.52)}" width="${round(side)}" height="${round(side * 1.15)}" rx="5" fill="#fffdf8"/>` +
      `<g clip-path="url(#${clip})"><image href="${image.dataUrl}" x="${round(-side * 0.44)}" y="${round(-side * 0.46)}" width="${round(side * 0.88)}" height="${round(side * 0.88)}" preserveAspectRatio="xMidYMid slice"/></g></g>`
  }
  return simple && svg !== '' ? `<g filter="${defineFilter(paints, FEW_COLOURS)}">${svg}</g>` : svg
}

/** Six levels of each channel, which look like cut paper. */
const FEW_COLOURS = `<feComponentTransfer>${['R', 'G', 'B'].map((channel) => `<feFunc${channel} type="discrete" tableValues="0.04 .22 .42 .62 .81 .97"/>`).join('')}</feComponentTransfer>`

/**
 * The attributes that put the picture itself in a manner: "make it black and white". `vividness` 1 leaves its
 * saturation; `simple` leaves it few colours. Empty where there is nothing to do.
 */
export function photoFilter(
  styles: ReadonlySet<Style>,
  paints: Paints,
  vividness = 1,
  simple = false,
): string {
  const matrix = styles.has('vintage')
    ? '<feColorMatrix values=".45 .62 .15 0 0 .36 .56 .13 0 0 .27 .42 .1 0 0 0 0 0 1 0"/>'
    : styles.has('monochrome') || styles.has('sketch')
      ? '<feColorMatrix type="saturate" values="0"/>'
      : styles.has('vivid') || styles.has('neon')
        ? '<feColorMatrix type="saturate" values="1.600"/>'
        : ''
  // What a prompt bleaches stays bleached.
  const saturation =
    matrix === '' && Math.abs(vividness - 1) > 0.001
      ? `<feColorMatrix type="saturate" values="${Math.round(vividness ** 2 * 1000) / 1000}"/>`
      : ''
  const primitives = matrix + saturation + (simple ? FEW_COLOURS : '')
  return primitives === '' ? '' : `filter="${defineFilter(paints, primitives)}"`
}

function defineFilter(paints: Paints, primitives: string): string {
  const id = paints.define((id) => {
    return `<filter id="${id}" x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">${primitives}</filter>`
  })
  return `url(#${id})`
}

/** The hour and the weather laid over a picture: "make it a snowy night". */
export function paintMood(stage: Stage, scene: SceneDescription): string {
  const tints: Partial<Record<Time, readonly [string, number]>> = {
    night: ['#0b1540', 0.5],
    sunset: ['#ff6a3d', 0.24],
    sunrise: ['#ffb38a', 0.2],
  }
  const tint = scene.time ? tints[scene.time] : undefined
  let svg = tint
    ? `<rect width="${stage.width}" height="${stage.height}" fill="${tint[0]}" fill-opacity="${tint[1]}"/>`
    : ''
  if (scene.time === 'night' && !scene.without.has('stars')) svg += paintStars(stage, stage.height * 0.45, 60)
  if (scene.weather.has('mist'))
    svg += mist(stage, stage.height * 0.62, 320, 0.7) + mist(stage, stage.height * 0.86, 300, 0.7)
  return svg + paintWeather(stage)
}
