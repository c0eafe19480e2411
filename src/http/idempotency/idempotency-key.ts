/**
 * The `Idempotency-Key` header: what the caller calls its request. `"abc"` (a string of RFC 8941, as the IETF's draft of the
 * header has it) and `abc` (what most clients send) are the same key.
 */
import type { IncomingMessage } from 'node:http'
import { badRequest, type GessoError } from '../../lib/errors.ts'

const maxCharacters = 255

/** The key without its quotes; undefined where there is no header. Throws a 400. */
export function readIdempotencyKey({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): string | undefined {
  // As they came: Node joins a header that was sent twice with a comma, which a key may hold.
  const [text, ...others] = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'idempotency-key',
  )
  if (text === undefined) return undefined
  if (others.length > 0) throw refusal('was sent twice')
  if (!/^[\x20-\x7e]*$/.test(text)) throw refusal('holds a character that is not allowed')
  const key = text.startsWith('"') ? unquote(text) : text
  if (key.trim() === '') throw refusal('is empty')
  if (key.length > maxCharacters) throw refusal(`has ${key.length} characters`)
  return key
}

function unquote(text: string): string {
  const [, inner] = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text) ?? []
  if (inner === undefined) throw refusal('begins with a quotation mark, but is no quoted string')
  return inner.replace(/\\(["\\])/g, '$1')
}

/** The key itself is not repeated: it may be secret to its sender. */
function refusal(what: string): GessoError {
  return badRequest(
    'Idempotency-Key',
    `The Idempotency-Key header ${what}; send it once, with 1 to ${maxCharacters} printable ASCII characters, plain or in quotation marks.`,
  )
}
