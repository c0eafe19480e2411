/**
 * What the headers of one part of a form say about it (RFC 7578). Whatever could be read in two ways is refused: a
 * field that is taken for another one would be dropped without a word.
 */
import { badRequest } from '../lib/errors.ts'

/** Header lines by lower-case name; each byte is one character. */
export type RawPartHeaders = Record<string, string[]>

export interface PartHeaders {
  name: string
  /** As the client says; nothing but a hint, and never a path. */
  filename?: string
  /** Lower case, without parameters. */
  contentType?: string
}

/** All lines of one part; clients send two or three. */
export const maxPartHeaderBytes = 8 * 1024
const maxNameCharacters = 200
const maxFilenameCharacters = 255

/** `; name="value"` or `; name=value`; browsers write a quote inside as %22, others put a backslash before it. */
const parameter = /\s*;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/y
const plainEncodings = ['7bit', '8bit', 'binary']
const plainCharsets = ['utf-8', 'utf8', 'us-ascii', 'ascii']

/** Throws a 400 that says what is wrong. */
export function readPartHeaders(raw: RawPartHeaders): PartHeaders {
  const sizeBytes = Object.entries(raw)
    .flatMap(([name, values]) => values.map((value) => name.length + value.length))
    .reduce((sum, bytes) => sum + bytes, 0)
  if (sizeBytes > maxPartHeaderBytes) throw tooManyHeaders()

  const [disposition] = one(raw, 'content-disposition')
  const form = /^\s*form-data(?=\s*(;|$))/i.exec(disposition ?? '')
  if (disposition === undefined || !form) {
    throw badRequest(null, 'A part of the form has no header Content-Disposition: form-data; name="…".')
  }
  const parameters = parametersOf(disposition, form[0].length)
  const name = parameters?.get('name')
  if (!parameters || name === undefined || name === '') {
    throw badRequest(null, 'A part of the form has no name, or one that cannot be read.')
  }
  if (name.length > maxNameCharacters) {
    throw badRequest(
      null,
      `A part of the form has a name of more than ${maxNameCharacters} characters, which is not allowed.`,
    )
  }
  if (/\p{Cc}/u.test(name)) throw badRequest(null, 'A part of the form has control characters in its name.')

  const [encoding] = one(raw, 'content-transfer-encoding')
  if (encoding !== undefined && !plainEncodings.includes(encoding.trim().toLowerCase())) {
    throw badRequest(name, `${name} has a Content-Transfer-Encoding; send its bytes as they are.`)
  }
  const [type] = one(raw, 'content-type')
  const contentType = type?.split(';')[0]?.trim().toLowerCase()
  const charset = type && /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(type)?.[1]?.toLowerCase()
  if (charset && contentType === 'text/plain' && !plainCharsets.includes(charset)) {
    throw badRequest(name, `${name} is in another charset than UTF-8; send UTF-8.`)
  }
  const filename = parameters.get('filename') ?? parameters.get('filename*')
  return {
    name,
    ...(filename === undefined ? {} : { filename: filename.slice(0, maxFilenameCharacters).toWellFormed() }),
    ...(contentType ? { contentType: contentType.slice(0, 100) } : {}),
  }
}

/** For a part whose headers have no end. */
export function tooManyHeaders() {
  return badRequest(null, `A part of the form has headers of more than ${maxPartHeaderBytes} bytes.`)
}

function one(raw: RawPartHeaders, name: string): [string | undefined] {
  const values = raw[name] ?? []
  if (values.length > 1) throw badRequest(null, `A part of the form has the header ${name} more than once.`)
  return [values[0]]
}

/** Undefined where the text is not a list of parameters, says one of them twice, or is not UTF-8. */
function parametersOf(text: string, start: number): Map<string, string> | undefined {
  const found = new Map<string, string>()
  let at = start
  for (; /[^\s;]/.test(text.slice(at)); at = parameter.lastIndex) {
    parameter.lastIndex = at
    const [match, key = '', quoted, token] = parameter.exec(text) ?? []
    if (match === undefined || found.has(key.toLowerCase())) return undefined
    const value = quoted?.replace(/\\(["\\])/g, '$1') ?? token ?? ''
    try {
      found.set(
        key.toLowerCase(),
        new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1')),
      )
    } catch {
      // A filename may be in any encoding: it is only a hint.
      if (key.toLowerCase() === 'name') return undefined
      found.set(key.toLowerCase(), '')
    }
  }
  return found
}
