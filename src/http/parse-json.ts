/**
 * From the bytes of a body to a JSON object, within bounds that are checked on the bytes before anything is parsed;
 * then text that PostgreSQL and every client can hold.
 */
import { badRequest, GessoError } from '../lib/errors.ts'
import { firstExcess, type JsonMeasure } from './measure-json.ts'

const mebibyte = 1024 * 1024

/**
 * Sixteen pictures of just under a mebibyte of base64 stay text, and all of their slashes may be escaped; larger ones
 * are out of the text before it comes here.
 */
const limits: JsonMeasure = {
  depth: 64,
  keys: 1_000,
  items: 100_000,
  textBytes: 32 * mebibyte,
  otherBytes: 4 * mebibyte,
}

const excesses: Record<keyof JsonMeasure, string> = {
  depth: `is nested more than ${limits.depth} deep`,
  keys: `has more than ${limits.keys} keys`,
  items: `has more than ${limits.items} values`,
  textBytes: `has more than ${limits.textBytes} bytes of text, which no field takes`,
  otherBytes: `has more than ${limits.otherBytes} bytes of numbers and white space`,
}

/** No text that is longer can be within the bounds. */
export const maxParsedBytes = limits.textBytes + limits.otherBytes

/** What there is too much of in a JSON text, which may break off. */
export function excessOf(bytes: Buffer): GessoError | undefined {
  const excess = firstExcess(bytes, limits)
  return excess && badRequest(null, `The body ${excesses[excess]}.`)
}

/** Parses bytes that hold one JSON object. Throws a 400 that says what is wrong with them. */
export function parseJson(bytes: Buffer): object {
  if (bytes.length === 0) throw emptyBody()
  const excess = excessOf(bytes)
  if (excess) throw excess
  let value: unknown
  try {
    value = parseWithSource(new TextDecoder('utf-8', { fatal: true }).decode(bytes), refuseInexact)
  } catch (error) {
    throw error instanceof GessoError ? error : invalidJson()
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(null, 'The body must be a JSON object.')
  }
  refuseUnfaithful(value, '')
  return value
}

/** ES2026 tells the reviver what stood in the text; TypeScript's library does not know it yet. */
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown

/** A number that would be rounded to another one is refused: a seed must be the seed that was sent. */
function refuseInexact(key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value
  const digits = source.replace(/e.*$/i, '').replace(/[-.]/g, '').replace(/^0+/, '')
  const isLost = (value === 0 && digits !== '') || digits.length > maxDigits
  if (!isLost) return value
  const name = key.slice(0, 100).toWellFormed()
  throw badRequest(
    name || null,
    `${name || 'A value'} is a number that cannot be read exactly; send it with at most ${maxDigits} digits.`,
  )
}

/** What a double holds of any decimal number. */
const maxDigits = 17

/** For a body that is no JSON text, or one with pictures in the place of keys. */
export function invalidJson(): GessoError {
  return badRequest(null, 'The body is not valid JSON in UTF-8.')
}

/** For a request that should have a body and has none. */
export function emptyBody() {
  return badRequest(null, 'The body is empty; send a JSON object.')
}

/** What would not come through as it was sent: NUL, half a surrogate pair, and the key that objects swallow. */
function refuseUnfaithful(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw badRequest(path, `${path} holds a NUL character, which is not allowed.`)
    if (!value.isWellFormed())
      throw badRequest(path, `${path} holds half of a surrogate pair; send well-formed Unicode.`)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const name = Array.isArray(value)
      ? `${path}[${key}]`
      : path === ''
        ? key.slice(0, 100).toWellFormed()
        : `${path}.${key.slice(0, 100).toWellFormed()}`
    if (!key.isWellFormed() || key.includes('\0'))
      throw badRequest(null, 'The body has a key that is not well-formed Unicode.')
    if (key === '__proto__')
      throw badRequest(name, `${name} is a key that is not allowed; choose another name.`)
    refuseUnfaithful(inner, name)
  }
}
