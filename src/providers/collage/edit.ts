/**
 * Pictures that a caller brings: the first is the scene, further ones are pinned on it as prints, and a mask
 * keeps what it covers as it was.
 */
import type { InputImage } from '../provider.ts'
import { mist } from './backdrops/land.ts'
import { paintStars } from './backdrops/sky.ts'
import { paintWeather } from './backdrops/weather.ts'
import type { Sheet } from './item.ts'
import type { Time } from './light.ts'
import { type Paints, round } from './paints.ts'
import type { Random } from './random.ts'
import type { SceneDescription } from './read-prompt.ts'
import type { Style } from './scene-words.ts'
import type { Stage } from './stage.ts'

/** The picture as an address that needs no network. */
export const dataUrl = ({ bytes, mediaType }: InputImage) =>
  `data:${mediaType};base64,${bytes.toString('base64')}`

/** The picture over the whole sheet, cropped to its shape. */
export function coverImage(image: InputImage, sheet: Sheet, fit: 'slice' | 'none' = 'slice'): string {
  const ratio = fit === 'slice' ? 'xMidYMid slice' : 'none'
  return `<image href="${dataUrl(image)}" width="${sheet.width}" height="${sheet.height}" preserveAspectRatio="${ratio}"/>`
}

/** Further pictures as tilted prints with a white border, along the lower corners. */
export function pinnedPrints(
  images: readonly InputImage[],
  sheet: Sheet,
  paints: Paints,
  random: Random,
): string {
  const side = Math.min(sheet.width, sheet.height) * (images.length > 2 ? 0.26 : 0.33)
  let svg = ''
  for (const [index, image] of images.slice(0, 8).entries()) {
    const count = Math.min(8, images.length)
    const share = count === 1 ? (random.chance(0.5) ? 0.22 : 0.78) : (index + 0.5) / count
    const x = Math.max(side * 0.62, Math.min(sheet.width - side * 0.62, sheet.width * share))
    const y = sheet.height * (index % 2 === 0 ? 0.27 : 0.33)
    const clip = paints.define(
      (id) =>
        `<clipPath id="${id}"><rect x="${round(-side * 0.44)}" y="${round(-side * 0.46)}" width="${round(side * 0.88)}" height="${round(side * 0.88)}"/></clipPath>`,
    )
    svg +=
      `<g transform="translate(${round(x)} ${round(y)}) rotate(${random.whole(-9, 9)})">` +
      `<rect x="${round(-side * 0.49)}" y="${round(-side * 0.48)}" width="${round(side)}" height="${round(side * 1.15)}" rx="6" fill="#000000" fill-opacity=".22"/>` +
      `<rect x="${round(-side / 2)}" y="${round(-side * 0.52)}" width="${round(side)}" height="${round(side * 1.15)}" rx="5" fill="#fffdf8"/>` +
      `<g clip-path="url(#${clip})"><image href="${dataUrl(image)}" x="${round(-side * 0.44)}" y="${round(-side * 0.46)}" width="${round(side * 0.88)}" height="${round(side * 0.88)}" preserveAspectRatio="xMidYMid slice"/></g></g>`
  }
  return svg
}

/**
 * Lays the original back over the changed picture wherever the mask is opaque: the mask's transparent pixels
 * are what may change.
 */
export function keepMasked(image: InputImage, mask: InputImage, sheet: Sheet, paints: Paints): string {
  const id = paints.define((id) => {
    return `<mask id="${id}" maskUnits="userSpaceOnUse" x="0" y="0" width="${sheet.width}" height="${sheet.height}" style="mask-type:alpha">${coverImage(mask, sheet)}</mask>`
  })
  return `<g mask="url(#${id})">${coverImage(image, sheet)}</g>`
}

/** The attributes that put the picture itself in a manner: "make it black and white". */
export function photoFilter(styles: ReadonlySet<Style>, paints: Paints): string {
  const matrix = styles.has('vintage')
    ? '<feColorMatrix values=".45 .62 .15 0 0 .36 .56 .13 0 0 .27 .42 .1 0 0 0 0 0 1 0"/>'
    : styles.has('monochrome') || styles.has('sketch')
      ? '<feColorMatrix type="saturate" values="0"/>'
      : styles.has('vivid') || styles.has('neon')
        ? '<feColorMatrix type="saturate" values="1.600"/>'
        : undefined
  if (!matrix) return ''
  const id = paints.define(
    (id) =>
      `<filter id="${id}" x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">${matrix}</filter>`,
  )
  return `filter="url(#${id})"`
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
