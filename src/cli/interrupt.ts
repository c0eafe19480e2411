/** Ctrl-C: the first one ends the command in order, a second one at once. */
import { exitCode } from './exit-code.ts'
import { CommandFailure } from './failure.ts'

/** Wrappers such as npm may deliver one Ctrl-C twice within a moment. */
const echoMs = 1_000

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal
}

/** Listens for SIGINT, SIGTERM and SIGHUP until disposed. `onFirst` may say what happens now. */
export function listenForInterrupt(onFirst?: () => void): Interrupt {
  const controller = new AbortController()
  let firstAtMs = 0
  const listener = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      const isEcho = signal === 'SIGHUP' || performance.now() - firstAtMs <= echoMs
      if (!isEcho) process.exit(exitCode.interrupted)
      return
    }
    firstAtMs = performance.now()
    controller.abort()
    onFirst?.()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, listener)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, listener)
    },
  }
}

/** What an interrupted command throws: exit code 130. */
export function interrupted(message: string, hint?: string): CommandFailure {
  return new CommandFailure({
    exitCode: exitCode.interrupted,
    type: 'interrupted',
    code: 'interrupted',
    message,
    hint,
  })
}
