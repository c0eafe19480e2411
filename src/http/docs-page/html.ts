/**
 * Builds HTML out of values that are text until proved otherwise: whatever is put into an `html` template is
 * escaped, unless it came out of one. It must never take markup from a document, whatever shape that has.
 */

const markup = Symbol('markup')

/** Finished HTML. The key is a symbol, so that no parsed JSON can pass for it. */
export interface Html {
  readonly [markup]: string
}

/** What a template takes: text, finished HTML, lists of it, or nothing. */
export type Content = string | number | Html | readonly Content[] | null | undefined | false

/** The tagged template. Attribute values must stand in double quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  const text = strings.map((string, index) => string + (index < values.length ? toMarkup(values[index]) : ''))
  return { [markup]: text.join('') }
}

/** HTML written in this folder's own source, such as the style; never anything from a document. */
export function trusted(source: string): Html {
  return { [markup]: source }
}

/** The HTML as a string, for the answer. */
export function toMarkup(content: Content): string {
  if (content === null || content === undefined || content === false) return ''
  if (Array.isArray(content)) return content.map(toMarkup).join('')
  if (typeof content === 'object' && markup in content) return content[markup]
  return escapeText(String(content))
}

/** One line of a description: text in which backticks make `code`. */
export function inline(text: string): Html {
  const parts = String(text).split(/`([^`]+)`/)
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

/** A long name that may go on in the next line after any of the given characters, e.g. `'_.'`. */
export function breakable(name: string, after: string): Html {
  const characters = [...String(name)]
  return html`${characters.map((character) => (after.includes(character) ? [character, html`<wbr>`] : character))}`
}

/** A description: paragraphs at blank lines, `code` in backticks, and nothing else of Markdown. */
export function prose(text: string | undefined): Html {
  const paragraphs = String(text ?? '')
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim() !== '')
  return html`${paragraphs.map((paragraph) => html`<p>${inline(paragraph.trim())}</p>`)}`
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
