/**
 * JSON with pictures in it, read while it arrives: a long string of base64 is decoded to bytes as it comes,
 * and only what is left of the text, small, is parsed at the end. A two-megabyte picture is never held as a
 * JavaScript string, let alone four of them beside the whole answer. A string that goes wrong must not take the
 * pictures beside it along: it is skipped.
 */
import { randomUUID } from 'node:crypto'
import { Base64Arena } from './base64-arena.ts'

/** A string is judged when this many of its bytes are there. Shorter base64 stays a string. */
const thresholdBytes = 1_024
/** All of the answer except its pictures. */
const maxRestBytes = 1024 * 1024
/** Holds a text of 32,000 characters even if all of them are escaped. */
const maxStringBytes = 256 * 1024

const quote = 0x22
const backslash = 0x5c
const dataUriPrefix = /^data:[^,]{0,200};base64,/i
/** Base64 may be broken into lines; with spaces it would be prose. */
const base64Only = /^[A-Za-z0-9+/_\-\r\n\t]*={0,2}\s*$/
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
  readonly #arena: Base64Arena
  readonly #pictures: Buffer[] = []
  /** Unguessable, so that no upstream can write a placeholder itself. */
  readonly #placeholder = `picture ${randomUUID()} `
  #rest = Buffer.allocUnsafe(4_096)
  #restBytes = 0
  #state: State = 'outside'
  /** Where in the rest the current string's content begins. */
  #stringStart = 0
  #escaped = false
  /** The beginning of an escape that was cut by the end of a chunk. */
  #cutEscape = ''

  /** `expectedBytes` is the Content-Length, where there is one: it spares copying. */
  constructor(options: { expectedBytes?: number } = {}) {
    this.#arena = new Base64Arena(options.expectedBytes ?? 0)
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
   * The parsed value, in which every string that was decoded is a `Buffer`: an empty one if it was broken. A text
   * longer than 256 KiB is an empty string.
   */
  end(): unknown {
    if (this.#state !== 'outside') throw new Error('the JSON ends inside a string')
    const value = parse(this.#rest.toString('utf8', 0, this.#restBytes))
    return this.#pictures.length === 0 ? value : this.#putPicturesBack(value)
  }

  /** Gives the memory of the pictures back at once, where the answer is given up. */
  discard(): void {
    this.#arena.discard()
  }

  #readOutside(chunk: Buffer, from: number): number {
    const at = chunk.indexOf(quote, from)
    const end = at < 0 ? chunk.length : at + 1
    this.#keep(chunk.subarray(from, end))
    if (at >= 0) {
      this.#state = 'young string'
      this.#stringStart = this.#restBytes
    }
    return end
  }

  #readString(chunk: Buffer, from: number): number {
    const young = this.#state === 'young string'
    const until = young ? from + thresholdBytes - (this.#restBytes - this.#stringStart) : chunk.length
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
    if (this.#restBytes - this.#stringStart + bytes.length <= maxStringBytes) this.#keep(bytes)
    else {
      this.#restBytes = this.#stringStart
      this.#state = 'skipped string'
    }
  }

  /** Decides what the string is, and moves what is there of a picture out of the rest. */
  #judge(): void {
    const raw = this.#rest.toString('latin1', this.#stringStart, this.#restBytes)
    const { text, cut } = withoutEscapes(raw)
    const prefix = text === undefined ? undefined : (dataUriPrefix.exec(text)?.[0] ?? '')
    if (text === undefined || prefix === undefined || !base64Only.test(text.slice(prefix.length))) {
      this.#state = 'plain string'
      return
    }
    this.#restBytes = this.#stringStart
    this.#keep(Buffer.from(`${this.#placeholder}${this.#pictures.length}`))
    this.#state = 'picture'
    this.#escaped = false
    this.#cutEscape = cut
    this.#arena.begin()
    if (!this.#arena.write(text.slice(prefix.length))) this.#skipPicture(0)
  }

  #readPicture(chunk: Buffer, from: number): number {
    const at = chunk.indexOf(quote, from)
    const end = at < 0 ? chunk.length : at
    const { text, cut } = withoutEscapes(this.#cutEscape + chunk.toString('latin1', from, end))
    const holdsQuote = at >= 0 && cut !== ''
    if (text === undefined || holdsQuote || !this.#arena.write(text)) return this.#skipPicture(from)
    this.#cutEscape = cut
    if (at < 0) return end
    const picture = this.#arena.finish()
    if (!picture) return this.#skipPicture(from)
    this.#pictures.push(picture)
    this.#state = 'outside'
    this.#keep(chunk.subarray(at, at + 1))
    return at + 1
  }

  /** Reads the chunk again from here, only to find the end of the string. */
  #skipPicture(from: number): number {
    this.#pictures.push(Buffer.alloc(0))
    this.#escaped = this.#cutEscape === '\\'
    this.#state = 'skipped string'
    return from
  }

  #keep(bytes: Buffer): void {
    const needed = this.#restBytes + bytes.length
    if (needed > maxRestBytes) throw new Error('the JSON around the pictures is too large')
    if (needed > this.#rest.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#rest.length))
      this.#rest.copy(grown, 0, 0, this.#restBytes)
      this.#rest = grown
    }
    bytes.copy(this.#rest, this.#restBytes)
    this.#restBytes = needed
  }

  /** Walks without recursion, because an upstream may nest as deeply as its megabyte allows. */
  #putPicturesBack(value: unknown): unknown {
    const root = { value }
    const open: object[] = [root]
    let placed = 0
    for (let parent = open.pop(); parent; parent = open.pop()) {
      for (const [key, child] of Object.entries(parent)) {
        if (typeof child === 'object' && child !== null) open.push(child)
        else if (typeof child === 'string' && child.startsWith(this.#placeholder)) {
          const picture = this.#pictures[Number(child.slice(this.#placeholder.length))]
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
    if (placed !== this.#pictures.length) throw new Error('a picture stands where no value is')
    return root.value
  }
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
function parse(text: string): unknown {
  const json = text.replace(/^\uFEFF/, '')
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
