/**
 * Prompts made richer without a model: mild words about what a short English prompt leaves open, behind the
 * prompt itself. It must never contradict the prompt, so in doubt it adds nothing; the same prompt always gets
 * the same words.
 */

import { countCharacters } from '../lib/count-characters.ts'
import { type Aspect, aspects } from './aspects.ts'
import { cue, spokenText } from './cue.ts'
import type { PromptOptimizer } from './optimizer.ts'

const model = 'gesso-optimizer'
/** Above either, a prompt says what it wants; it also bounds the time that rules take. */
const longestShort = { words: 60, characters: 1_000 }

/** An optimizer that asks nobody and never fails. */
export function createRuleOptimizer(): PromptOptimizer {
  return {
    async optimize(prompt, { maxCharacters, isEdit }) {
      const richer = isOpen(prompt)
        ? append(prompt, isEdit ? editAddition(prompt) : additions(prompt))
        : prompt
      const optimized = countCharacters(richer) <= maxCharacters ? richer : prompt
      return { prompt: { original: prompt, optimized, model } }
    },
  }
}

/** Words of languages that are also written without accents; none of them is English. */
const foreign =
  cue(`der das dem ein eine einen einem einer mit und bei im auf unter nacht bild le la les un une du de
  des et avec dans sur sous nuit el los las una unos con en del noche il gli nel nella di della che notte um uma com
  noite het een och og som`)
/** The prompt asks for nothing but what it says. */
const strict = cue(
  `exactly only solely verbatim nothing_else no_more_than do_not_add don_t_add unchanged as_is just`,
)
/** Flags of other tools, JSON, and what is not finished: words behind them would be read as part of them. */
const closed = [
  /(?:^|\s)--\w/,
  /^\s*[{[<]/,
  /[:=\-–—/&+(@#\\|]\s*$/,
  /\b(?:and|or|with|of|the|a|an|in|on|by)\s*$/i,
]

/** May words be put behind this prompt, and does one know what they would mean there? */
function isOpen(prompt: string): boolean {
  if (prompt.length > longestShort.characters) return false
  // Letters beyond ASCII mean another language, or names in one.
  if (/[^\P{L}A-Za-z]/u.test(prompt) || !/[A-Za-z]{2}/.test(prompt)) return false
  const spoken = spokenText(prompt)
  if (spoken.split(' ').length - 2 > longestShort.words) return false
  return !foreign(spoken) && !strict(spoken) && !closed.some((one) => one.test(prompt)) && isBalanced(prompt)
}

/** Behind an open quotation or bracket our words would belong to it. */
function isBalanced(prompt: string): boolean {
  const count = (character: string) => prompt.split(character).length - 1
  const pairs = ['()', '[]', '{}', '“”', '«»']
  return (
    count('"') % 2 === 0 &&
    count('`') % 2 === 0 &&
    pairs.every(([open = '', close = '']) => count(open) === count(close)) &&
    // An apostrophe at the beginning of a word that no other one closes.
    (prompt.match(/(?<!\w)['‘]/g)?.length ?? 0) <= (prompt.match(/['’](?!\w)/g)?.length ?? 0)
  )
}

const negation = cue(
  `no not non without never none isn_t aren_t don_t doesn_t avoid except minus free instead`,
)
const quotation = /"[^"]*"|“[^”]*”|«[^»]*»|`[^`]*`|(?<!\w)['‘][^'’]*['’](?!\w)/g

/** What stands in a quotation or beside a "not" settles an aspect, but is no vein to follow. */
function additions(prompt: string): string[] {
  const said = spokenText(prompt)
  const meant = negation(said) ? ' ' : spokenText(prompt.replace(quotation, ' '))
  return aspects.flatMap((aspect) => (aspect.isSettled(said) ? [] : (wordsFor(aspect, said, meant) ?? [])))
}

function wordsFor({ veins = [], otherwise }: Aspect, said: string, meant: string): string | undefined {
  const [vein, ...others] = veins.filter(({ fits }) => fits(said))
  if (!vein) return otherwise
  return others.length === 0 && vein.fits(meant) ? vein.words : undefined
}

/** Words of edits that are about the whole picture, or say themselves what stays. */
const wholePicture =
  cue(`keep* kept else leav* preserv* same unchanged untouched every* whole entire* all full* style* turn
  transform* convert* restyle* redraw* repaint* reimagine* recreate* render* crop* zoom* rotate* flip* mirror* extend*
  expand* upscale* restor* enhanc* coloriz* colouris* into complete* overall black_and_white monochrome sepia`)

function editAddition(prompt: string): string[] {
  return wholePicture(spokenText(prompt)) ? [] : ['keep everything else as it is']
}

/** The prompt as it is, and the words behind it: after a sentence as a sentence, otherwise after a comma. */
function append(prompt: string, words: string[]): string {
  const text = words.join(', ')
  if (text === '') return prompt
  const spoken = prompt.trimEnd()
  const gap = prompt.slice(spoken.length)
  const space = gap === '' ? ' ' : ''
  if (/[,;]$/.test(spoken)) return `${prompt}${space}${text}`
  if (!/[.!?…]["'”’)]*$/.test(spoken) && !gap.includes('\n')) return `${prompt}, ${text}`
  return `${prompt}${space}${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
