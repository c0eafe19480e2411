/** Where the base64 of a data URI (RFC 2397) begins. One reader for JSON and forms, so that both take the same. */

/** More than any media type and its parameters have. */
const maxHeadCharacters = 300

/** Does the text say that it is a data URI? */
export function isDataUri(text: string): boolean {
  return /^data:/i.test(text)
}

/** The length of `data:…;base64,` at the beginning of a data URI; undefined where its content is no base64. */
export function dataUriHeadLength(text: string): number | undefined {
  const comma = text.slice(0, maxHeadCharacters).indexOf(',')
  return comma > 0 && /;base64$/i.test(text.slice(0, comma)) ? comma + 1 : undefined
}
