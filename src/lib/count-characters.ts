/** Characters as people and limits count them: Unicode code points, not the halves that JavaScript keeps. */

/** How many characters the text has. */
export function countCharacters(text: string): number {
  let characters = 0
  for (const _ of text) characters += 1
  return characters
}
