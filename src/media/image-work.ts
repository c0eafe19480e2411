/**
 * The one gate through which this process works on pixels.
 *
 * Every sharp call occupies a thread of libuv's pool (four by default), which files, DNS and async crypto
 * share: without a bound, a handful of AVIF encodes stalls every file read for seconds while the event loop
 * looks healthy. It also caps memory: jobs at once times the pixel limit of `inspect-image.ts`.
 * A job must never start another job of the same gate: two such jobs would wait for each other for ever.
 */
import sharp from 'sharp'

/** A first-in, first-out gate for jobs. */
export interface ImageWork {
  /** Runs the job as soon as a place is free and passes on its value or its error. */
  run<T>(job: () => Promise<T>): Promise<T>
}

/** A gate that lets `concurrency` jobs run at once; the others wait in the order they came. */
export function createImageWork({ concurrency }: { concurrency: number }): ImageWork {
  const waiting: (() => void)[] = []
  let running = 0

  async function enter(): Promise<void> {
    if (running < concurrency) running += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
  }

  // A waiting job inherits the place as it is: were it given up first, a newcomer could jump the queue.
  function leave(): void {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }

  return {
    async run(job) {
      await enter()
      try {
        return await job()
      } finally {
        leave()
      }
    },
  }
}

/** Jobs that touch pixels: half of libuv's four threads, so that files and DNS always find one. */
const PIXEL_JOBS = 2

/** Header reads take about a millisecond; a lane of their own keeps refusals quick behind slow encodes. */
const HEADER_JOBS = 1

let lanes: { pixels: ImageWork; headers: ImageWork } | undefined

/**
 * The gates live in the module and not in a value passed around, because what they guard does too: there is
 * one libuv pool and one libvips per process, and a second gate beside the first would guard nothing.
 */
function imageLanes(): { pixels: ImageWork; headers: ImageWork } {
  if (lanes) return lanes
  // One libvips thread per job, as two jobs fill a small machine; and no cache of operations, which
  // would hold strangers' decoded pixels between requests.
  sharp.concurrency(1)
  sharp.cache(false)
  lanes = {
    pixels: createImageWork({ concurrency: PIXEL_JOBS }),
    headers: createImageWork({ concurrency: HEADER_JOBS }),
  }
  return lanes
}

/** Decodes, encodes or draws: runs the job in the process-wide lane for pixels. */
export function runPixelJob<T>(job: () => Promise<T>): Promise<T> {
  return imageLanes().pixels.run(job)
}

/** Reads a header without decoding pixels: runs the job in the process-wide lane for headers. */
export function runHeaderJob<T>(job: () => Promise<T>): Promise<T> {
  return imageLanes().headers.run(job)
}
