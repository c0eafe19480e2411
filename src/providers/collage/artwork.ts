/**
 * The picture pieces: Google's Noto emoji as SVG (Apache-2.0), from `@iconify-json/noto`.
 *
 * The package is one JSON file of 25 MB, so it is read once, at the first picture, and only the pieces that
 * can be asked for are kept. Bodies are cleaned so that several fit one document: ids are made unique by the
 * caller's prefix, and every colour is written as hex so that it can be changed.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { OWN_PIECES, ownPiece, unicornFrom, withBody } from './figures.ts'
import type { Icon } from './icon.ts'
import { measure } from './measure.ts'

/** The pieces and the characters that stand for them. */
export interface Artwork {
  names(): Iterable<string>
  has(name: string): boolean
  icon(name: string): Icon | undefined
  /** Food and things, which want a table rather than a landscape. */
  isStillLife(name: string): boolean
  /** The piece that an emoji shows, given as its code points without variation selectors. */
  nameOfEmoji(emoji: string): string | undefined
}

/** Skin tones, gendered pairs, flags, clocks and input symbols: nothing that a prompt asks for by word. */
const LEFT_OUT =
  /-tone|^flag-|oclock$|-thirty$|^keycap|^input-|^japanese-.*-button$|^family|^kiss-|^couple-with/
const THINGS = ['Food & Drink', 'Objects', 'Activities']
const NAMED: Readonly<Record<string, string>> = {
  red: '#ff0000',
  orange: '#ffa500',
  gray: '#808080',
  silver: '#c0c0c0',
  currentColor: '#000000',
}

/** Reads the package from disk. Takes about 150 ms, once. */
export async function loadArtwork(): Promise<Artwork> {
  const require = createRequire(import.meta.url)
  const read = async (file: string): Promise<unknown> =>
    JSON.parse(await readFile(require.resolve(`@iconify-json/noto/${file}`), 'latin1'))
  const set = (await read('icons.json')) as { icons: Record<string, { body: string }> }
  const characters = (await read('chars.json')) as Record<string, string>
  const { categories } = (await read('metadata.json')) as { categories: Record<string, string[]> }
  const things = new Set(THINGS.flatMap((category) => categories[category] ?? []))
  const bodies = new Map<string, string>()
  for (const [name, { body }] of Object.entries(set.icons)) {
    if (!LEFT_OUT.test(name)) bodies.set(name, body)
  }
  const cleaned = new Map<string, Icon>()
  const drawn = (name: string, body: string) => {
    const horse = name === 'unicorn' ? bodies.get('horse') : undefined
    const plain = (body: string) => ({ name, body: clean(body), bounds: measure(body) })
    return horse === undefined ? withBody(plain(body)) : unicornFrom(plain(horse))
  }
  return {
    names: () => [...OWN_PIECES, ...bodies.keys()],
    has: (name) => bodies.has(name) || OWN_PIECES.includes(name),
    isStillLife: (name) => things.has(name),
    nameOfEmoji: (emoji) => {
      const name = characters[codePointsOf(emoji)]
      return name !== undefined && bodies.has(name) ? name : undefined
    },
    icon: (name) => {
      const known = cleaned.get(name)
      const body = bodies.get(name)
      if (known) return known
      const icon = body === undefined ? ownPiece(name) : drawn(name, body)
      if (!icon) return undefined
      cleaned.set(name, icon)
      return icon
    },
  }
}

/** Gives every id of a body a prefix, so that two pieces in one document never share a gradient. */
export function prefixIds(body: string, prefix: string): string {
  return body.replace(/(\bid="|url\(#|href="#)/g, `$1${prefix}`)
}

function clean(body: string): string {
  return (
    body
      .replace(/xlink:href=/g, 'href=')
      // A shape's opacity makes librsvg draw it on a layer of its own; a fill's opacity costs nothing.
      .replace(/<(?:path|circle|ellipse)\b[^>]*>/g, (tag) =>
        tag.includes('stroke') ? tag : tag.replace(' opacity=', ' fill-opacity='),
      )
      .replace(
        /((?:fill|stroke|stop-color)=")(red|orange|gray|silver|currentColor)"/g,
        (_, start: string, name: string) => {
          return `${start}${NAMED[name]}"`
        },
      )
      .replace(
        /stop-color="rgba\((\d+), (\d+), (\d+), ([\d.]+)\)"/g,
        (_, r: string, g: string, b: string, alpha: string) => {
          const hex = [r, g, b].map((part) => Number(part).toString(16).padStart(2, '0')).join('')
          return `stop-color="#${hex}" stop-opacity="${alpha}"`
        },
      )
  )
}

function codePointsOf(emoji: string): string {
  return Array.from(emoji, (character) => (character.codePointAt(0) as number).toString(16))
    .filter((code) => code !== 'fe0f')
    .join('-')
}
