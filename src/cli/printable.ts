/**
 * Text from the API, prompts included, was written by others: it must never move the cursor, change a title or
 * hide a line of somebody's terminal. Everything that is printed passes one of these two functions.
 */
import { stripVTControlCharacters } from 'node:util'

/**
 * Controls of C0 and C1, the marks that reverse the reading direction, and the two separators that some
 * terminals take for line ends.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this file is about.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** The text on one line, without control characters; line ends and tabs become spaces. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replace(/[\r\n\t\u2028\u2029]+/g, ' ')).replace(unprintable, '')
}

/** JSON of the value, the same to a parser and harmless to a terminal. Indented for people, on one line for pipes. */
export function printableJson(value: unknown, options: { indent: boolean }): string {
  const json = JSON.stringify(value, undefined, options.indent ? 2 : undefined)
  return json.replace(unprintable, (found) =>
    // The only control that JSON.stringify leaves outside of strings is its own line end.
    found === '\n' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
