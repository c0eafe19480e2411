/**
 * A process that must end leaves work behind that a provider has accepted. That is no failure: the next process follows
 * it to its end.
 */
import { GessoError } from '../lib/errors.ts'

/** Carried to whoever waits for the pictures; the task itself goes on. */
export class LeftUnderWayError extends GessoError {
  override name = 'LeftUnderWayError'

  constructor(taskId: string) {
    super({
      code: 'outcome_unknown',
      attribution: 'platform',
      message: `This server is stopping while the provider is at work. The pictures are not lost: once a server runs again, GET /v1/images/generations/${taskId} gives them.`,
    })
  }
}
