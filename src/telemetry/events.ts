/** What becomes of the business facts: a line of the log each. Metrics and traces will hang here too. */
import type { FinishEvents, RunEvents } from '../generation/events.ts'
import type { Logger } from './logger.ts'

/** What the chores of a running server come to. */
export interface ChoreEvents {
  /** Balances and their entries do not agree. */
  ledgerDisagrees(discrepancies: readonly object[]): void
  /** Keys of accounts were sealed with the present secret; some may be sealed with one that is not known here. */
  providerKeysResealed(fact: { resealed: number; unreadable: readonly object[] }): void
  /** Something that is done again later could not be done. */
  choreFailed(error: unknown): void
}

/** Builds the listener of a process. */
export function createEvents(logger: Logger): RunEvents & FinishEvents & ChoreEvents {
  return {
    providerAnswered: ({ error, ...fact }) => {
      const line = { ...fact, durationMs: Math.round(fact.durationMs) }
      if (error === undefined) logger.info(line, 'provider answered')
      else logger.warn({ ...line, err: error }, 'provider failed')
    },
    operationNotKept: ({ error, ...fact }) =>
      logger.warn({ ...fact, err: error }, 'the note of accepted work could not be kept'),
    ledgerDisagrees: (discrepancies) =>
      logger.error({ discrepancies }, 'the ledger does not agree with itself: see gesso doctor'),
    providerKeysResealed: ({ resealed, unreadable }) => {
      if (resealed > 0) logger.info({ resealed }, 'provider keys were sealed with the present secret')
      if (unreadable.length > 0) {
        logger.warn(
          { unreadable },
          'provider keys are sealed with another secret: set it as GESSO_SECRET_PREVIOUS, or store them again',
        )
      }
    },
    choreFailed: (error) => logger.warn({ err: error }, 'a chore failed and will be done again'),
    taskEnded: ({ error, ...fact }) => {
      if (error === undefined) logger.info(fact, 'task succeeded')
      else logger.warn({ ...fact, code: (error as { code?: unknown }).code }, 'task failed')
    },
  }
}
