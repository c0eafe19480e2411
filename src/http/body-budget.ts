/**
 * Bounds the bytes of request bodies that this process holds in memory while it reads them, whoever sends them: many
 * callers who each stay below the limit of one body must not fill the memory together. Pictures on their way to the
 * spool are not meant; it has a budget of its own.
 */
import { GessoError } from '../lib/errors.ts'

/** The share of one body. Given back when it is disposed. */
export interface BodyShare extends Disposable {
  /**
   * Says how many bytes of the body are held in memory now, in place of what was said before. Throws `queue_full`
   * where the budget is used up; nothing changes then.
   */
  hold(bytes: number): void
}

export interface BodyBudget {
  open(): BodyShare
}

/** A budget of this many decoded bytes. */
export function createBodyBudget(budgetBytes: number): BodyBudget {
  let heldBytes = 0
  return {
    open() {
      let ownBytes = 0
      return {
        hold(bytes) {
          const moreBytes = bytes - ownBytes
          if (heldBytes + moreBytes > budgetBytes) throw tooManyBodies()
          heldBytes += moreBytes
          ownBytes = bytes
        },
        [Symbol.dispose]() {
          heldBytes -= ownBytes
          ownBytes = 0
        },
      }
    },
  }
}

function tooManyBodies(): GessoError {
  return new GessoError({
    code: 'queue_full',
    attribution: 'capacity',
    message:
      'This server is reading as many bytes of request bodies as it can hold at once. Try again shortly.',
    retryable: true,
    retryAfterMs: 1_000,
  })
}
