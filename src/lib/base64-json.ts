/**
 * JSON with pictures in it, read while it arrives: a long string of base64 is decoded to bytes as it comes,
 * and only what is left of the text, small, is parsed at the end. A two-megabyte picture is never held as a
 * JavaScript string, let alone four of them beside the whole text. In a provider's answer a string that goes wrong
 * must not take the pictures beside it along: it is skipped. In a caller's request nothing may go silently: it is an
 * error there.
 */
import { randomUUID } from 'node:crypto'
import { Base64Arena, type Base64Sink } from './base64-arena.ts'

/** How a text is read. */
export interface Base64JsonOptions {
  /** Where pictures go; memory unless told. */
  sink: Base64Sink
  /** A string is judged when this many of its bytes are there. Shorter base64 stays a string. */
  thresholdBytes: number
  /** All of the text except its pictures; more is an error. */
  maxRestBytes: number
  /** A longer text that is no picture is an empty string. */
  maxStringBytes: number
  /** Broken base64 is a `BrokenBase64Error`, and JSON has to be JSON to the letter. */
  strict: boolean
  /** Parses what is left beside the pictures. */
  parse: (rest: Buffer) => unknown
}

/** What fits providers' answers: any picture of a kilobyte, and a text of 32,000 characters, all of them escaped. */
const forgiving = {
  thresholdBytes: 1_024,
  maxRestBytes: 1024 * 1024,
  maxStringBytes: 256 * 1024,
  strict: false,
  parse: parseForgivingly,
}

/** A string that began as base64, for as long as the threshold, and went on as something else. */
export class BrokenBase64Error extends Error {
  override name = 'BrokenBase64Error'
}

/** The JSON around pictures is not well formed, or a picture stands where no value is. */
export class BrokenJsonError extends Error {
  override name = 'BrokenJsonError'
}

const quote = 0x22
const backslash = 0x5c
const dataUriPrefix = /^data:[^,]{0,200};base64,/i
/** Base64 may be broken into lines; with spaces it would be prose. */
const foreignToBase64 = /[^A-Za-z0-9+/_\-\r\n\t]/
const paddingOnly = /^={0,2}\s*$/
/** JSON has them escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const rawControlCharacter = /[\0-\x1f]/
/** Strings are matched to be passed over. */
const stringOrNoNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|(-?\bInfinity\b|\bNaN\b)/g
/** A backslash whose escape is not complete yet. */
const openEscape = /(?:^|[^\\])(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)$/

type State =
  | 'outside'
  /** In a string shorter than the threshold so far. */
  | 'young string'
  /** In a long string that is no base64. */
  | 'plain string'
  /** In a string that is being decoded. */
  | 'picture'
  /** In a string that is too long or turned out not to be base64 after all. */
  | 'skipped string'

/**
 * Takes chunks by `write` and gives the value by `end`. Both throw on what is not JSON or too much of it. `NaN`
 * and the infinities, which Python writes, are read as `null`, and raw control characters as spaces.
 */
export class Base64JsonReader {
  readonly #options: Base64JsonOptions
  readonly #sink: Base64Sink
  #pictures = 0
  /** Unguessable, so that no upstream can write a placeholder itself. */
  readonly #placeholder = `picture ${randomUUID()} `
  #rest = Buffer.allocUnsafe(4_096)
  #restBytes = 0
  #state: State = 'outside'
  /** Where in the rest the current string's content begins. */
  #stringStart = 0
  /** How long the current string has to be to be judged. */
  #judgeAtBytes = 0
  #escaped = false
  /** The beginning of an escape that was cut by the end of a chunk. */
  #cutEscape = ''

  /** `expectedBytes` is the Content-Length, where there is one: it spares copying. */
  constructor(options: Partial<Base64JsonOptions> & { expectedBytes?: number } = {}) {
    this.#sink = options.sink ?? new Base64Arena(options.expectedBytes ?? 0)
    this.#options = { ...forgiving, sink: this.#sink, ...options }
  }

  /** The text so far, with words in the places of pictures. Valid until the next write. */
  get rest(): Buffer {
    return this.#rest.subarray(0, this.#restBytes)
  }

