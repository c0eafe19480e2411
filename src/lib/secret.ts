/**
 * A value that must not be printed. Logs, errors, `JSON.stringify` and the debugger show `[secret]`;
 * only `reveal()` gives the text, so every place that uses it can be found by name.
 */
import { inspect } from 'node:util'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text itself. Call it only where it is handed to the system it opens. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
