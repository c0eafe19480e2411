/**
 * Why a command ends without its result, said so that a script can tell: an exit code, and the API's own error
 * body. Everything a command throws on purpose is one of these; anything else is a fault of Gesso's.
 */
import { exitCode } from './exit-code.ts'

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export interface FailureOptions {
  exitCode: ExitCode
  type: string
  code: string
  message: string
  param?: string | null
  requestId?: string
  /** A further line for people: what to do next. */
  hint?: string
}

export class CommandFailure extends Error {
  override name = 'CommandFailure'
  readonly exitCode: ExitCode
  readonly type: string
  readonly code: string
  readonly param: string | null
  readonly requestId: string | undefined
  readonly hint: string | undefined

  constructor(options: FailureOptions) {
    super(options.message)
    this.exitCode = options.exitCode
    this.type = options.type
    this.code = options.code
    this.param = options.param ?? null
    this.requestId = options.requestId
    this.hint = options.hint
  }
}

/** The command line itself is wrong: exit code 2. `param` is the option or argument at fault. */
export function usageFailure(param: string | null, message: string): CommandFailure {
  return new CommandFailure({
    exitCode: exitCode.usage,
    type: 'invalid_request_error',
    code: 'usage',
    param,
    message,
  })
}

/** No Gesso answers at the address: exit code 8. */
export function unreachable(message: string, hint?: string): CommandFailure {
  return new CommandFailure({
    exitCode: exitCode.unreachable,
    type: 'connection_error',
    code: 'server_unreachable',
    message,
    hint,
  })
}

/** The exit code for an error status of the API. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCode.notAllowed
  if (status === 404) return exitCode.notFound
  if (status === 402 || status === 429) return exitCode.limit
  if (status >= 400 && status < 500) return exitCode.refused
  if (status === 502 || status === 503 || status === 504) return exitCode.providerFailed
  return exitCode.unexpected
}
