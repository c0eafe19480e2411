/** How Google says no: a status, its name, a message, and details that have a type each. */

export type Detail = { '@type': `type.googleapis.com/google.rpc.${string}` } & Record<string, unknown>

/** A refusal in the form of `google.rpc.Status`. */
export class GeminiRefusal extends Error {
  readonly code: number
  readonly #status: string
  readonly #details: readonly Detail[]

  constructor(code: number, status: string, message: string, details: readonly Detail[] = []) {
    super(message)
    this.code = code
    this.#status = status
    this.#details = details
  }

  body() {
    const details = this.#details.length > 0 ? { details: this.#details } : {}
    return { error: { code: this.code, message: this.message, status: this.#status, ...details } }
  }
}

/** The usual refusal: 400, about one field. */
export function refuseField(field: string, description: string): never {
  throw new GeminiRefusal(400, 'INVALID_ARGUMENT', description, [
    { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description }] },
  ])
}

export function errorInfo(reason: string): Detail {
  return {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'googleapis.com',
    metadata: { service: 'generativelanguage.googleapis.com' },
  }
}
