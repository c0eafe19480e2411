/** How OpenAI says no: its statuses, its types and its codes. */

/** A refusal in OpenAI's format. */
export class OpenAiRefusal extends Error {
  readonly status: number
  readonly #param: string | null
  readonly #code: string | null
  readonly #type: string

  constructor(status: number, message: string, about: { param?: string; code?: string; type?: string } = {}) {
    super(message)
    this.status = status
    this.#param = about.param ?? null
    this.#code = about.code ?? null
    this.#type = about.type ?? 'invalid_request_error'
  }

  body() {
    const { message } = this
    return { error: { message, type: this.#type, param: this.#param, code: this.#code } }
  }
}

/** The usual refusal: 400, about one parameter. */
export function refuse(param: string, message: string, code: string): never {
  throw new OpenAiRefusal(400, message, { param, code })
}