  /** Reads the next bytes. They may be cut anywhere and are not kept. */
  write(chunk: Buffer): void {
    let position = 0
    while (position < chunk.length) {
      if (this.#state === 'outside') position = this.#readOutside(chunk, position)
      else if (this.#state === 'picture') position = this.#readPicture(chunk, position)
      else position = this.#readString(chunk, position)
    }
  }

  /**
   * The parsed value, in which every string that was decoded is the sink's value: a `Buffer` in memory, an empty one
   * if it was broken.
   */
  end(): unknown {
    if (this.#state !== 'outside') throw new BrokenJsonError('the JSON ends inside a string')
    const value = this.#options.parse(this.rest)
    return this.#pictures === 0 ? value : this.#putPicturesBack(value, this.#sink.values())
  }

  /** Gives the memory of the pictures back at once, where the text is given up. */
  discard(): void {
    this.#sink.discard()
  }

  #readOutside(chunk: Buffer, from: number): number {
    const at = chunk.indexOf(quote, from)
    const end = at < 0 ? chunk.length : at + 1
    this.#keep(chunk.subarray(from, end))
    if (at >= 0) {
      this.#state = 'young string'
      this.#stringStart = this.#restBytes
      this.#judgeAtBytes = this.#options.thresholdBytes
    }
    return end
  }

  #readString(chunk: Buffer, from: number): number {
    const young = this.#state === 'young string'
    const until = young ? from + this.#judgeAtBytes - (this.#restBytes - this.#stringStart) : chunk.length
    let position = from
    let closed = false
    while (!closed && position < until && position < chunk.length) {
      const byte = chunk[position]
      closed = byte === quote && !this.#escaped
      this.#escaped = byte === backslash && !this.#escaped
      position += 1
    }
    this.#keepString(chunk.subarray(from, position))
    if (closed && this.#state === 'skipped string') this.#keep(chunk.subarray(position - 1, position))
    if (closed) this.#state = 'outside'
    else if (young && position === until) this.#judge()
    return position
  }

  #keepString(bytes: Buffer): void {
    if (this.#state === 'skipped string') return
    if (this.#restBytes - this.#stringStart + bytes.length <= this.#options.maxStringBytes) this.#keep(bytes)
    else {
      this.#restBytes = this.#stringStart
      this.#state = 'skipped string'
    }
  }

  /** Decides what the string is, and moves what is there of a picture out of the rest. */
  #judge(): void {
    const raw = this.#rest.toString('latin1', this.#stringStart, this.#restBytes)
    const { text, cut } = withoutEscapes(raw)
    const prefix = text === undefined ? '' : (dataUriPrefix.exec(text)?.[0] ?? '')
    const base64 = text?.slice(prefix.length)
    if (text === undefined || base64 === undefined || !isBase64(base64)) {
      this.#state = 'plain string'
      return
    }
    if (this.#options.strict) {
      if (rawControlCharacter.test(raw)) throw new BrokenJsonError('a raw control character in a string')
      // Escapes make a text look longer than it is; a short one is for the caller to understand.
      if (text.length < this.#options.thresholdBytes) {
        this.#judgeAtBytes = Math.ceil((1.02 * raw.length * this.#options.thresholdBytes) / text.length)
        return
      }
    }
    this.#restBytes = this.#stringStart
    this.#keep(Buffer.from(`${this.#placeholder}${this.#pictures}`))
    this.#pictures += 1
    this.#state = 'picture'
    this.#escaped = false
    this.#cutEscape = cut
    this.#sink.begin()
    if (!this.#sink.write(base64)) this.#skipPicture(0)
  }

  #readPicture(chunk: Buffer, from: number): number {
    const at = chunk.indexOf(quote, from)
    const end = at < 0 ? chunk.length : at
    const raw = this.#cutEscape + chunk.toString('latin1', from, end)
    if (this.#options.strict && rawControlCharacter.test(raw))
      throw new BrokenJsonError('a raw control character in a string')
    const { text, cut } = withoutEscapes(raw)
    const holdsQuote = at >= 0 && cut !== ''
    if (text === undefined || holdsQuote || !this.#sink.write(text)) return this.#skipPicture(from)
    this.#cutEscape = cut
    if (at < 0) return end
    if (!this.#sink.finish()) return this.#skipPicture(from)
    this.#state = 'outside'
    this.#keep(chunk.subarray(at, at + 1))
    return at + 1
  }

  /** Reads the chunk again from here, only to find the end of the string. */
  #skipPicture(from: number): number {
    if (this.#options.strict) throw new BrokenBase64Error('a long string breaks off being base64')
    this.#sink.skip()
    this.#escaped = this.#cutEscape === '\\'
    this.#state = 'skipped string'
    return from
  }

  #keep(bytes: Buffer): void {
    const needed = this.#restBytes + bytes.length
    if (needed > this.#options.maxRestBytes) throw new Error('the JSON around the pictures is too large')
    if (needed > this.#rest.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#rest.length))
      this.#rest.copy(grown, 0, 0, this.#restBytes)
      this.#rest = grown
    }
    bytes.copy(this.#rest, this.#restBytes)
    this.#restBytes = needed
  }

  /** Walks without recursion, because an upstream may nest as deeply as its megabyte allows. */
  #putPicturesBack(value: unknown, pictures: readonly unknown[]): unknown {
    const root = { value }
    const open: object[] = [root]
    let placed = 0
    for (let parent = open.pop(); parent; parent = open.pop()) {
      for (const [key, child] of Object.entries(parent)) {
        if (typeof child === 'object' && child !== null) open.push(child)
        else if (typeof child === 'string' && child.startsWith(this.#placeholder)) {
          const picture = pictures[Number(child.slice(this.#placeholder.length))]
          // Defined, not assigned: a key may be called __proto__.
          Object.defineProperty(parent, key, {
            value: picture,
            enumerable: true,
            writable: true,
            configurable: true,
          })
          placed += 1
        }
      }
    }
    if (placed !== pictures.length) throw new BrokenJsonError('a picture stands where no value is')
    return root.value
  }
}

/** Digits, line breaks and padding at the end. */
function isBase64(text: string): boolean {
  const padAt = text.indexOf('=')
  const digits = padAt < 0 ? text.trimEnd() : text.slice(0, padAt)
  return !foreignToBase64.test(digits) && paddingOnly.test(text.slice(digits.length))
}

/** The text that `raw`, the inside of a JSON string, stands for; `cut` is an escape left open at its end. */
function withoutEscapes(raw: string): { text: string | undefined; cut: string } {
  if (!raw.includes('\\')) return { text: raw, cut: '' }
  const cut = openEscape.exec(raw)?.[1] ?? ''
  try {
    return { text: JSON.parse(`"${raw.slice(0, raw.length - cut.length)}"`), cut }
  } catch {
    return { text: undefined, cut }
  }
}

/** `JSON.parse` without its messages, which quote the text. */
function parseForgivingly(rest: Buffer): unknown {
  const json = rest.toString('utf8').replace(/^\uFEFF/, '')
  try {
    return JSON.parse(json)
  } catch {}
  try {
    return JSON.parse(
      json.replace(/\p{Cc}/gu, ' ').replace(stringOrNoNumber, (token, word) => (word ? 'null' : token)),
    )
  } catch {
    throw new Error('the body is not JSON')
  }
}
