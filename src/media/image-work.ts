/**
 * The gates through which this process works on pictures.
 *
 * A sharp call occupies a thread of libuv's pool (four by default), which files, DNS and async crypto share, and a
 * picture in work occupies memory. So both are bounded: jobs at once times what one job may use. A job must
 * never start another job of the same gate: two such jobs would wait for each other for ever.
 */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { createLane, type Lane } from '../lib/lane.ts'

/** Jobs that touch pixels, here or in a child: as many as the smallest machine has cores. */
const PIXEL_JOBS = 2

/** Header reads take about a millisecond; a lane of their own keeps refusals quick behind slow encodes. */
const HEADER_JOBS = 1

/** Files that are in memory as a whole. */
const WHOLE_FILES = 1

interface Lanes {
  pixels: Lane
  headers: Lane
  wholeFiles: Lane
}

let lanes: Lanes | undefined

/**
 * The gates live in the module and not in a value passed around, because what they guard does too: there is
 * one libuv pool and one libvips per process, and a second gate beside the first would guard nothing.
 */
function imageLanes(): Lanes {
  if (lanes) return lanes
  // One libvips thread per job, as two jobs fill a small machine; and no cache of operations, which
  // would hold strangers' decoded pixels between requests.
  sharp.concurrency(1)
  sharp.cache(false)
  lanes = {
    pixels: createLane({ concurrency: PIXEL_JOBS }),
    headers: createLane({ concurrency: HEADER_JOBS }),
    wholeFiles: createLane({ concurrency: WHOLE_FILES }),
  }
  return lanes
}

/**
 * Decodes, encodes or draws: runs the job in the process-wide lane for pixels. A signal that fires while the job waits
 * rejects it with its reason; this holds for all three gates.
 */
export function runPixelJob<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return imageLanes().pixels.run(job, signal)
}

/** Reads a header without decoding pixels: runs the job in the process-wide lane for headers. */
export function runHeaderJob<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return imageLanes().headers.run(job, signal)
}

/**
 * Gives the job all bytes of a picture. Of those that lie on the disk one at a time is in memory, however many
 * jobs there are; the job must not keep them.
 */
export async function withWholeFile<T>(
  source: Buffer | { readonly path: string },
  job: (bytes: Buffer) => T | Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (Buffer.isBuffer(source)) return job(source)
  return imageLanes().wholeFiles.run(async () => job(await readFile(source.path)), signal)
}
