/**
 * Which piece a word means: our own synonyms first, then the artwork's names, then emoji themselves.
 *
 * Keyword lists are not used: they turn "cozy" into a pea pod. A word that is in no table draws nothing.
 */
import type { Artwork } from './artwork.ts'
import { singularReadings } from './singular.ts'
import { NOT_PIECES, SYNONYMS } from './synonyms.ts'

/** Longest name in words: "bottle with popping cork". */
export const LONGEST_NAME = 4

/** A piece that words named. */
export interface Named {
  icon: string
  /** The words were a plural, "foxes". */
  plural: boolean
}

/** Finds pieces by words or by emoji. */
export interface Vocabulary {
  /** The piece for these lower-case words, tried as plural too; undefined where they mean none. */
  find(words: readonly string[]): Named | undefined
  emoji(text: string): string | undefined
}

/**
 * Faces, hands, signs and pictures in a frame are drawn when asked for by emoji, never by a stray word that
 * happens to be their name.
 */
const BY_EMOJI_ONLY =
  /^\d+$|face|hand|finger|button|-mark|arrow|circle$|square$|symbol|person-|man-|squared|fist|gesture|diamond$|^letter-|^digit-|^cloud|^globe|-flag$|thumb|speaker|-at-|-with-/

/** Builds the word table from the names that this artwork has. */
export function createVocabulary(artwork: Artwork): Vocabulary {
  const table = new Map<string, string>()
  for (const [icon, names] of Object.entries(SYNONYMS)) {
    if (artwork.has(icon)) for (const name of names.split(',')) table.set(name, icon)
  }
  for (const icon of artwork.names()) {
    const words = icon.replaceAll('-', ' ')
    if (!BY_EMOJI_ONLY.test(icon) && !NOT_PIECES.has(icon) && !table.has(words)) table.set(words, icon)
  }
  return {
    find: (words) => {
      const start = words.slice(0, -1).join(' ')
      for (const [index, reading] of singularReadings(words.at(-1) as string).entries()) {
        const icon = table.get(start === '' ? reading : `${start} ${reading}`)
        if (icon !== undefined) return { icon, plural: index > 0 }
      }
      return undefined
    },
    // Digits and # have pieces of their own as keycaps; in a prompt they are numbers.
    emoji: (text) => ((text.codePointAt(0) ?? 0) < 0x2000 ? undefined : artwork.nameOfEmoji(text)),
  }
}
