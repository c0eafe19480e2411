/**
 * The form of a key: `gs_`, 34 random base62 characters (202 bits), and 6 that are a checksum of what is before
 * them. A mistyped key is refused without asking the database, and a scanner can tell a leaked key from noise.
 * Published form: `^gs_[0-9A-Za-z]{40}$`.
 */
import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const pattern = /^gs_[0-9A-Za-z]{40}$/
const randomCharacters = 34
const checksumCharacters = 6

/** A new key. It is shown to its owner once and stored nowhere. */
export function generateKey(): string {
  let body = ''
  while (body.length < randomCharacters) {
    // 248 is the largest multiple of 62 below 256: bytes above it would favour the first letters.
    for (const byte of randomBytes(64)) {
      if (byte < 248 && body.length < randomCharacters) body += alphabet[byte % 62]
    }
  }
  return `gs_${body}${checksum(`gs_${body}`)}`
}

/** Has the text the form of a key, checksum included? */
export function isWellFormedKey(text: string): boolean {
  return (
    pattern.test(text) && checksum(text.slice(0, -checksumCharacters)) === text.slice(-checksumCharacters)
  )
}

/** What is stored of a key: SHA-256. A fast hash is right for a secret of full entropy. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** The part of a key that may be shown again: seven of 43 characters; of one that somebody thought up, three. */
export function keyHint(key: string): string {
  return key.slice(0, isWellFormedKey(key) ? 7 : 3)
}

/** CRC-32 in base62, six digits (62^6 > 2^32). */
function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let digit = 0; digit < checksumCharacters; digit++) {
    digits = alphabet[rest % 62] + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}
