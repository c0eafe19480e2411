/**
 * The door to the work of this process: bounds how many generations run at once, and knows when the last one has
 * left, so that a stop can wait for them.
 */
import { GessoError } from '../lib/errors.ts'

export interface Gate {
  /** Runs the work, or throws `queue_full` at once. The signal fires when the process can wait no longer. */
  run<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result>
  /** Runs work that was begun elsewhere, however full it is. Does nothing once the gate is closed. */
  finish(work: (signal: AbortSignal) => Promise<void>): Promise<void>
  /** Waits for work that is done elsewhere, beside the limit. Throws `overloaded` once the gate is closed. */
  wait<Result>(wait: (signal: AbortSignal) => Promise<Result>): Promise<Result>
  /** Lets nobody in any more, waits for those inside, and after `timeoutMs` tells them to give up. */
  close(timeoutMs: number): Promise<void>
  /** Is the process stopping? */
  readonly closed: boolean
}

/** A gate that lets `limit` generations in at once. */
export function createGate(limit: number): Gate {
  const inside = new Set<Promise<unknown>>()
  /** Those who only wait: they take nobody's place. */
  const beside = new Set<Promise<unknown>>()
  const stop = new AbortController()
  let closed = false

  const enter = async <Result>(
    work: (signal: AbortSignal) => Promise<Result>,
    where = inside,
  ): Promise<Result> => {
    const promise = (async () => work(stop.signal))()
    where.add(promise)
    try {
      return await promise
    } finally {
      where.delete(promise)
    }
  }

  return {
    get closed() {
      return closed
    },

    async run(work) {
      if (closed) throw stopping()
      if (inside.size >= limit) {
        throw busy(
          'queue_full',
          `This server is making ${limit} generations at once, which is its limit. Try again shortly.`,
        )
      }
      return enter(work)
    },

    async finish(work) {
      if (!closed) await enter(work)
    },

    async wait(work) {
      if (closed) throw stopping()
      return enter(work, beside)
    },

    async close(timeoutMs) {
      closed = true
      const timer = setTimeout(() => stop.abort(), timeoutMs)
      await Promise.allSettled([...inside, ...beside])
      clearTimeout(timer)
    },
  }
}

function stopping(): GessoError {
  return busy('overloaded', 'This server is stopping. Nothing was started; try again shortly.')
}

function busy(code: 'queue_full' | 'overloaded', message: string): GessoError {
  return new GessoError({ code, attribution: 'capacity', message, retryable: true, retryAfterMs: 1_000 })
}
