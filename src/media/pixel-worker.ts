/**
 * Decoding of foreign pictures happens in child processes, where running out of memory kills only that job.
 *
 * Children start on first use, stay warm between jobs and leave when idle; they keep this process alive only while one
 * works. A child gets no environment, no terminal and no flag of this process, so no secret either.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { extname, join } from 'node:path'
import { GessoError } from '../lib/errors.ts'
import { runPixelJob } from './image-work.ts'
import { unsupportedImage } from './inspect-image.ts'
import type { PixelJob, PixelResult } from './perform-pixel-job.ts'
import type { PixelMessage } from './pixel-worker-process.ts'

export interface PixelWorkerOptions {
  /** The memory at which a child gives up, its own 80 MB included. */
  rssLimitBytes?: number
  deadlineMs?: number
  idleMs?: number
}

/** For an error: what the picture says it is, and the request field it came in. */
export interface PixelSubject {
  format: string
  param?: string
}

export interface PixelWorkers extends Disposable {
  /**
   * Does one job in a child. Throws `unsupported_image` where the picture is damaged, needs too much memory or takes
   * too long, and `internal_error` where this machine failed. A signal kills the child, and rejects with its reason once
   * the child has ended: from then on nothing writes to the job's path.
   */
  run(job: PixelJob, subject: PixelSubject, signal?: AbortSignal): Promise<PixelResult>
  /** The process ids of the children. */
  pids(): number[]
}

/**
 * Measured: 4096 × 4096 as AVIF, the most that providers make, takes 730 MB to write; 50 megapixels take 560 MB to
 * read where they are a progressive JPEG to be turned, 890 MB where they are an interlaced PNG of 16 bits.
 */
const defaultRssLimitBytes = 1_000_000_000
const defaultDeadlineMs = 30_000
const defaultIdleMs = 30_000
/** A start takes a quarter of a second; on a machine that is overloaded it may take many. */
const startTimeoutMs = 30_000

/** glibc keeps what it freed in an arena per thread; two are enough for one job and keep a warm child small. */
const childEnvironment = { MALLOC_ARENA_MAX: '2' }

