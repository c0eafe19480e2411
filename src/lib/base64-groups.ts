/**
 * Base64 that arrives in pieces cut anywhere: puts its groups of four characters together and hands them on, in
 * runs, to be decoded. It keeps three characters at most, and never lets a foreign character through.
 */

/** Decodes whole groups; the last run of a value may lack up to two characters. False where they are no base64. */
export type DecodeGroups = (digits: string, sizeBytes: number) => boolean

const lineBreaks = /[\r\n\t ]+/g
/** Node's decoder looks at the lower byte of a character only, so that `Ł` would pass for `A`. */
const wideCharacter = /[^\0-\xff]/

/** One value after the other: `begin`, `write` as often as needed, `end`. */
export class Base64Groups {
  readonly #decode: DecodeGroups
  #pending = ''
  #padding = 0

  constructor(decode: DecodeGroups) {
    this.#decode = decode
  }

  begin(): void {
    this.#pending = ''
    this.#padding = 0
  }

  /**
   * Takes the next characters, standard or URL-safe alphabet; whitespace is skipped. False where the value is no
   * base64: it can only be given up then.
   */
  write(text: string): boolean {
    const padAt = text.indexOf('=')
    const digits = padAt < 0 ? text : text.slice(0, padAt)
    if (this.#padding > 0 && digits.trim() !== '') return false
    const padding = text.slice(digits.length).replace(lineBreaks, '')
    this.#padding += padding.length
    return /^={0,2}$/.test(padding) && !wideCharacter.test(digits) && this.#writeDigits(digits)
  }

  /**
   * Hands on what is left. False where the value ends in the middle of a byte. Padding may be left out; with
   * `exactPadding`, what there is of it has to fill the last group.
   */
  end(options: { exactPadding?: boolean } = {}): boolean {
    const rest = this.#pending.replace(lineBreaks, '')
    this.#pending = ''
    if (rest.length === 1 || this.#padding > 2) return false
    if (options.exactPadding && this.#padding > 0 && rest.length + this.#padding !== 4) return false
    return rest === '' || this.#decode(rest, Math.floor((rest.length * 3) / 4))
  }

  #writeDigits(digits: string): boolean {
    const text = this.#pending + digits
    // Line breaks are the one thing that may stand between the digits; they are rare enough for a second try.
    return this.#decodeWhole(text) || this.#decodeWhole(text.replace(lineBreaks, ''))
  }

  #decodeWhole(text: string): boolean {
    const whole = text.length - (text.length % 4)
    this.#pending = text.slice(whole)
    return whole === 0 || this.#decode(text.slice(0, whole), (whole * 3) / 4)
  }
}
