/** Text that a POSIX shell takes as it stands, for command lines that people copy and run. */

/** One word: in single quotes nothing is special but the single quote itself. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** The inside of double quotes: nothing of the text is expanded, so that variables may stand beside it. */
export function shellEscape(text: string): string {
  return text.replace(/[\\"$`]/g, String.raw`\$&`)
}
