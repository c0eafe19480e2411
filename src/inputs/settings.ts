/** Bounds of the pictures that callers bring. */
import { z } from 'zod'
import { wholeNumber } from '../lib/setting.ts'

const mebibyte = 1024 * 1024

export const inputSettings = z.strictObject({
  /** Input pictures of one request, the mask not counted. */
  max_images: wholeNumber({ min: 1, max: 16 }).default(16),
  /** The largest input picture, however it is sent. */
  max_image_bytes: wholeNumber({ min: 1_024, max: 1_073_741_824 }).default(50 * mebibyte),
  /** The most pixels of an input picture, in millions; AVIF has half of it. */
  max_megapixels: wholeNumber({ min: 1, max: 500 }).default(50),
  /** Input pictures up to this size wait in memory, larger ones in files. */
  memory_bytes: wholeNumber({ min: 0, max: 1_073_741_824 }).default(mebibyte),
  /** Bytes of input pictures that this process holds at once; more get 429 `queue_full`. */
  spool_bytes: wholeNumber({ min: 1_024, max: 1_099_511_627_776 }).default(4 * 1024 * mebibyte),
  /** How long the download of an input picture may take. */
  fetch_timeout_ms: wholeNumber({ min: 100, max: 600_000 }).default(30_000),
})

export type InputSettings = z.infer<typeof inputSettings>
