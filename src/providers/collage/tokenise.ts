/**
 * Cuts a prompt into lower-case words and emoji, in one pass and without backtracking.
 *
 * Punctuation parts words and is dropped; hyphens part words too ("snow-covered" is two), except in `#hex`.
 */

/** An emoji sequence is at most this many code points: a family with skin tones. */
const LONGEST_EMOJI = 10
const JOINER = 0x200d

/** At most `most` words; the rest of the text is not read. */
export function tokenise(text: string, most: number): string[] {
  const words: string[] = []
  let word = ''
  const end = () => {
    if (word !== '') words.push(word.length > 40 ? word.slice(0, 40) : word)
    word = ''
  }
  for (let at = 0; at < text.length && words.length < most; ) {
    const code = text.codePointAt(at) as number
    const size = code > 0xffff ? 2 : 1
    if (isEmoji(code)) {
      end()
      const emoji = emojiAt(text, at)
      words.push(emoji)
      at += emoji.length
      continue
    }
    if (isWordCode(code)) word += String.fromCodePoint(code).toLowerCase()
    else if (code !== 0x27 && code !== 0x2019) end()
    at += size
  }
  end()
  return words
}

function isWordCode(code: number): boolean {
  if (code < 0x80)
    return (
      (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 35
    )
  return code >= 0xc0 && code < 0x2000
}

/** Pictographs live in these blocks; letters and digits never do. */
function isEmoji(code: number): boolean {
  return (
    (code >= 0x1f000 && code <= 0x1faff) ||
    (code >= 0x2600 && code <= 0x27bf) ||
    (code >= 0x2b00 && code <= 0x2bff) ||
    (code >= 0x2300 && code <= 0x23ff)
  )
}

/** The whole sequence: a pictograph, its modifiers, and what zero-width joiners tie to it. */
function emojiAt(text: string, start: number): string {
  let at = start
  for (let taken = 0; at < text.length && taken < LONGEST_EMOJI; taken++) {
    const code = text.codePointAt(at) as number
    const modifies = code === 0xfe0f || code === JOINER || (code >= 0x1f3fb && code <= 0x1f3ff)
    const joined = at > start && text.charCodeAt(at - 1) === JOINER
    if (at > start && !modifies && !joined) break
    at += code > 0xffff ? 2 : 1
  }
  return text.slice(start, at)
}
