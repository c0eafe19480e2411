/**
 * Structured logs, one JSON line each, on stderr. What must never be logged is not trusted to care: keys and
 * headers are redacted here as well.
 */
import pino, { type Logger } from 'pino'
import type { TelemetrySettings } from './settings.ts'

export type { Logger }

/** Builds the process's logger. */
export function createLogger(settings: TelemetrySettings): Logger {
  return pino(
    {
      level: settings.log_level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: ['*.authorization', '*.apiKey', '*.api_key', '*.password'], censor: '[secret]' },
    },
    stderr(),
  )
}

/** A terminal that is gone must not turn answers into failures: what cannot be written is not logged. */
function stderr() {
  const destination = pino.destination({ dest: 2, sync: true })
  destination.on('error', () => {})
  return destination
}

/** An error as the log keeps it: its chain of names, codes, messages and details, without foreign properties. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: 'something that is not an Error was thrown' }
  const { code, detail } = error as { code?: unknown; detail?: unknown }
  return {
    name: error.name,
    code,
    message: error.message,
    detail: error.name.endsWith('Error') && typeof detail === 'string' && isOurs(error) ? detail : undefined,
    stack: error.stack?.split('\n').slice(1, 8).join('\n'),
    cause: error.cause === undefined ? undefined : describeError(error.cause),
  }
}

/** PostgreSQL's `detail` quotes row values, which may be a prompt; ours never does. */
function isOurs(error: Error): boolean {
  return 'attribution' in error
}
