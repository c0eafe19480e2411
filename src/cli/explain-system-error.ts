/**
 * The failures of the machine around Gesso that people meet, in sentences that say what to do. The API client tells
 * its own; so a connection that fails elsewhere is the database's.
 */

interface SystemError extends Error {
  code: string
  address?: string
  port?: number
}

const connectionCodes = /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)/
/** PostgreSQL's classes: who one is, which database there is, connections, and a server that stops or is full. */
const databaseCodes = /^(28|3D|08|53|57P)[0-9A-Z]{2,3}$/

/** What the driver says without a code: of a connection that was cut or never answered, and of one that was refused. */
const cutOff = /^(Connection terminated|timeout exceeded when trying to connect|timeout expired)/
const refused =
  /^(URI malformed|SASL|SCRAM|The server does not support SSL|There was an error establishing an SSL)/
/** A disk that is full, and files that may not be written. */
const fileCodes = /^(EACCES|EPERM|EROFS|ENOSPC|EDQUOT|ENOTDIR|EMFILE)$/

/** The sentence, or undefined for any other error. */
export function explainSystemError(error: unknown): string | undefined {
  // Several addresses were tried, and the errors are alike.
  if (error instanceof AggregateError) return explainSystemError(error.errors[0])
  if (!isSystemError(error)) return error instanceof Error ? explainDriverError(error.message) : undefined
  const { code, message, address, port } = error
  if (code === 'EADDRINUSE') {
    return `Another program listens on ${address} port ${port} already. Stop it, or choose another port with GESSO_PORT.`
  }
  if (connectionCodes.test(code)) return unreachable(message)
  if (databaseCodes.test(code)) return refusal(message)
  if (fileCodes.test(code)) return `A file cannot be used: ${message}.`
  return undefined
}

function explainDriverError(message: string): string | undefined {
  if (cutOff.test(message)) return unreachable(message)
  return refused.test(message) ? refusal(message) : undefined
}

function unreachable(message: string): string {
  return `The database cannot be reached: ${message}. DATABASE_URL says where it is.`
}

function refusal(message: string): string {
  return `The database refuses the connection: ${message}. Check DATABASE_URL.`
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
