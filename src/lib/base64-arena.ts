/**
 * Base64 text decoded piece by piece into memory that already has its final place. Pictures that follow each
 * other share one block, sized from the answer's Content-Length, so that a byte is written once and never
 * moved; only answers of unknown length grow by copying.
 */
import { Base64Groups } from './base64-groups.ts'

const firstBlockBytes = 1024 * 1024

/** Where the values go that a JSON text holds as base64. One after the other; `write` and `finish` may end it. */
export interface Base64Sink {
  begin(): void
  /** Takes the next characters. False where the value is no base64: it can only be given up then. */
  write(text: string): boolean
  /** False where the end is not that of base64. */
  finish(): boolean
  /** Gives up the value that was begun; something has to stand for it all the same. */
  skip(): void
  /** Everything that was begun, in order. */
  values(): readonly unknown[]
  /** Gives the memory back at once. */
  discard(): void
}

/** Keeps the values as Buffers, those that were skipped as empty ones. */
export class Base64Arena implements Base64Sink {
  readonly #groups = new Base64Groups((digits, sizeBytes) => this.#append(digits, sizeBytes))
  readonly #expectedBytes: number
  #values: Buffer[] = []
  #block: Buffer<ArrayBuffer> | undefined
  /** Where the current value begins and ends in the block. */
  #start = 0
  #end = 0

  /** `expectedBytes` is the length of the text to come, 0 if unknown; memory is taken at the first value. */
  constructor(expectedBytes: number) {
    this.#expectedBytes = expectedBytes
  }

  begin(): void {
    this.#start = this.#end
    this.#groups.begin()
  }

  write(text: string): boolean {
    return this.#groups.write(text)
  }

  /** The value is a view into the shared block. */
  finish(): boolean {
    if (!this.#groups.end()) return false
    const block = this.#block ?? Buffer.alloc(0)
    this.#values.push(block.subarray(this.#start, this.#end))
    return true
  }

  skip(): void {
    this.#values.push(Buffer.alloc(0))
  }

  values(): readonly Buffer[] {
    return this.#values
  }

  /** Values that were finished are lost with it. */
  discard(): void {
    this.#block?.buffer.transfer(0)
    this.#block = undefined
    this.#values = []
    this.#start = 0
    this.#end = 0
  }

  /** False, with nothing left behind, where a character is not base64: Node's decoder skips those silently. */
  #append(digits: string, sizeBytes: number): boolean {
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
