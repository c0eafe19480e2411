/**
 * From the bytes of a body to a JSON object, within bounds that are checked on the bytes before anything is parsed;
 * then text that PostgreSQL and every client can hold.
 */
import { badRequest } from '../lib/errors.ts'
import { firstExcess, type JsonMeasure } from './measure-json.ts'

const mebibyte = 1024 * 1024

/** No field takes an image yet; the longest text is a prompt of a million characters, at 6 bytes an escaped one. */
const limits: JsonMeasure = {
  depth: 64,
  keys: 1_000,
  items: 100_000,
  textBytes: 8 * mebibyte,
  otherBytes: 4 * mebibyte,
}

const excesses: Record<keyof JsonMeasure, string> = {
  depth: `is nested more than ${limits.depth} deep`,
  keys: `has more than ${limits.keys} keys`,
  items: `has more than ${limits.items} values`,
  textBytes: `has more than ${limits.textBytes} bytes of text, which no field takes`,
  otherBytes: `has more than ${limits.otherBytes} bytes of numbers and white space`,
}

/** Parses bytes that hold one JSON object. Throws a 400 that says what is wrong with them. */
export function parseJson(bytes: Buffer): object {
  if (bytes.length === 0) throw emptyBody()
  const excess = firstExcess(bytes, limits)
  if (excess) throw badRequest(null, `The body ${excesses[excess]}.`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw badRequest(null, 'The body is not valid JSON in UTF-8.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(null, 'The body must be a JSON object.')
  }
  refuseUnfaithful(value, '')
  return value
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
        ? key.slice(0, 100)
        : `${path}.${key.slice(0, 100)}`
    if (!key.isWellFormed() || key.includes('\0'))
      throw badRequest(null, 'The body has a key that is not well-formed Unicode.')
    if (key === '__proto__')
      throw badRequest(name, `${name} is a key that is not allowed; choose another name.`)
    refuseUnfaithful(inner, name)
  }
}
