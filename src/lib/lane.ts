/**
 * A gate that lets only so many jobs run at once, for work that would exhaust something when all of it ran
 * together: threads, memory, a provider's patience. A job must never start another in the same lane and wait for
 * it: two such jobs would wait for each other for ever.
 */

/** A first-in, first-out gate for jobs. */
export interface Lane {
  /**
   * Runs the job as soon as a place is free and passes on its value or its error. Where the signal fires before that,
   * the job is never run and the signal's reason is thrown at once; a job that runs must heed the signal itself.
   */
  run<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** A lane in which `concurrency` jobs run at once; the others wait in the order they came. */
export function createLane({ concurrency }: { concurrency: number }): Lane {
  const waiting = new Set<() => void>()
  let running = 0

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (running < concurrency) {
      running += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = () => {
      waiting.delete(begin)
      reject(signal?.reason)
    }
    // Taken off at once: a place that was handed over must not be given up a moment later and be lost.
    const begin = () => {
      signal?.removeEventListener('abort', giveUp)
      resolve()
    }
    waiting.add(begin)
    signal?.addEventListener('abort', giveUp, { once: true })
    await promise
  }

  // A waiting job inherits the place as it is: were it given up first, a newcomer could jump the queue.
  function leave(): void {
    const [next] = waiting
    if (!next) {
      running -= 1
      return
    }
    waiting.delete(next)
    next()
  }

  return {
    async run(job, signal) {
      await enter(signal)
      try {
        // The signal may have fired since the place was handed over.
        signal?.throwIfAborted()
        return await job()
      } finally {
        leave()
      }
    },
  }
}
