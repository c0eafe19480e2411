/** What becomes of the business facts: a line of the log each. Metrics and traces will hang here too. */
import type { FinishEvents, RunEvents } from '../generation/events.ts'
import type { Logger } from './logger.ts'

/** Builds the listener of a process. */
export function createEvents(logger: Logger): RunEvents & FinishEvents {
  return {
    providerAnswered: ({ error, ...fact }) => {
      const line = { ...fact, durationMs: Math.round(fact.durationMs) }
      if (error === undefined) logger.info(line, 'provider answered')
      else logger.warn({ ...line, err: error }, 'provider failed')
    },
    operationNotKept: ({ error, ...fact }) =>
      logger.warn({ ...fact, err: error }, 'the note of accepted work could not be kept'),
    taskEnded: ({ error, ...fact }) => {
      if (error === undefined) logger.info(fact, 'task succeeded')
      else logger.warn({ ...fact, code: (error as { code?: unknown }).code }, 'task failed')
    },
  }
}
