/** Does something again and again while the process runs. */

export interface RepeatOptions {
  everyMs: number
  /** Until the first time; `everyMs` where it is absent. */
  firstAfterMs?: number
  work(): Promise<void>
  /** One time failed; the next comes as planned. */
  onFailure(error: unknown): void
}

/** Starts it. Disposal waits for what is under way. */
export function repeat({ everyMs, firstAfterMs = everyMs, work, onFailure }: RepeatOptions): AsyncDisposable {
  let running = Promise.resolve()
  let timer: NodeJS.Timeout
  let isOver = false
  // The next time is set when the last has ended, so that slow work is never done twice at once.
  const schedule = (afterMs: number) => {
    if (isOver) return
    timer = setTimeout(() => {
      running = work()
        .catch(onFailure)
        .then(() => schedule(everyMs))
    }, afterMs)
  }
  schedule(firstAfterMs)
  return {
    async [Symbol.asyncDispose]() {
      isOver = true
      clearTimeout(timer)
      await running
    },
  }
}
