/** Words that say what a prompt is about, as data that one can read: the lists of the rule-based optimizer. */

/** Is one of the cue's words in this text? Expects what `spokenText` gives. */
export type Cue = (spoken: string) => boolean

/**
 * A cue from a list of words. `*` stands for the rest of a word, `_` for the space inside a phrase:
 * `photo* golden_hour`.
 */
export function cue(...lists: string[]): Cue {
  const words = lists.flatMap((list) => list.trim().split(/\s+/))
  const alternatives = words.map((word) => word.replaceAll('_', ' ').replaceAll('*', '[^ ]*'))
  const pattern = new RegExp(` (?:${alternatives.join('|')}) `)
  return (spoken) => pattern.test(spoken)
}

/** The words of a text in lower case, with one space around each and nothing else. */
export function spokenText(text: string): string {
  return ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `
}
