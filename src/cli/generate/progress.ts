/** Shows that work goes on: a clock rewritten in place on a terminal, otherwise one line when it begins. */
import { printable } from '../printable.ts'

const tickMs = 200
/** Only this line is ever rewritten; it is gone when the work is done. */
const clearLine = '\r\u001b[K'

/** Starts showing; disposal, which may happen twice, takes the clock away. */
export function startProgress(
  model: string,
  options: { silent: boolean; env: NodeJS.ProcessEnv },
): Disposable {
  if (options.silent) return { [Symbol.dispose]() {} }
  const stream = process.stderr
  const name = printable(model)
  if (!stream.isTTY || options.env.TERM === 'dumb') {
    stream.write(`Drawing with ${name} …\n`)
    return { [Symbol.dispose]() {} }
  }
  const startedMs = performance.now()
  const draw = () =>
    stream.write(
      `${clearLine}Drawing with ${name} … ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`,
    )
  draw()
  const timer = setInterval(draw, tickMs).unref()
  let running = true
  return {
    [Symbol.dispose]() {
      if (!running) return
      running = false
      clearInterval(timer)
      stream.write(clearLine)
    },
  }
}
