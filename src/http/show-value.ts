/**
 * A caller's own value as an error shows it back: short, well-formed, and without what an address may hold beside its
 * host. Every message that quotes a caller goes through here; credentials must not reach a log by way of a 400.
 */
import { isSpooledFile } from '../inputs/is-spooled-file.ts'

const maxShownCharacters = 80
/** More than any authority of an address has; nothing behind it is looked at. */
const maxReadCharacters = 2_000

/** A `scheme:` at the beginning, or `scheme://` and `//` anywhere. */
const addressStart = /^\s*[a-z][a-z0-9+.-]{0,30}:|(?:[a-z][a-z0-9+.-]{0,30}:)?[\\/]{2}/i
const addressParts = /^\s*((?:[a-z][a-z0-9+.-]{0,30}:)?[\\/]*)([^\\/?#]*)/i
const host = /^(?:\[[0-9a-f:.]{2,45}\]|[\p{L}\p{N}._-]{1,253})(?::\d{1,5})?$/iu

/** The value in words, texts in quotes. Of an address only the scheme and the host are left. */
export function showValue(value: unknown): string {
  if (isSpooledFile(value)) return 'a picture in base64'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number too large to be read'
  if (typeof value !== 'string') return String(value)
  const safe = withoutSecrets(value)
  if (value.length <= maxShownCharacters) return JSON.stringify(safe)
  const shown = JSON.stringify(cutText(safe, maxShownCharacters))
  return `${shown}${safe.length > maxShownCharacters ? '…' : ''} (${value.length} characters)`
}

/** At most so much of a text, without half of the character at which it is cut: jsonb refuses such a half. */
export function cutText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed()
}

function withoutSecrets(text: string): string {
  const at = text.slice(0, maxReadCharacters).search(addressStart)
  return at < 0 ? text : text.slice(0, at) + withoutCredentials(text.slice(at))
}

/** An address, or what looks like one, to the end of its host. */
function withoutCredentials(address: string): string {
  const [match, start = '', authority = ''] = addressParts.exec(address.slice(0, maxReadCharacters)) ?? ['']
  if (!/[\\/]{2}$/.test(start)) return `${start}…`
  const name = authority.slice(authority.lastIndexOf('@') + 1)
  // A password may hold a slash: what stands before a later @ is no host.
  const isHost = host.test(name) && !address.includes('@', match.length)
  if (!isHost) return `${start}…`
  return match.length === address.length && name === authority ? address : `${start}${name}/…`
}
