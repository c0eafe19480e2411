/** Says on stderr why a command failed, in a sentence or as the API's error body, and answers the exit code. */
import { styleText } from 'node:util'
import { ConfigError } from '../config/config-error.ts'
import { exitCode } from './exit-code.ts'
import { explainSystemError } from './explain-system-error.ts'
import { CommandFailure } from './failure.ts'
import { printable, printableJson } from './printable.ts'

export interface TellOptions {
  json: boolean
  /** Shows where an unexpected failure happened. */
  debug: boolean
}

/** Tells any failure. With `json` stderr gets exactly one object. */
export function tellFailure(error: unknown, options: TellOptions): number {
  if (error instanceof CommandFailure) {
    const { message, type, code, param, requestId, hint } = error
    tell(options, {
      lines: [requestId ? `${message} (${code}, request ${requestId})` : message, ...(hint ? [hint] : [])],
      body: { error: { message, type, code, param }, ...(requestId ? { request_id: requestId } : {}) },
    })
    return error.exitCode
  }
  if (error instanceof ConfigError) {
    const { message, problems } = error
    const body = { message, type: 'invalid_request_error', code: 'invalid_configuration', param: null }
    tell(options, { lines: message.split('\n'), body: { error: body, problems } })
    return exitCode.usage
  }
  const explained = explainSystemError(error)
  const message = explained ?? describe(error)
  const lines = [message]
  if (options.debug && error instanceof Error) lines.push(...(error.stack ?? '').split('\n').slice(1))
  else if (explained === undefined && isFault(error))
    lines.push('This was not expected. GESSO_LOG_LEVEL=debug shows where it happened.')
  const body = { message, type: 'internal_server_error', code: 'internal_error', param: null }
  tell(options, { lines, body: { error: body } })
  return exitCode.unexpected
}

function tell(options: TellOptions, said: { lines: readonly string[]; body: object }): void {
  if (options.json) {
    process.stderr.write(`${printableJson(said.body, { indent: false })}\n`)
    return
  }
  const [first = '', ...rest] = said.lines.map(indentedPrintable)
  process.stderr.write(`${[styleText('red', first, { stream: process.stderr }), ...rest].join('\n')}\n`)
}

/** A list inside a message keeps its indentation. */
function indentedPrintable(line: string): string {
  return (/^ */.exec(line)?.[0] ?? '') + printable(line.trimStart())
}

/** Errors that were thrown with a sentence for people are plain `Error`s or have a class of their own for it. */
function isFault(error: unknown): boolean {
  return (
    !(error instanceof Error) ||
    !['Error', 'AggregateError', 'DataDirectoryInUseError', 'GessoError'].includes(error.name)
  )
}

/** The message; a failed connection to several addresses has none of its own. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ')
  return error instanceof Error ? error.message || error.name : String(error)
}
