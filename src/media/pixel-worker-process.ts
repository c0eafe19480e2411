/**
 * The child process in which foreign pictures are decoded, one job at a time, started by `pixel-worker.ts`.
 *
 * It offers itself to the kernel as the first to go when memory runs out, and goes by itself before that. It holds no
 * secret, prints nothing, and must never outlive its parent.
 */
import { writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { type PixelJob, type PixelResult, performPixelJob } from './perform-pixel-job.ts'

/** What the child says: once that it is ready, then one answer to each job. */
export type PixelMessage =
  | { kind: 'ready' }
  /** `grown`: what this job left behind must not count against the next; use another child. */
  | { kind: 'done'; result: PixelResult; grown: boolean }
  /** `ofMachine`: a file could not be read or written, which is not the picture's doing. */
  | { kind: 'failed'; message: string; ofMachine: boolean; grown: boolean }

const rssLimitBytes = Number(process.argv[2])
const rssCheckEveryMs = 20

// Ctrl-C and a service manager's stop reach the whole group, but the parent still finishes what it began.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', endNow)
process.on('message', (job: PixelJob) => void work(job))

// What it writes are callers' pictures, and libvips itself would let everybody on this machine read them.
process.umask(0o077)
sharp.concurrency(1)
sharp.cache(false)
try {
  writeFileSync('/proc/self/oom_score_adj', '1000')
} catch {
  // Not Linux, or not allowed: the watch on our own memory remains.
}
say({ kind: 'ready' })

async function work(job: PixelJob): Promise<void> {
  const watch = setInterval(() => {
    if (process.memoryUsage.rss() > rssLimitBytes) endNow()
  }, rssCheckEveryMs)
  const hasGrown = () => process.memoryUsage.rss() > rssLimitBytes / 2
  try {
    const result = await performPixelJob(job)
    say({ kind: 'done', result, grown: hasGrown() })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // libvips' own words for what the operating system refused: "/a/path: unable to open for write, system error …".
    const ofMachine = /\bsystem error: /.test(message)
    say({ kind: 'failed', message, ofMachine, grown: hasGrown() })
  } finally {
    clearInterval(watch)
  }
}

/** `process.exit` would wait for the decoder's thread, whose hunger may be the reason to go. */
function endNow(): void {
  process.kill(process.pid, 'SIGKILL')
}

function say(message: PixelMessage): void {
  process.send?.(message)
}
