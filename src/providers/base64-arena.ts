/**
 * Base64 text decoded piece by piece into memory that already has its final place. Pictures that follow each
 * other share one block, sized from the answer's Content-Length, so that a byte is written once and never
 * moved; only answers of unknown length grow by copying.
 */

const firstBlockBytes = 1024 * 1024

/** Decodes one value after the other: `begin`, `write` as often as needed, `finish`. */
export class Base64Arena {
  #block: Buffer<ArrayBuffer> | undefined
  #expectedBytes: number
  /** Where the current value begins and ends in the block. */
  #start = 0
  #end = 0
  /** Up to three characters that wait for the rest of their group of four. */
  #pending = ''
  #padding = 0

  /** `expectedBytes` is the length of the text to come, 0 if unknown; memory is taken at the first value. */
  constructor(expectedBytes: number) {
    this.#expectedBytes = expectedBytes
  }

  begin(): void {
    this.#start = this.#end
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
    const padding = text.slice(digits.length).replace(/[\r\n\t ]+/g, '')
    this.#padding += padding.length
    return /^={0,2}$/.test(padding) && this.#decode(digits)
  }

  /** The decoded value: a view into the shared block; `undefined` where its end is not that of base64. */
  finish(): Buffer | undefined {
    if (this.#pending.length === 1 || this.#padding > 2) return undefined
    this.#append(this.#pending)
    const block = this.#block ?? Buffer.alloc(0)
    return block.subarray(this.#start, this.#end)
  }

  /** Gives the memory back at once. Values that were finished are lost with it. */
  discard(): void {
    this.#block?.buffer.transfer(0)
    this.#block = undefined
    this.#start = 0
    this.#end = 0
  }

  #decode(digits: string): boolean {
    let text = this.#pending + digits
    let whole = text.length - (text.length % 4)
    this.#pending = text.slice(whole)
    if (this.#append(text.slice(0, whole))) return true
    // Line breaks are the one thing that may stand between the digits; they are rare enough for a second try.
    text = (text.slice(0, whole) + this.#pending).replace(/[\r\n\t ]+/g, '')
    whole = text.length - (text.length % 4)
    this.#pending = text.slice(whole)
    return this.#append(text.slice(0, whole))
  }

  /** False, with nothing left behind, where a character is not base64: Node's decoder skips those silently. */
  #append(digits: string): boolean {
    const sizeBytes = Math.floor((digits.length * 3) / 4)
    const block = this.#roomFor(sizeBytes)
    if (block.write(digits, this.#end, sizeBytes, 'base64') !== sizeBytes) return false
    this.#end += sizeBytes
    return true
  }

  #roomFor(sizeBytes: number): Buffer {
    this.#block ??= Buffer.allocUnsafeSlow(Math.ceil(this.#expectedBytes * 0.75) || firstBlockBytes)
    if (this.#end + sizeBytes <= this.#block.length) return this.#block
    const grownBytes = Math.max(2 * (this.#end - this.#start + sizeBytes), firstBlockBytes)
    // Transferring gives the old memory back at once; a collector that knows only of small objects would wait.
    if (this.#start === 0) {
      this.#block = Buffer.from(this.#block.buffer.transfer(grownBytes))
      return this.#block
    }
    // Values already finished keep their old block.
    const grown = Buffer.allocUnsafeSlow(grownBytes)
    this.#end = this.#block.copy(grown, 0, this.#start, this.#end)
    this.#start = 0
    this.#block = grown
    return grown
  }
}