/** Children for as many jobs as run at once; who bounds them is the caller (`decodeInChild`). */
export function createPixelWorkers(options: PixelWorkerOptions = {}): PixelWorkers {
  const {
    rssLimitBytes = defaultRssLimitBytes,
    deadlineMs = defaultDeadlineMs,
    idleMs = defaultIdleMs,
  } = options
  const children = new Set<ChildProcess>()
  const idle: { child: ChildProcess; timer: NodeJS.Timeout }[] = []

  async function start(signal: AbortSignal | undefined): Promise<ChildProcess> {
    const name = `pixel-worker-process${extname(import.meta.filename)}`
    const child = fork(join(import.meta.dirname, name), [String(rssLimitBytes)], {
      env: childEnvironment,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    children.add(child)
    child.once('exit', () => forget(child))
    // A failed start has no exit; a failed message is told to its own callback.
    child.on('error', () => forget(child))
    const first = await nextMessage(child, { timeoutMs: startTimeoutMs, signal })
    if ('kind' in first && first.kind === 'ready' && !signal?.aborted) return child
    child.kill('SIGKILL')
    signal?.throwIfAborted()
    throw machineFailed('The process that decodes pictures could not be started.', JSON.stringify(first))
  }

  function forget(child: ChildProcess): void {
    children.delete(child)
    const at = idle.findIndex((one) => one.child === child)
    if (at >= 0) clearTimeout(idle.splice(at, 1)[0]?.timer)
  }

  function take(): ChildProcess | undefined {
    for (let one = idle.pop(); one; one = idle.pop()) {
      clearTimeout(one.timer)
      if (!one.child.connected) continue
      one.child.ref()
      one.child.channel?.ref()
      return one.child
    }
    return undefined
  }

  function rest(child: ChildProcess): void {
    child.unref()
    child.channel?.unref()
    const timer = setTimeout(() => {
      forget(child)
      child.disconnect()
    }, idleMs)
    idle.push({ child, timer: timer.unref() })
  }

  return {
    async run(job, subject, signal) {
      signal?.throwIfAborted()
      const child = take() ?? (await start(signal))
      const answer = await nextMessage(child, { timeoutMs: deadlineMs, signal, job })
      if ('ended' in answer) {
        child.kill('SIGKILL')
        signal?.throwIfAborted()
        throw endedEarly(answer, subject, deadlineMs)
      }
      if (answer.kind === 'ready') throw new Error('a child is ready only once')
      // Its last word may have come before the signal that killed it: it must not get another job.
      if (signal?.aborted) child.kill('SIGKILL')
      else if (answer.grown) child.disconnect()
      else rest(child)
      if (answer.kind === 'done') return answer.result
      if (answer.ofMachine) throw machineFailed('A picture could not be read or written.', answer.message)
      const what = `cannot be decoded: the ${subject.format} file is damaged or too large.`
      throw unsupportedImage(what, subject.param, new Error(answer.message))
    },
    pids: () => [...children].flatMap((child) => child.pid ?? []),
    [Symbol.dispose]() {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

/** Why no message came: the child's end, or ours after a deadline. */
interface NoMessage {
  ended: 'by itself' | 'late' | 'unreachable'
  signal?: NodeJS.Signals | null
}

interface Talk {
  timeoutMs: number
  signal: AbortSignal | undefined
  job?: PixelJob
}

/** Sends the job, if there is one, and waits for what the child says next. A signal kills it, and its end is awaited. */
function nextMessage(
  child: ChildProcess,
  { timeoutMs, signal, job }: Talk,
): Promise<PixelMessage | NoMessage> {
  const { promise, resolve } = Promise.withResolvers<PixelMessage | NoMessage>()
  const onMessage = (message: unknown) => resolve(message as PixelMessage)
  const onExit = (_code: number | null, endedBy: NodeJS.Signals | null) =>
    resolve({ ended: 'by itself', signal: endedBy })
  const onError = () => resolve({ ended: 'unreachable' })
  const onAbort = () => child.kill('SIGKILL')
  child.once('message', onMessage)
  child.once('exit', onExit)
  child.once('error', onError)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => resolve({ ended: 'late' }), timeoutMs)
  if (job) {
    child.send(job, (error) => {
      if (error) resolve({ ended: 'unreachable' })
    })
  }
  return promise.finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    child.off('message', onMessage)
    child.off('exit', onExit)
    child.off('error', onError)
  })
}

function endedEarly(end: NoMessage, subject: PixelSubject, deadlineMs: number): GessoError {
  if (end.ended === 'late') {
    return unsupportedImage(`takes more than ${deadlineMs / 1_000} s to decode.`, subject.param)
  }
  if (end.ended === 'unreachable') {
    return machineFailed('The process that decodes pictures could not be reached.', 'its channel is closed')
  }
  // The child's own watch and the kernel both end it this way.
  if (end.signal === 'SIGKILL') {
    return unsupportedImage('needs more memory than this server gives to one picture.', subject.param)
  }
  const what = `cannot be decoded: the ${subject.format} file brought the decoder down.`
  return unsupportedImage(what, subject.param, new Error(`the child ended: ${end.signal}`))
}

function machineFailed(message: string, detail: string): GessoError {
  return new GessoError({ code: 'internal_error', attribution: 'platform', message, detail })
}

let workers: PixelWorkers | undefined

/**
 * Does one job in one of this process's children, in the lane for pixels. The children are the module's, as the lane
 * is, and for its reason: a second set beside the first would double what all pictures together may use. A signal ends
 * the wait for the lane, and the job.
 */
export function decodeInChild(
  job: PixelJob,
  subject: PixelSubject,
  signal?: AbortSignal,
): Promise<PixelResult> {
  return runPixelJob(() => {
    workers ??= createPixelWorkers()
    return workers.run(job, subject, signal)
  }, signal)
}
